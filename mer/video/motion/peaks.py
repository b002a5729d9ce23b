"""Motions of one region of a face: where each begins, is farthest from where it began, and ends."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from mer.video.types import MACRO_MS, REGIONS

STEP_MS: Final = 10.0  # the signal is brought to one rate, whatever the frames' own
PLACE_MS: Final = 5000.0  # of the time by which peaks are sorted

DIRECTIONS: Final = {
    "right": (1.0, 0.0),
    "down and right": (0.707, 0.707),
    "down": (0.0, 1.0),
    "down and left": (-0.707, 0.707),
    "left": (-1.0, 0.0),
    "up and left": (-0.707, -0.707),
    "up": (0.0, -1.0),
    "up and right": (0.707, -0.707),
}


@dataclass(frozen=True)
class Limits:
    """What a motion must be to count; measured on real clips, see docs/lab/video.md."""

    smooth_ms: float = 40.0  # standard deviation of the low-pass; half is left at 4.7 Hz
    # Noise is how far a point stands off the middle of those so far before and after it: at a
    # longer time motions themselves would be taken for it.
    noise_ms: float = 100.0
    faintest: float = 0.036  # pixels; no person's noise counts as less
    even: float = 1.5  # multiples of the median region's noise that a region's own may be at most
    strength: float = 7.0  # multiples of the noise that a motion must have
    # Power of the rise's length, in noise_ms, by which the noise grows: faces drift.
    growth: float = 0.4
    open: float = 1.5  # times as strong a motion must be whose end is not seen
    returned: float = 0.25  # part of its height by which it must go back, for its end to be seen
    foot: float = 0.15  # part of its height at which a motion begins, and ends
    # Where a motion gains less than this part of its height in this time, the face was at rest
    # before it, or is after it.
    rest_ms: float = 300.0
    rest: float = 0.1
    turned: float = 0.5  # part of its height by which the signal turns back before the next motion
    # Part of all that the signal goes down within reach that a motion's own height is at least:
    # less is a ripple on it.
    whole: float = 0.25
    back: float = 1.5  # times its height up to which the way back from it is no motion of its own


LIMITS: Final = Limits()


@dataclass(frozen=True)
class Peak:
    """A region's motion away and, where that is seen, back."""

    region: str  # as in Event
    direction: str
    # Milliseconds.
    onset: float
    apex: float
    offset: float
    pixels: float  # how far it goes from its onset to its apex, pixels of a face of 320
    strength: float  # the same in multiples of the noise over the time that it takes to
    closed: bool  # whether its end was seen

    @property
    def length(self) -> float:
        """Milliseconds from onset to offset."""
        return self.offset - self.onset

    @property
    def surety(self) -> float:
        """Strength over what it has to be, at least 1."""
        return self.strength / LIMITS.strength / (1.0 if self.closed else LIMITS.open)

    def overlap(self, other: "Peak") -> float:
        """Milliseconds that both share."""
        return max(0.0, min(self.offset, other.offset) - max(self.onset, other.onset))

    def shares(self, other: "Peak", part: float = 0.5) -> bool:
        """Whether both share so much of the shorter one, or more."""
        return self.overlap(other) >= part * min(self.length, other.length)


