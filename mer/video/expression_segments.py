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
    """A time over which a person looks mostly like one class."""

    # From the first to the last look.
    start_ms: float
    end_ms: float
    emotion: str  # one of the person's classes
    probability: float  # its smoothed probability's mean, 0..1
    sure: bool  # whether most of the answers in it are sure


def smoothed(person: Person) -> np.ndarray:
    """Probabilities, float64 (m, 7), each the mean of those within WINDOW_MS around it."""
    times = person.sampled_ms
    first = np.searchsorted(times, times - WINDOW_MS / 2)
    last = np.searchsorted(times, times + WINDOW_MS / 2, side="right")
    sums = np.pad(person.probabilities.cumsum(0, dtype=np.float64), ((1, 0), (0, 0)))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None])


def looks_at(person: Person, times_ms: np.ndarray) -> list[int]:
    """Index of the likeliest class at each time, (n,), as last seen; -1 where none is known.

    Where the face is covered, it is that of no class, the one after the last.
    """
    best = np.append(smoothed(person).argmax(axis=1), -1)  # -1 is also the place before the first
    known = best[last_answer(person, times_ms)]
    return [int(one) for one in np.where(person.hidden(times_ms), len(person.classes), known)]


def sure_at(person: Person, times_ms: np.ndarray) -> list[int]:
    """1 where what was last seen is sure, else 0; (n,)."""
    sure = np.append(person.sure, False)[last_answer(person, times_ms)]
    return [int(one) for one in sure]


def last_answer(person: Person, times_ms: np.ndarray) -> np.ndarray:
    """Row of the last answer at each time, (n,); -1 before the first."""
    return np.searchsorted(person.sampled_ms, times_ms, side="right") - 1


def stretches(person: Person) -> list[Stretch]:
    """The person's time line: what they mostly look like from when to when, gaps left out."""
    means, times = smoothed(person), person.sampled_ms
    top, gaps = means.argmax(1), np.diff(times) > GAP_MS
    turns = np.flatnonzero((np.diff(top) != 0) | gaps) + 1
    found = []
    for start, end in pairwise([0, *turns.tolist(), len(times)] if len(times) else ()):
        # It ends where the next one begins, or at its own last look before a gap.
        last = end - 1 if end == len(times) or gaps[end - 1] else end
        share = float(means[start:end, top[start]].mean())
        sure = bool(person.sure[start:end].mean() > 0.5)
        span = float(times[start]), float(times[last])
        found.append(Stretch(*span, person.classes[top[start]], share, sure))
    return found
