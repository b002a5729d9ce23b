"""How time and memory grow with faces, pixels and the batch."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from mer.inference import speed
from mer.inference.predictor import Predictor
from mer.weights import provenance

FACES: Final = (1, 2, 5, 10, 20, 50)
MEGAPIXELS: Final = (0.3, 1.0, 3.0, 8.0, 20.0)
BATCHES: Final = (1, 4, 16, 64, 256)
RUNS: Final = 5


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        value: faces, megapixels or crops.
        found: faces found.
        milliseconds: the middle of RUNS.
        spread: the fastest and the slowest.
        memory: the most that this process has held so far, in megabytes.
    """

    value: float
    found: int
    milliseconds: float
    spread: tuple[float, float]
    memory: float


def by_faces(predictor: Predictor, face: np.ndarray) -> list[Point]:
    """The whole way through a picture of 1600x1200 with more and more faces."""
    return [_seen(predictor, crowd(face, count, (1600, 1200)), count) for count in FACES]


def by_pixels(predictor: Predictor, face: np.ndarray) -> list[Point]:
    """The whole way through larger and larger pictures of one face."""
    sizes = [(round((p * 4e6 / 3) ** 0.5), round((p * 3e6 / 4) ** 0.5)) for p in MEGAPIXELS]
    return [
        _seen(predictor, crowd(face, 1, size), value)
        for value, size in zip(MEGAPIXELS, sizes, strict=True)
    ]


def by_batch(predictor: Predictor) -> list[Point]:
    """The network alone, with more and more crops at once."""
    crops = list(np.random.default_rng(0).integers(0, 256, (max(BATCHES), 112, 112, 3), np.uint8))
    return [
        _point(count, partial(lambda n: len(predictor.classify(crops[:n])), count))
        for count in BATCHES
    ]


def crowd(face: np.ndarray, count: int, size: tuple[int, int]) -> np.ndarray:
    """A picture of this width and height with so many copies of a face, RGB uint8.

    Args:
        face: RGB uint8 (height, width, 3), a picture with one face.
        count: of copies.
        size: width and height.
    """
    columns = int(np.ceil(np.sqrt(count * size[0] / size[1])))
    rows = int(np.ceil(count / columns))
    side = min(size[0] // columns, size[1] // rows)
    method = cv2.INTER_AREA if side < len(face) else cv2.INTER_CUBIC
    small = cv2.resize(face[:320, 60:380], (side, side), interpolation=method)
    picture = np.full((size[1], size[0], 3), 128, np.uint8)
    for number in range(count):
        top, left = number // columns * side, number % columns * side
        picture[top : top + side, left : left + side] = small
    return picture


def _seen(predictor: Predictor, picture: np.ndarray, value: float) -> Point:
    return _point(value, lambda: len(predictor.predict(picture)))


def _point(value: float, work: Callable[[], int]) -> Point:
    found, times = work(), speed.milliseconds(work, RUNS, warm_up=0)
    spread = min(times), max(times)
    return Point(value, found, statistics.median(times), spread, provenance.peak_memory())


def listed(points: Sequence[Point], name: str) -> list[str]:
    """The rows of a table in Markdown, for points by `name`."""
    rows = [f"| {name} | found | ms | fastest to slowest | most memory so far, MB |"]
    rows.append("|---|---|---|---|---|")
    for one in points:
        low, high = one.spread
        rows.append(
            f"| {one.value:g} | {one.found} | {one.milliseconds:.1f} | {low:.1f} to {high:.1f} "
            f"| {one.memory:.0f} |"
        )
    return rows
