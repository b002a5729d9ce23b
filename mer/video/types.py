"""What a video's analysis holds: frames' times, people, events. Numbers only, no pictures."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from mer.emotions import EMOTIONS
from mer.faces.measures import MEASURES

MICRO_MS: Final = 500.0  # a micro-expression lasts no longer
MACRO_MS: Final = 4000.0  # nor a macro-expression
LEAST_FPS: Final = 25.0  # below this no event is called micro
GAP_MS: Final = 3000.0 / LEAST_FPS  # nor across so long without a frame

# Kinds of event: the expressions "micro" and "macro"; "blink" and "speech" are kept apart.
KINDS: Final = ("micro", "macro", "blink", "speech")

# Regions of the face, the person's own left and right (right is on the picture's left).
REGIONS: Final = (
    "right brow",
    "between brows",
    "left brow",
    "right eye",
    "left eye",
    "nose",
    "right mouth corner",
    "lips",
    "left mouth corner",
)
# Regions that move as one part in most expressions.
PARTS: Final = {
    "brows": ("right brow", "between brows", "left brow"),
    "mouth": ("right mouth corner", "lips", "left mouth corner"),
}
MOTIONS: Final = ("negative", "positive", "surprise")  # the classes of recognition from motion


@dataclass(frozen=True)
class Timing:
    """How a video's frames lie in time, from their own stamps.

    Attributes:
        frames: number of frames read.
        duration_ms: from the first frame to the last.
        fps: frames a second, 1000 over the usual distance of frames; 0 with fewer than two. The
            usual distance is the mean of those within a half of the median.
        unevenness: the distances' 95th percentile less their 5th, as a part of their median.
        gap_ms: the longest time without a frame, where that is a gap, else 0. A gap is longer than
            GAP_MS and 2.5 times the usual distance.
        unseen_ms: how long all gaps last together.
    """

    frames: int
    duration_ms: float
    fps: float
    unevenness: float
    gap_ms: float = 0.0
    unseen_ms: float = 0.0

    @classmethod
    def of(cls, times_ms: np.ndarray) -> Self:
        """How frames at these times, float (n,), rising, lie in time."""
        if len(times_ms) < 2:
            return cls(len(times_ms), 0.0, 0.0, 0.0)
        steps = np.diff(times_ms)
        low, middle, high = np.quantile(steps, (0.05, 0.5, 0.95), method="inverted_cdf")
        # A mean, since stamps may be whole milliseconds; of the usual ones, since frames may lack.
        usual = steps[np.abs(steps / middle - 1) < 0.5].mean()
        length_ms = float(times_ms[-1] - times_ms[0])
        rate, unevenness = float(1000 / usual), float((high - low) / middle)
        gaps = steps[steps > max(GAP_MS, 2.5 * usual)]
        longest, unseen = float(gaps.max(initial=0.0)), float(gaps.sum())
        return cls(len(times_ms), length_ms, rate, unevenness, longest, unseen)

    @property
    def micro(self) -> bool:
        """Whether the frame rate allows a micro-expression to be claimed."""
        return self.fps >= LEAST_FPS * 0.98  # stamps are whole milliseconds in some files


@dataclass(frozen=True)
class Person:
    """One face followed through a video.

    Attributes:
        number: from 1, in the order of first appearance.
        times_ms: float64 (n,), of the frames that show the face.
        boxes: int32 (n, 4), x, y, width, height in the frame's own pixels.
        points: float32 (n, 5, 2), as `Face.points`; NaN where the detector has none.
        sampled_ms: float64 (m,), of the frames that the network looked at.
        probabilities: float32 (m, len(classes)); raw, not smoothed.
        sure: bool (m,), whether that is sure, see `mer.inference.probabilities`.
        concerns: m times what speaks against judging the face then, see `Prediction.concerns`.
        motion: float32 (n, len(REGIONS)), pixels of a 320-pixel face each region has moved from
            rest, its head's motion taken out; NaN where it could not be measured.
        covered: float64 (k, 2), first and last time of each stretch in which a hand or something
            else covers the face: there are neither probabilities nor motion, nor events.
        classes: what the network tells apart, in the order of the probabilities.
        measures: float32 (m, len(MEASURES)), see `mer.faces.measures`, of the frames that the
            network looked at; NaN where no points were found; (0, ...) where nothing was measured.
    """

    number: int
    times_ms: np.ndarray
    boxes: np.ndarray
    points: np.ndarray
    sampled_ms: np.ndarray
    probabilities: np.ndarray
    sure: np.ndarray
    concerns: tuple[tuple[str, ...], ...]
    motion: np.ndarray
    covered: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    classes: tuple[str, ...] = EMOTIONS
    measures: np.ndarray = field(default_factory=lambda: np.empty((0, len(MEASURES)), np.float32))

    def hidden(self, times_ms: np.ndarray) -> NDArray[np.bool_]:
        """At which of these times the face is covered, bool (m,)."""
        first, last = self.covered.T[..., None]
        inside: NDArray[np.bool_] = ((times_ms >= first) & (times_ms <= last)).any(axis=0)
        return inside


@dataclass(frozen=True)
class Event:
    """Something that passed over a face.

    Attributes:
        person: the person's number.
        kind: one of KINDS.
        onset_ms, apex_ms, offset_ms: begin, strongest moment and end.
        region: the one of REGIONS that moved most, for its own noise.
        direction: where it moved, in words: "up", "down", "left", "right", "up and left", ...
            (the picture's own directions).
        pixels: how far the region moved from onset to apex, in pixels of a 320-pixel face.
        strength: the same in multiples of the person's own noise in this region.
        regions: all of REGIONS that the event moves, in their order; () for a blink's.
        motion: probabilities of MOTIONS from the flow between onset and apex; () where unknown.
        still: what the face has come to look more like at the apex than at the onset, of `classes`
            and summing to 1, see `motion_classifier.change`; () likewise.
        classes: what the still classifier tells apart.
        sure, concerns: whether nothing speaks against judging the face at the apex, and what does.
    """

    person: int
    kind: str
    onset_ms: float
    apex_ms: float
    offset_ms: float
    region: str
    direction: str
    pixels: float
    strength: float
    regions: tuple[str, ...] = ()
    motion: tuple[float, ...] = ()
    still: tuple[float, ...] = ()
    classes: tuple[str, ...] = EMOTIONS
    sure: bool = True
    concerns: tuple[str, ...] = ()

    @property
    def moved(self) -> str:
        """'mouth up' where most of a part moved, 'left brow up and left' where one region did."""
        for part, regions in PARTS.items():
            if self.region in regions and len({*regions} & {*self.regions}) > 1:
                return f"{part} {self.direction.split(' and ')[0]}"
        return f"{self.region} {self.direction}"


@dataclass(frozen=True)
class Analysis:
    """All that is known of a video.

    Attributes:
        source: the file's name, without its folder.
        size: width and height of the first frame, upright.
        timing: see Timing.
        people: by number.
        events: by onset.
        settings: what it was made with: network, its version, detector, and so on; JSON values.
        notes: sentences for the reader: too low a frame rate, a broken end, a cancelled run.
        complete: whether the video was read to its end.
        times_ms: float64 (timing.frames,), of every frame read, with and without faces.
        classes: what the network tells apart.
    """

    source: str
    size: tuple[int, int]
    timing: Timing
    people: tuple[Person, ...]
    events: tuple[Event, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    complete: bool = True
    times_ms: np.ndarray = field(default_factory=lambda: np.empty(0))
    classes: tuple[str, ...] = EMOTIONS

    @property
    def span_ms(self) -> tuple[float, float]:
        """Times of the first and the last frame that was read, by the file's own count."""
        if not len(self.times_ms):
            return 0.0, self.timing.duration_ms
        return float(self.times_ms[0]), float(self.times_ms[-1])
