"""How fast workers are, and what great numbers then cost on paper."""

import itertools
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import timing, video_profile
from mer.batch import scoring
from mer.batch.scoring import Step
from mer.io import images
from mer.models.registry import DEFAULT_MODEL
from mer.results import documents

WORKERS: Final = (1, 2)
MACHINES: Final = (1, 10, 100)
MILLION: Final = 1_000_000  # pictures
HOURS: Final = 1000  # of video
PART: Final = 4  # pictures a step, of which the clock is read
STRETCHES: Final = 5  # of a run, to take medians of
CLIP_S: Final = 4.0  # seconds of the video, the longer one of `benchmarks video --quick`


@dataclass(frozen=True)
class Kind:
    """Pictures of a size: a JPEG of that size, and how many of them are scored."""

    name: str
    content: bytes
    count: int


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        rate: pictures a second, all workers together.
        processor_ms: milliseconds of a processor a picture.
        memory_mb: the most that a worker held.
        start_s: seconds from the call to the first results.
    """

    rate: float
    processor_ms: float
    memory_mb: float
    start_s: float


def report(model: str = DEFAULT_MODEL, *, picture: Path | None = None, count: int = 400) -> str:
    """Score made pictures with one worker and with two, and return all tables as Markdown.

    Args:
        model: the network.
        picture: a face to make them of; the astronaut of scikit-image unless given.
        count: small pictures to score; of large ones it is a quarter.

    Raises:
        MerError: there is no picture to use, or no face in it.
    """
    face = images.read(picture) if picture else timing.astronaut()
    every = kinds(face, count)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs = [[measure(folder, kind, number, model) for number in WORKERS] for kind in every]
        clip = folder / "clip.webm"
        video_profile.measure(clip, face, 1, 1.0, model)  # not counted: it loads code
        video = video_profile.measure(clip, face, 1, CLIP_S, model)
    head = f"{timing.machine()}; network {model}"
    return "\n\n".join([head, _measured(every, costs), _video(video), paper(every, costs, video)])


def kinds(face: np.ndarray, count: int) -> list[Kind]:
    """The inputs of `benchmarks.timing` as files: a webcam's frame and a photograph."""
    photograph, frame = (case.source for case in timing.cases(face))
    return [
        Kind("640x480", documents.jpeg(np.asarray(frame)), count),
        Kind("4000x3000", bytes(photograph), max(count // 4, 1)),
    ]


def measure(folder: Path, kind: Kind, workers: int, model: str) -> Cost:
    """Score the pictures of a kind with so many workers."""
    source, out = folder / "pictures", folder / "out"
    source.mkdir()
    for number in range(kind.count):
        (source / f"{number}.jpg").write_bytes(kind.content)
    began, steps = time.perf_counter(), []
    scoring.score(
        str(source),
        out,
        model=model,
        workers=workers,
        part=PART,
        progress=lambda step: steps.append((time.perf_counter() - began, step)),
    )
    shutil.rmtree(source)
    shutil.rmtree(out)
    return cost(steps)


def cost(steps: Sequence[tuple[float, Step]]) -> Cost:
    """What a run took, from the seconds at which it had come how far.

    The first results of each worker are not counted: with them it loads code.
    """
    parts = [(at, step) for at, step in steps if step.worker]
    own = {step.worker: [s for _, s in parts if s.worker == step.worker] for _, step in parts}
    warm = max(next(i for i, (_, s) in enumerate(parts) if s.worker == worker) for worker in own)
    used = sum(mine[-1].processor_s - mine[0].processor_s for mine in own.values())
    return Cost(
        rate=_rate([(at, step.done) for at, step in parts[warm:]]),
        processor_ms=1000 * used / PART / max(len(parts) - len(own), 1),
        memory_mb=max(step.memory_mb for _, step in parts),
        start_s=parts[0][0],
    )


def _rate(marks: Sequence[tuple[float, int]]) -> float:
    """Items a second, the median over stretches of a run; NaN of a run too short to tell."""
    edges = np.unique(np.linspace(0, len(marks) - 1, STRETCHES + 1).astype(int)).tolist()
    rates = [
        (marks[last][1] - marks[first][1]) / (marks[last][0] - marks[first][0])
        for first, last in itertools.pairwise(edges)
    ]
    return statistics.median(rates) if rates else float("nan")


def _measured(every: Sequence[Kind], costs: Sequence[Sequence[Cost]]) -> str:
    head = ("pictures", "workers", "pictures a second", "processor ms a picture")
    rows = [
        (kind.name, f"{workers}", f"{one.rate:.1f}", f"{one.processor_ms:.0f}", *_held(one))
        for kind, row in zip(every, costs, strict=True)
        for workers, one in zip(WORKERS, row, strict=True)
    ]
    return documents.markdown((*head, "MB a worker", "seconds to the first results"), rows)


def _held(one: Cost) -> tuple[str, str]:
    return f"{one.memory_mb:.0f}", f"{one.start_s:.0f}"


def _video(video: video_profile.Cost) -> str:
    width, height = video_profile.SIZE
    return (
        f"Video of {width}x{height} at {video_profile.FPS:.0f} frames a second with one face: "
        f"{video.speed:.2f} times as fast as it plays, {video.memory:.0f} MB."
    )


def paper(every: Sequence[Kind], costs: Sequence[Sequence[Cost]], video: video_profile.Cost) -> str:
    """The time of a million pictures and of a thousand hours of video, by number of machines.

    A machine is the one measured, with as many workers as were measured last. Twice the machines
    are taken to do twice as much: whether what the pictures lie on delivers them as fast, which
    is the last figure of a row, is not in it.
    """
    head = ("what", *(_machines(number) for number in MACHINES), "machine hours", "MB/s to 100")
    rows = [_pictures(kind, row[-1]) for kind, row in zip(every, costs, strict=True)]
    return documents.markdown(head, [*rows, _hours(video)])


def _pictures(kind: Kind, one: Cost) -> tuple[str, ...]:
    times = [one.start_s + MILLION / one.rate / number for number in MACHINES]
    delivered = one.rate * MACHINES[-1] * len(kind.content) / 1e6
    whole = MILLION / one.rate / 3600
    name = f"{MILLION:,} pictures of {kind.name}"
    return (name, *map(_time, times), f"{whole:,.0f}", f"{delivered:,.0f}")


def _hours(video: video_profile.Cost) -> tuple[str, ...]:
    whole = HOURS / video.speed
    times = [3600 * whole / number for number in MACHINES]
    return (f"{HOURS:,} hours of video", *map(_time, times), f"{whole:,.0f}", "")


def _machines(number: int) -> str:
    return "1 machine" if number == 1 else f"{number} machines"


def _time(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
