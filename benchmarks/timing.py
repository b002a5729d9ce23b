"""How long each stage takes from a picture to boxed faces, on this machine."""

import io
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np
from PIL import Image

from mer.errors import MerError
from mer.faces import detection
from mer.inference import speed
from mer.inference.predictor import Prediction, Predictor, get_predictor
from mer.io import images, picture_formats
from mer.models.registry import DEFAULT_MODEL
from mer.results import drawing
from mer.weights import onnx_session, provenance

STAGES: Final = ("read", "detect", "crop", "classify", "draw")
SHIELD: Final = 3.0  # ms that decoding in a worker may add
MEMORY: Final = 1200  # MB that the process may take at its peak

Source = bytes | np.ndarray
Result = TypeVar("Result")


@dataclass(frozen=True)
class Case:
    """An input as the app gets it, and the milliseconds that all stages may take together."""

    name: str
    source: Source
    target: float


def kept(held: bool) -> str:
    """Whether a target was reached, in a word."""
    return "kept" if held else "MISSED"


class Stopwatch:
    """Times of the stages of one run, in milliseconds."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    def __call__(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do the work of a stage and note its time."""
        began = time.perf_counter()
        result = work()
        self.milliseconds[stage] = 1000 * (time.perf_counter() - began)
        return result


def report(model: str = DEFAULT_MODEL, *, picture: Path | None = None, repeats: int = 20) -> str:
    """Time a 12-megapixel photograph and a webcam frame, and return the tables as text.

    The face is `picture`'s, or the astronaut of scikit-image. Medians over `repeats` runs.

    Raises:
        MerError: there is no picture to use, or no face in it.
    """
    predictor = get_predictor(model)
    face = images.read(picture) if picture else astronaut()
    tables = [_table(case, run(case.source, predictor, repeats=repeats)) for case in cases(face)]
    tables += [
        _shield(one.name, worker_cost(one.source, repeats))
        for one in cases(face)
        if isinstance(one.source, bytes)
    ]
    memory = f"peak memory {provenance.peak_memory():.0f} MB (target {MEMORY} MB)"
    return "\n\n".join([machine(), f"network {model}", *tables, memory])


def worker_cost(source: bytes, repeats: int) -> float:
    """Milliseconds that decoding by a worker takes more than decoding in this process would.

    The difference of the fastest of so many runs by turns: whatever else runs only adds to them.
    """
    cv2.setNumThreads(1)  # as in a worker
    by_worker, here = [], []
    with tempfile.NamedTemporaryFile() as file:
        file.write(source)
        file.flush()
        for _ in range(repeats):
            by_worker += speed.milliseconds(lambda: images.read(file.name), 1, 1)
            here += speed.milliseconds(lambda: _decoded(file.name), 1, 1)
    return min(by_worker) - min(here)


def _decoded(path: str) -> np.ndarray:
    with Path(path).open("rb") as file:
        return picture_formats.decoded_here(file, "It")


def cases(face: np.ndarray) -> list[Case]:
    """Return the two inputs that have a target: a photograph, and a frame of a webcam."""
    content = io.BytesIO()
    Image.fromarray(_frame(face, 4000, 3000)).save(content, "jpeg", quality=95)
    size = f"{len(content.getvalue()) / 1e6:.1f} MB"
    return [
        Case(f"photograph, 4000x3000 JPEG of {size}", content.getvalue(), target=400),
        Case("webcam frame, 640x480", _frame(face, 640, 480), target=60),
    ]


def run(source: Source, predictor: Predictor, *, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each stage and of them all ("total"), one value a run.

    Raises:
        MerError: no face is found in the picture.
    """
    runs = [_once(source, predictor) for _ in range(speed.WARM_UP + repeats)][speed.WARM_UP :]
    times = {stage: [one[stage] for one in runs] for stage in STAGES}
    return times | {"total": [sum(one.values()) for one in runs]}


def machine() -> str:
    """Return processor, threads, cores and versions in one line."""
    versions = provenance.versions() | {"opencv": cv2.__version__}
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{provenance.machine()}, {onnx_session.cores()} cores; {named}"


def astronaut() -> np.ndarray:
    """Return the face to measure with where none is named: RGB uint8 (512, 512, 3).

    Raises:
        MerError: scikit-image, which carries it, is not installed.
    """
    try:
        import skimage.data
    except ImportError as error:
        raise MerError(
            "There is no face to measure with. Name a picture of one with --picture, "
            "or install scikit-image."
        ) from error
    picture: np.ndarray = skimage.data.astronaut()
    return picture


def _once(source: Source, predictor: Predictor) -> dict[str, float]:
    clock = Stopwatch()
    image = clock("read", lambda: images.read(source))
    found = clock("detect", lambda: detection.detect(image, predictor.detector))
    if not found:
        raise MerError("No face was found in the picture to measure with. Name another --picture.")
    crops = clock("crop", lambda: [detection.crop(image, face) for face in found])
    rows = clock("classify", lambda: predictor.classify(crops).tolist())
    predictions = [Prediction(face, tuple(row)) for face, row in zip(found, rows, strict=True)]
    clock("draw", lambda: drawing.annotate(image, predictions))
    return clock.milliseconds


def _table(case: Case, times: dict[str, list[float]]) -> str:
    rows = [f"{case.name}", f"{'stage':10}{'median ms':>10}{'fastest':>10}{'slowest':>10}"]
    rows += [_row(stage, milliseconds) for stage, milliseconds in times.items()]
    kept = statistics.median(times["total"]) <= case.target
    return "\n".join(rows) + f"  target {case.target:.0f}: {'kept' if kept else 'MISSED'}"


def _row(stage: str, milliseconds: Sequence[float]) -> str:
    middle = statistics.median(milliseconds)
    return f"{stage:10}{middle:10.1f}{min(milliseconds):10.1f}{max(milliseconds):10.1f}"


def _shield(name: str, cost: float) -> str:
    return (
        f"a worker adds to {name}: {cost:+.1f} ms (target {SHIELD:.0f} ms: {kept(cost <= SHIELD)})"
    )


def _frame(face: np.ndarray, width: int, height: int) -> np.ndarray:
    """`face` in a frame of width x height: as large as fits, its edges continued, some noise.

    The noise, of a few gray levels as in a camera's picture, makes the JPEG as slow to decode.
    """
    scale = min(width / face.shape[1], height / face.shape[0])
    size = round(face.shape[1] * scale), round(face.shape[0] * scale)
    grown = cv2.resize(face, size, interpolation=cv2.INTER_CUBIC)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    right, bottom = width - size[0] - left, height - size[1] - top
    frame = cv2.copyMakeBorder(grown, top, bottom, left, right, cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(0).integers(-7, 8, (height, width, 3), dtype=np.int8)
    # OpenCV adds without a copy in floats, which would be the peak of the memory reported.
    return np.asarray(cv2.add(frame, noise, dtype=cv2.CV_8U))
