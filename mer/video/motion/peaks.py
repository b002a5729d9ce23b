"""Motions there and back in the signal of one region of a face, at all lengths up to seconds."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

STEP_MS: Final = 10.0  # the signal is brought to one rate, whatever the frames' own
SMOOTH_MS: Final = 30.0  # standard deviation of the low-pass: half is left at 6 Hz
REACHES_MS: Final = (600.0, 1200.0, 2400.0, 4800.0, 10_000.0)  # of a motion's surroundings
WIDER: Final = 1.5  # times as high a motion must be seen in wider surroundings to be taken there
FOOT: Final = 0.2  # of its height: there a motion's flank is taken to begin
TOP: Final = 0.8  # and there to end
BEFORE: Final = 0.6  # of the time from foot to top, by which the motion began before the foot

# Half lengths at which the person's noise is measured, milliseconds.
SCALES_MS: Final = (100.0, 200.0, 400.0, 800.0, 1600.0)
FROM_REST: Final = 0.5  # of its height that a motion leads away from rest

QUIET: Final = 0.3  # the part of the time in which at least nothing but noise is seen
NORMAL: Final = 0.385  # standard deviations within which that part of normal noise lies

PLACE_MS: Final = 5000.0  # of the time by which peaks are sorted

FAINTEST: Final = 0.02  # pixels: no camera's noise is less, but a still picture's

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
class Peak:
    """A region's motion there and back.

    Attributes:
        region, direction: as in Event.
        onset, apex, offset: milliseconds.
        pixels: height above the higher of both feet, pixels of a face of 320.
        strength: the same in multiples of the noise at this length.
        closed: whether its end was seen.
    """

    region: str
    direction: str
    onset: float
    apex: float
    offset: float
    pixels: float
    strength: float
    closed: bool

    @property
    def length(self) -> float:
        """Milliseconds from onset to offset."""
        return self.offset - self.onset

    def overlap(self, other: "Peak") -> float:
        """Milliseconds that both share."""
        return max(0.0, min(self.offset, other.offset) - max(self.onset, other.onset))

    def halves(self, other: "Peak") -> bool:
        """Whether both share half of the shorter one, or more."""
        return self.overlap(other) >= 0.5 * min(self.length, other.length)


class Trace:
    """One region's signal over the stretches in which it was measured without a gap."""

    def __init__(
        self, region: str, parts: list[tuple[np.ndarray, np.ndarray]], least: float
    ) -> None:
        """Resample and smooth.

        Args:
            region: its name.
            parts: of each stretch the times in milliseconds (n,) and the vectors (n, 2), n >= 2.
            least: pixels that a peak must have.
        """
        self.region, self._least = region, least
        self._parts = [(float(times[0]), _even(times, vectors)) for times, vectors in parts]

    def peaks(self, strength: float, longest: float) -> list[Peak]:
        """The peaks so strong, and no longer; of those that overlap the highest."""
        kept = [
            peak for peak in self._found if peak.strength >= strength and peak.length <= longest
        ]
        return distinct(sorted(kept, key=lambda peak: -peak.pixels))

    @functools.cached_property
    def _found(self) -> list[Peak]:
        return [peak for name in DIRECTIONS for peak in self._along(name, self._least)]

    def _along(self, name: str, least: float) -> Iterator[Peak]:
        axis = np.array(DIRECTIONS[name], np.float32)
        lines = [line @ axis for _, line in self._parts]
        noise = _noise(lines)
        for (start, _), line in zip(self._parts, lines, strict=True):
            level = np.maximum(line, -least - 2 * noise[-1])  # motions the other way are no base
            for first, top, last, height, closed in _bumps(level, least):
                scale = np.log(max((last - first) / 2 * STEP_MS, 1.0))
                spread = float(np.interp(scale, np.log(SCALES_MS), noise))
                onset, apex, offset = (start + place * STEP_MS for place in (first, top, last))
                strength = height / spread
                yield Peak(self.region, name, onset, apex, offset, height, strength, closed)


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


def distinct(peaks: Iterable[Peak]) -> list[Peak]:
    """The peaks that share less than half of themselves with one earlier in the list."""
    kept, nearby = list[Peak](), Nearby()
    for peak in peaks:
        if not any(peak.halves(other) for other in nearby.of(peak)):
            kept.append(peak)
            nearby.add(peak)
    return kept


def _even(times_ms: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Float32 (m, 2): the vectors every STEP_MS, low-passed."""
    from scipy import ndimage  # scipy is slow to import

    grid = np.arange(times_ms[0], times_ms[-1] + STEP_MS / 2, STEP_MS)
    even = np.column_stack([np.interp(grid, times_ms, axis) for axis in vectors.T])
    smooth = ndimage.gaussian_filter1d(even, SMOOTH_MS / STEP_MS, axis=0, mode="nearest")
    return smooth.astype(np.float32)


def _noise(lines: list[np.ndarray]) -> list[float]:
    """For each of SCALES_MS, how far a point stands above the middle of those so far from it.

    A robust standard deviation, from the quieter part of the time, so that the motions looked for
    do not count as noise. Lines too short to tell have the noise of the scale before.
    """
    noise = [FAINTEST]
    for scale in SCALES_MS:
        reach = round(scale / STEP_MS)
        bends = [
            np.abs(line[reach:-reach] - (line[: -2 * reach] + line[2 * reach :]) / 2)
            for line in lines
            if len(line) > 3 * reach
        ]
        spread = np.quantile(np.concatenate(bends), QUIET) / NORMAL if bends else noise[-1]
        noise.append(max(FAINTEST, float(spread)))
    return noise[1:]


def _bumps(line: np.ndarray, least: float) -> Iterator[tuple[float, float, float, float, bool]]:
    """Onset, apex and offset of each bump, as places in the line, its height, and if it ended."""
    low = float(line.min()) - 0.01  # so that a motion may end with the stretch
    padded = np.concatenate([[low], line, [low]])
    for top, height in _tops(padded, least).items():
        if padded[top] < FROM_REST * height:
            continue  # the pause between two motions the other way
        foot, edge = padded[top] - (1 - FOOT) * height, padded[top] - (1 - TOP) * height
        begin = top - 1 - _flank(padded[top::-1], foot, edge)
        end = top - 1 + _flank(padded[top:], foot, edge)
        if begin >= 0:  # else it is what the face did when it came into view, and counts as rest
            closed = end < len(line) - 1
            yield begin, float(top - 1), min(end, len(line) - 1.0), height, closed


def _tops(line: np.ndarray, least: float) -> dict[int, float]:
    """The places of tops, and their height above their surroundings.

    Wider surroundings are taken only where the bump is much higher for them: else what is gained
    is the slope or the next motion beside it.
    """
    from scipy import signal

    heights: dict[int, float] = {}
    for reach in REACHES_MS:
        wide = round(reach / STEP_MS) | 1
        level = (None, wide // 2 - 1)  # a plateau that fills the surroundings has no height
        tops, found = signal.find_peaks(line, plateau_size=level, prominence=least, wlen=wide)
        for top, height in zip(tops.tolist(), found["prominences"].tolist(), strict=True):
            if height > WIDER * heights.get(top, 0.0):
                heights[top] = height
    return heights


def _flank(values: np.ndarray, foot: float, edge: float) -> float:
    """How far from its top, where `values` begin, a bump ends: below its foot, at its slope."""
    below = int(np.argmax(values <= foot))
    down = int(np.argmax(values <= edge))
    return below + BEFORE * (below - down)
