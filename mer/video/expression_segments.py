"""What a person looks like over time, smoothed for display. Exports keep the raw figures."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from mer.video.types import Person

WINDOW_MS: Final = 400.0  # of the moving mean
GAP_MS: Final = 700.0  # longer without a look at the face is a gap


@dataclass(frozen=True)
class Stretch:
    """A time over which a person looks mostly like one class.

    Attributes:
        start_ms, end_ms: from the first to the last look.
        emotion: one of the person's classes.
        probability: its smoothed probability's mean, 0..1.
        sure: whether most of the answers in it are sure.
    """

    start_ms: float
    end_ms: float
    emotion: str
    probability: float
    sure: bool


def smoothed(person: Person) -> np.ndarray:
    """Probabilities, float64 (m, 7), each the mean of those within WINDOW_MS around it."""
    times = person.sampled_ms
    first = np.searchsorted(times, times - WINDOW_MS / 2)
    last = np.searchsorted(times, times + WINDOW_MS / 2, side="right")
    sums = np.vstack(
        [np.zeros(len(person.classes)), person.probabilities.cumsum(0, dtype=np.float64)]
    )
    means: np.ndarray = (sums[last] - sums[first]) / (last - first)[:, None]
    return means


def stretches(person: Person) -> list[Stretch]:
    """The person's time line: what they mostly look like from when to when, gaps left out."""
    if not len(person.sampled_ms):
        return []
    means, times = smoothed(person), person.sampled_ms
    top = means.argmax(1)
    turns = np.flatnonzero((np.diff(top) != 0) | (np.diff(times) > GAP_MS)) + 1
    bounds = [0, *turns.tolist(), len(times)]
    return [
        Stretch(
            float(times[start]),
            _end(times, end),
            person.classes[top[start]],
            float(means[start:end, top[start]].mean()),
            bool(person.sure[start:end].mean() > 0.5),
        )
        for start, end in pairwise(bounds)
    ]


def _end(times: np.ndarray, end: int) -> float:
    """Where a stretch ends: at the next one's begin, or at its own last look before a gap."""
    follows = end < len(times) and times[end] - times[end - 1] <= GAP_MS
    return float(times[end] if follows else times[end - 1])