class Nearby:
    """Peaks by their time: of an hour's thousands, those few that another one may overlap."""

    def __init__(self, peaks: Iterable[Peak] = ()) -> None:
        self._peaks = defaultdict[int, list[Peak]](list)
        for peak in peaks:
            self.add(peak)

    def add(self, peak: Peak) -> None:
        """Take in one more."""
        for place in self._places(peak):
            self._peaks[place].append(peak)

    def of(self, peak: Peak) -> Iterator[Peak]:
        """Those that may overlap a peak; some come twice."""
        return (one for place in self._places(peak) for one in self._peaks.get(place, ()))

    def _places(self, peak: Peak) -> range:
        return range(int(peak.onset // PLACE_MS), int(peak.offset // PLACE_MS) + 1)


def suppressed(peaks: Iterable[Peak], hides: Callable[[Peak, Peak], bool]) -> list[Peak]:
    """Those of the peaks, in their order, that none that was kept before them hides."""
    kept, nearby = list[Peak](), Nearby()
    for peak in peaks:
        if not any(hides(one, peak) for one in nearby.of(peak)):
            kept.append(peak)
            nearby.add(peak)
    return kept


def resampled(times_ms: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Float32 (m, regions, 2): vectors (n, regions, 2) every STEP_MS, low-passed."""
    from scipy import ndimage  # scipy is slow to import

    grid = np.arange(times_ms[0], times_ms[-1] + STEP_MS / 2, STEP_MS)
    columns = vectors.reshape(len(vectors), -1).T
    even = np.column_stack([np.interp(grid, times_ms, column) for column in columns])
    smooth = ndimage.gaussian_filter1d(even, LIMITS.smooth_ms / STEP_MS, axis=0, mode="nearest")
    return smooth.reshape(len(grid), -1, 2).astype(np.float32)


def noise(signals: Iterable[np.ndarray]) -> np.ndarray:
    """Each region's noise in `resampled` signals, pixels (regions,): a robust standard deviation.

    From the quieter time, and never much above that of the whole face: what is more is motion.
    """
    reach = round(LIMITS.noise_ms / STEP_MS)
    bends = [
        np.linalg.norm(one[reach:-reach] - (one[: -2 * reach] + one[2 * reach :]) / 2, axis=2)
        for one in signals
        if len(one) > 3 * reach
    ]
    if not bends:
        return np.full(len(REGIONS), LIMITS.faintest)
    # Three tenths of a Rayleigh distribution lie below .845 of its scale.
    own = np.quantile(np.concatenate(bends), 0.3, axis=0) / 0.845
    return np.asarray(np.minimum(own, LIMITS.even * np.median(own)).clip(LIMITS.faintest))


def tops(line: np.ndarray, least: float, within_ms: float) -> list[tuple[int, float]]:
    """Where a line is higher than within so many ms around, and by how much, at least `least`."""
    from scipy import signal

    wide = 2 * round(within_ms / STEP_MS) + 1
    level = (None, wide // 2 - 1)  # a plateau that fills its surroundings has no height
    found, shape = signal.find_peaks(line, plateau_size=level, prominence=least, wlen=wide)
    return list(zip(found.tolist(), shape["prominences"].tolist(), strict=True))


def peaks(start_ms: float, line: np.ndarray, region: str, spread: float) -> list[Peak]:
    """A region's motions by onset, in whatever direction each goes; many of them overlap.

    The line, float (m, 2), is its part of a `resampled` signal from `start_ms` on, `spread` its
    noise in pixels.
    """
    found = [
        peak
        for name, axis in DIRECTIONS.items()
        for peak in _along(start_ms, line @ np.array(axis, np.float32), region, name, spread)
    ]
    return suppressed(sorted(found, key=lambda peak: (peak.onset, -peak.pixels)), _leads_back)


def _along(
    start_ms: float, line: np.ndarray, region: str, name: str, spread: float
) -> Iterator[Peak]:
    padded = np.pad(line, 1, constant_values=line.min() - 1)  # it may be highest at its ends, too
    for place, _ in tops(padded, 2 * spread, MACRO_MS):
        top = place - 1
        (rise, up, _), (fall, down, seen) = _down(line[top::-1], spread), _down(line[top:], spread)
        closed = fall >= max(LIMITS.returned * rise, 3 * spread)
        rising = max(up * STEP_MS / LIMITS.noise_ms, 1.0)
        strength = rise / (spread * rising**LIMITS.growth)
        places = top - up, top, top + (down if closed else seen)
        onset, apex, offset = (start_ms + STEP_MS * one for one in places)
        peak = Peak(region, name, onset, apex, offset, rise, strength, closed)
        if peak.surety >= 1:
            yield peak


def _down(values: np.ndarray, spread: float) -> tuple[float, int, int]:
    """How far a line goes down from its first value, a top, until it comes to rest or turns.

    Then in how many steps, and how many steps were looked at.
    """
    values = values[: round(MACRO_MS / STEP_MS) + 1]
    higher = np.flatnonzero(values > values[0] + spread / 2)
    values = values[: higher[0]] if len(higher) else values
    lowest = np.minimum.accumulate(values)
    gone, reach = values[0] - lowest, round(LIMITS.rest_ms / STEP_MS)
    enough = gone >= max(2 * spread, LIMITS.whole * float(gone[-1]))
    turned = np.flatnonzero(enough & (values - lowest > LIMITS.turned * gone))
    gained = lowest[:-reach] - lowest[reach:]
    rests = np.flatnonzero(enough[reach:] & (gained < LIMITS.rest * gone[reach:])) + reach
    stop = min([*turned[:1].tolist(), *rests[:1].tolist(), len(values) - 1])
    height = float(gone[stop])
    return height, int(np.argmax(gone >= (1 - LIMITS.foot) * height)), len(values) - 1


def _leads_back(peak: Peak, later: Peak) -> bool:
    """Whether a later motion is no more than the way back from one."""
    opposite = np.dot(DIRECTIONS[peak.direction], DIRECTIONS[later.direction]) < -0.3
    within = peak.onset < later.onset < peak.offset + LIMITS.smooth_ms
    return bool(opposite and within and later.pixels <= LIMITS.back * peak.pixels)
