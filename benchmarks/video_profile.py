"""Where the time of an analysis goes, by stage, length and number of faces, and its memory."""

import math
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import spotting as benchmark
from benchmarks import timing
from benchmarks.synthetic import clips, timeline
from mer.faces import detection, measures
from mer.faces.quality import Cover
from mer.inference.predictor import Predictor
from mer.io.video import Frame, Video, write_clip
from mer.models.registry import DEFAULT_MODEL
from mer.video import event_clips, spotting
from mer.video.analysis import analyse
from mer.video.motion.region_signals import Motion
from mer.video.tracking.tracker import Tracker
from mer.weights import provenance

SIZE: Final = (640, 480)
FPS: Final = 30.0
TARGET: Final = 3.0  # times as fast as the video plays, with one face and everything on
PIXELS: Final = 3.0  # of the expressions in the clips

# What each stage calls, and where the name stands by which it is called.
STAGES: Final[dict[str, tuple[Any, str]]] = {
    "detect": (detection, "detect"),
    "track": (Tracker, "follow"),
    "flow": (Motion, "push"),
    "classify": (Predictor, "classify"),
    "cover": (Cover, "scores"),
    "measure": (measures, "measure"),
    "spot": (spotting, "spot"),
    "look again": (event_clips, "recognised"),
}


@dataclass(frozen=True)
class Cost:
    """What an analysis took.

    Attributes:
        frames: read.
        wall, processor: seconds.
        stages: seconds of each.
        memory: megabytes that this process has held at most, up to the analysis's end.
    """

    frames: int
    wall: float
    processor: float
    stages: dict[str, float]
    memory: float

    @property
    def together(self) -> float:
        """Seconds of all stages."""
        return sum(self.stages.values())

    @property
    def speed(self) -> float:
        """How many times as fast as the video plays."""
        return self.frames / FPS / self.wall


def report(
    model: str = DEFAULT_MODEL,
    *,
    picture: Path | None = None,
    seconds: Sequence[float] = (10, 20, 40),
    crowds: Sequence[int] = (1, 2, 4),
) -> str:
    """Analyse and measure made clips of 640x480 at 30 frames a second; the tables as text.

    Args:
        model: the network.
        picture: a picture or a video with a face to make the clips of; the astronaut of
            scikit-image unless given.
        seconds: lengths of clips with one face.
        crowds: numbers of faces, in clips of the first length.

    Raises:
        MerError: there is no picture to use, or no face in it.
    """
    face = benchmark.still(picture) if picture else timing.astronaut()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.webm"
        measure(path, face, 1, 1.0, model)  # not counted: it loads code and reserves memory
        lengths = [measure(path, face, 1, length, model) for length in seconds]
        counts = [measure(path, face, count, seconds[0], model) for count in crowds]
    one = lengths[-1]
    return "\n\n".join(
        [
            timing.machine(),
            f"video of {SIZE[0]}x{SIZE[1]}, {FPS:.0f} frames a second, network {model}",
            _shares(one),
            _table("seconds", seconds, lengths),
            _table("faces", crowds, counts),
        ]
    )


def measure(path: Path, face: np.ndarray, count: int, seconds: float, model: str) -> Cost:
    """Make a clip with so many faces at `path`, analyse it, and say what that took."""
    columns = math.ceil(math.sqrt(count))
    cell = SIZE[0] // columns, SIZE[1] // math.ceil(count / columns)
    events = timeline.plan(seconds, PIXELS)
    clip = clips.Clip(face, fps=FPS, seconds=seconds, events=events, size=cell)
    write_clip(path, (_tiled(frame, count, columns) for frame in clip), FPS)
    began = time.perf_counter()
    for _ in Video(path):
        pass
    spent = {"read": time.perf_counter() - began}
    used, began = time.process_time(), time.perf_counter()
    with _timed(spent):
        analyse(path, model=model, measure=True)
    wall, processor = time.perf_counter() - began, time.process_time() - used
    return Cost(len(clip), wall, processor, spent, provenance.peak_memory())


def _tiled(frame: Frame, count: int, columns: int) -> Frame:
    """The frame so many times side by side, in one of SIZE."""
    height, width = frame.image.shape[:2]
    canvas = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    for index in range(count):
        top, left = index // columns * height, index % columns * width
        canvas[top : top + height, left : left + width] = frame.image
    return replace(frame, image=canvas)


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    """Add to `spent` the seconds of each stage, without those of stages that it calls itself."""
    inner = threading.local()  # seconds of the stages within the one that runs

    def timed(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        spent[stage] = 0.0

        def run(*arguments: Any, **options: Any) -> Any:
            began, outer = time.perf_counter(), getattr(inner, "spent", 0.0)
            inner.spent = 0.0
            try:
                return work(*arguments, **options)
            finally:
                whole = time.perf_counter() - began
                spent[stage] += whole - inner.spent
                inner.spent = outer + whole

        return run

    former = {stage: getattr(*place) for stage, place in STAGES.items()}
    for stage, (owner, name) in STAGES.items():
        setattr(owner, name, timed(stage, former[stage]))
    try:
        yield
    finally:
        for stage, (owner, name) in STAGES.items():
            setattr(owner, name, former[stage])


def _shares(cost: Cost) -> str:
    """The stages' table; they run in two threads, so together they take longer than the whole."""
    rows = [f"{'stage':12}{'ms a frame':>12}{'share':>8}"]
    for name, spent in cost.stages.items():
        rows.append(f"{name:12}{1000 * spent / cost.frames:12.2f}{spent / cost.together:8.0%}")
    kept = "kept" if cost.speed >= TARGET else "MISSED"
    together = f"{'together':12}{1000 * cost.together / cost.frames:12.2f}{1:8.0%}"
    total = f"{'two threads':12}{1000 * cost.wall / cost.frames:12.2f}"
    speed = f"{cost.speed:.2f} times as fast as it plays, target {TARGET}: {kept}"
    return "\n".join([*rows, together, total, speed])


def _table(name: str, values: Sequence[float], costs: Sequence[Cost]) -> str:
    """The costs by length or number of faces; memory is the most so far, so it shows growth."""
    rows = [f"{name:>8}{'ms a frame':>12}{'processor':>12}{'times play':>12}{'memory MB':>12}"]
    for value, cost in zip(values, costs, strict=True):
        wall, processor = (1000 * spent / cost.frames for spent in (cost.wall, cost.processor))
        figures = (wall, processor, cost.speed)
        shown = "".join(f"{figure:12.2f}" for figure in figures)
        rows.append(f"{value:8g}{shown}{cost.memory:12.0f}")
    return "\n".join(rows)
