"""The default way of a picture in this tree beside that of another revision, in one run.

Each tree answers in a process of its own. They take turns, picture by picture, so that whatever
else the machine does slows both alike.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import cv2
import numpy as np

from benchmarks.timing import astronaut, machine
from mer.errors import MerError

TARGET: Final = 2.5  # times as fast as version 0.1.0: one upright face in 640 x 480
TREE: Final = Path(__file__).parents[1]
WARM_UP: Final = 5  # runs that are not counted: the first ones load code and reserve memory

# It reads the name of a file with pictures, then a picture's name a line; what it says of each is
# milliseconds and faces: box, roll, expression, probabilities. Both trees know its public names.
_ANSWERS: Final = """
import json, sys, time
import numpy as np, mer
pictures = np.load(sys.stdin.readline().strip())
predictor = mer.get_predictor()
for line in sys.stdin:
    picture = pictures[line.strip()]
    began = time.perf_counter()
    found = predictor.predict(picture)
    spent = 1000 * (time.perf_counter() - began)
    faces = [(f.face.box, f.face.roll, f.emotion, f.probabilities) for f in found]
    print(json.dumps([spent, faces]), flush=True)
"""


class Compared(NamedTuple):
    """One picture: milliseconds of each run before and now, and how far the answers differ."""

    name: str
    before: list[float]
    now: list[float]
    faces: tuple[int, int]  # found before, and now
    same: bool  # whether boxes and expressions are the same
    apart: float  # the largest difference of a probability; NaN where the faces differ

    @property
    def ratio(self) -> float:
        """Times as fast as before, by the medians."""
        return statistics.median(self.before) / statistics.median(self.now)


def report(revision: str, *, runs: int) -> str:
    """Time both trees on each of `pictures`, and return the table as Markdown.

    Raises:
        MerError: git knows no such revision, a tree does not run, or there is no face to show.
    """
    rows = compared(pictures(), revision, runs)
    kept = "kept" if rows[0].ratio >= TARGET and rows[0].same else "MISSED"
    lines = [
        machine(),
        "",
        f"| picture, 640 x 480 | {revision}, ms (fastest) | this tree | times as fast | answers |",
        "| --- | --- | --- | --- | --- |",
        *map(_row, rows),
        "",
        f"Medians of {runs} runs in turn, from the pixels to the answers. Target for one upright "
        f"face: {TARGET:g} times as fast, the same answers: {kept}.",
    ]
    return "\n".join(lines)


def pictures() -> dict[str, np.ndarray]:
    """What is shown, RGB uint8 (480, 640, 3): one upright face first.

    Raises:
        MerError: scikit-image, whose face it is, is not installed.
    """
    face = astronaut()
    head = face[20:220, 120:320]  # (200, 200, 3)
    nine = np.tile(cv2.resize(head, (160, 160), interpolation=cv2.INTER_AREA), (3, 3, 1))
    shown = {
        "one upright face": face,
        "nine upright faces": nine,
        "one face that leans by 90 degrees": np.rot90(face),
        "no face": face[380:, :400],
    }
    return {name: _frame(np.ascontiguousarray(one)) for name, one in shown.items()}


def compared(shown: dict[str, np.ndarray], revision: str, runs: int) -> list[Compared]:
    """Both trees on each picture, in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        np.savez(folder / "pictures.npz", **shown)  # type: ignore[arg-type]
        trees = stack.enter_context(_checked_out(revision, folder / "tree")), TREE
        answering = [stack.enter_context(_started(one, folder / "pictures.npz")) for one in trees]
        return [_one(name, answering, runs) for name in shown]


def _one(name: str, trees: Sequence["subprocess.Popen[str]"], runs: int) -> Compared:
    times: tuple[list[float], list[float]] = [], []
    answers: list[Any] = [None, None]
    for _ in range(WARM_UP + runs):
        for number, tree in enumerate(trees):
            spent, answers[number] = _asked(tree, name)
            times[number].append(spent)
    before, now = (spent[WARM_UP:] for spent in times)
    return Compared(name, before, now, (len(answers[0]), len(answers[1])), *differing(*answers))


def differing(before: Sequence[Any], now: Sequence[Any]) -> tuple[bool, float]:
    """Whether boxes and expressions are the same, and the largest difference of a probability."""
    if [one[::2] for one in before] != [one[::2] for one in now]:
        return False, float("nan")
    pairs = zip(before, now, strict=True)
    apart = [abs(np.subtract(one[3], other[3])).max() for one, other in pairs]
    return True, float(max(apart, default=0.0))


def _row(one: Compared) -> str:
    before, now = (f"{statistics.median(t):.1f} ({min(t):.1f})" for t in (one.before, one.now))
    ratio = f"{one.ratio:.2f} ({min(one.before) / min(one.now):.2f})"
    said = f"the same within {one.apart:.1g}" if one.same else "{} faces, now {}".format(*one.faces)
    return f"| {one.name} | {before} | {now} | {ratio} | {said} |"


def _frame(picture: np.ndarray) -> np.ndarray:
    """A picture in the middle of 640 x 480, as large as fits, its edges repeated."""
    scale = min(640 / picture.shape[1], 480 / picture.shape[0])
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    grown = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    left, top = (640 - size[0]) // 2, (480 - size[1]) // 2
    borders = top, 480 - size[1] - top, left, 640 - size[0] - left
    return cv2.copyMakeBorder(grown, *borders, cv2.BORDER_REPLICATE)


@contextmanager
def _checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """A work tree of a revision."""
    git = ["git", "-C", str(TREE), "worktree"]
    made = subprocess.run(
        [*git, "add", "--detach", str(folder), revision], capture_output=True, text=True
    )
    if made.returncode:
        raise MerError(f"There is no work tree of {revision!r}: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], capture_output=True, check=True)


@contextmanager
def _started(tree: Path, shown: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _ANSWERS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tree, text=True, stdin=pipe, stdout=pipe) as process:
        _of(process.stdin).write(f"{shown}\n")
        try:
            yield process
        finally:
            _of(process.stdin).close()


def _asked(tree: "subprocess.Popen[str]", name: str) -> Any:
    line, answer = _of(tree.stdin), ""
    try:
        line.write(f"{name}\n")
        line.flush()
        answer = _of(tree.stdout).readline()
        return json.loads(answer)
    except (OSError, ValueError) as error:
        raise MerError(f"The tree in {tree.args!r} does not answer: {answer}") from error


def _of(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
