"""Beside other programs: the same frames through each, in turn, and what came of it."""

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import timing
from benchmarks.comparison import growth, ours, rivals
from benchmarks.comparison.chart import Dot
from benchmarks.comparison.rivals import Result
from benchmarks.timing import kept
from mer.data import dataset
from mer.emotions import EMOTIONS
from mer.errors import MerError
from mer.evaluation.datasets import clean
from mer.models.registry import DEFAULT_MODEL
from mer.weights import store

FRAMES: Final = {"one face": 1, "eight faces": 8}
NATIVE: Final = 80  # pixels a side of the paper's pictures
TURNS: Final = 3  # of each program, see _VERSUS
QUICKER: Final = 4.0  # times as many frames a second as the quickest of the others, at one face
BETTER: Final = 0.15  # more right on the clean test than the best of them

Program = Callable[[Mapping[str, np.ndarray], np.ndarray | None], Result]


@dataclass(frozen=True)
class Test:
    """The paper's test pictures: pixels (n, 80, 80, 3), names, and which have no twin."""

    pixels: np.ndarray
    names: list[str]
    clean: np.ndarray


def listed(folder: Path, source: Path | None) -> tuple[list[str], list[Dot]]:
    """Lines of Markdown that tell how each program did, and the dots of their chart.

    Args:
        folder: where other programs are installed, once.
        source: the paper's data set, for the accuracies; without it there is no dot.

    Raises:
        MerError: the data set cannot be read, or scikit-image is missing.
    """
    test = _test(source) if source else None
    found, missing = _results(folder, test)
    dots = [_dot(name, result, test) for name, result in found.items()] if test else []
    return _versus(found, missing, test), dots


def _test(source: Path) -> Test:
    pictures = dataset.load(source, NATIVE, "test")
    known = clean(pictures, source, NATIVE, divided=True)
    if known.has_twin is None:
        raise MerError(f"Name the whole data set, with train and test in it, not {source}.")
    names = [EMOTIONS[label] for label in pictures.labels]
    return Test(pictures.pixels, names, ~known.has_twin)


def _results(folder: Path, test: Test | None) -> tuple[dict[str, Result], list[str]]:
    """What each program made of the same frames, in turn, and why some did not run."""
    face = timing.astronaut()
    frames = {name: growth.crowd(face, count, (640, 480)) for name, count in FRAMES.items()}
    found: dict[str, Result] = {}
    missing: dict[str, str] = {}
    for turn in range(TURNS):
        pictures = test.pixels if test and not turn else None
        for name, run in _ours().items():
            _add(found, name, run(frames, pictures))
        for name, run in _others(folder).items():
            try:
                if name not in missing:
                    _add(found, name, run(frames, pictures))
            except MerError as error:
                missing[name] = f"{name} did not run here: {error}"
    return found, list(missing.values())


def _add(found: dict[str, Result], name: str, result: Result) -> None:
    found[name] = found[name].and_again(result) if name in found else result


def _ours() -> dict[str, Program]:
    return {
        **{f"mer, {name}": partial(ours.mer, name) for name in store.available()},
        f"mer, {DEFAULT_MODEL}, for pictures": partial(ours.mer, DEFAULT_MODEL, quick=False),
        "the paper's chain: Haar, ResNet-18": ours.paper,
    }


def _others(folder: Path) -> dict[str, Program]:
    """Programs that are installed in `folder`, if they can be."""
    return {
        "fer 25.10.3": partial(_rival, rivals.fer, folder),
        "face-api 1.7.15": partial(_rival, rivals.face_api, folder),
    }


def _rival(
    program: Callable[[str, Path], Result],
    folder: Path,
    frames: Mapping[str, np.ndarray],
    pictures: np.ndarray | None,
) -> Result:
    with tempfile.TemporaryDirectory() as place:
        return program(rivals.job(frames, pictures, Path(place)), folder)


def _versus(found: Mapping[str, Result], missing: Sequence[str], test: Test | None) -> list[str]:
    rows = [_VERSUS, ""]
    head = [f"{name}: ms (middle half), found" for name in FRAMES]
    rows.append(f"| program | {' | '.join(head)} | right, all | right, clean |")
    rows.append("|---" * (3 + len(FRAMES)) + "|")
    rows += [_row(name, result, test) for name, result in found.items()]
    rows += ["", *_verdict(found, test), *missing]
    if test:
        rows += ["", "![Speed and accuracy of each program](benchmarks.svg)"]
    return rows


_VERSUS: Final = """The whole way from a frame of 640x480 in memory to expressions, the same frames
for all, made of one picture of a face. All programs take turns, three each, so that a processor
that slows down for a while slows none alone. Each runs with the settings that it comes with;
face-api on WebAssembly, since its native backend is no part of the package. Accuracy: the paper's
test pictures, which are all face, without a detector; ours learned from that set's training part,
the others did not, so it is no judgement of them elsewhere. The paper's chain has our ResNet-18.
Ours looks for upright faces and sees each once, as the others do (`predict(frame, quick=True)`);
*for pictures* is what the page does with an upload: it searches at full resolution and in turned
copies too, and sees each face in several views."""


def _row(name: str, result: Result, test: Test | None) -> str:
    cells = []
    for frame, count in FRAMES.items():
        low, middle, high = np.percentile(result.times[frame], (25, 50, 75))
        cells.append(f"{middle:.1f} ({low:.1f} to {high:.1f}), {result.faces[frame]} of {count}")
    shares = _accuracies(result, test) if test else None
    cells += [f"{100 * share:.1f} %" for share in shares] if shares else ["not measured"] * 2
    return f"| {name} | {' | '.join(cells)} |"


def _accuracies(result: Result, test: Test) -> tuple[float, float]:
    right = np.array(result.answers) == np.array(test.names)
    return float(right.mean()), float(right[test.clean].mean())


def _verdict(found: Mapping[str, Result], test: Test | None) -> list[str]:
    """For each of ours, how much quicker and how much better than the best of the others."""

    def speed(name: str) -> float:
        return 1000 / statistics.median(found[name].times["one face"])

    others = [name for name in found if not name.startswith("mer, ")]
    quickest = max(others, key=speed)
    rows = [
        f"Quicker: times the frames a second of {quickest}, the quickest of the others, at one "
        f"face; target {QUICKER:g}. Better: points above the better of the packages, on the clean "
        f"test; target {100 * BETTER:.0f}. One network is to do both.",
        "",
    ]
    packages = [name for name in others if "paper" not in name]
    clean = {name: _accuracies(found[name], test)[1] for name in found} if test else {}
    for name in [one for one in found if one.startswith("mer, ")]:
        times = speed(name) / speed(quickest)
        row = f"- {name}: {times:.1f} times, {kept(times >= QUICKER)}"
        if clean and packages:
            best = max(packages, key=clean.__getitem__)
            more = clean[name] - clean[best]
            row += f"; {100 * more:.1f} points above {best}, {kept(more >= BETTER)}"
        rows.append(row)
    return rows


def _dot(name: str, result: Result, test: Test) -> Dot:
    speed = 1000 / statistics.median(result.times["one face"])
    return Dot(name, speed, _accuracies(result, test)[1], name.startswith("mer, "))
