"""The time that a network takes for one face on this machine."""

import statistics
import timeit
from collections.abc import Callable
from typing import Final

import numpy as np

from mer.inference.predictor import get_predictor

WARM_UP: Final = 3  # Runs that are not counted: the first ones load code and reserve memory.


def milliseconds(work: Callable[[], object], runs: int, warm_up: int = WARM_UP) -> list[float]:
    """Return the time of each run, after `warm_up` runs that are not counted."""
    return [1000 * one for one in timeit.repeat(work, number=1, repeat=warm_up + runs)[warm_up:]]


def face_milliseconds(model: str) -> float:
    """Return the median milliseconds of network `model` for one face of 112x112 pixels."""
    predictor = get_predictor(model)
    crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    return statistics.median(milliseconds(lambda: predictor.classify([crop]), 30))
