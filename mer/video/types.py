"""What a video's analysis holds: frames' times, people, events. Numbers only, no pictures."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np

from mer.emotions import EMOTIONS
from mer.faces.measures import MEASURES

MICRO_MS: Final = 500.0  # a micro-expression lasts no longer
MACRO_MS: Final = 4000.0  # nor a macro-expression
LEAST_FPS: Final = 25.0  # below this no event is called micro
GAP_MS: Final = 3000.0 / LEAST_FPS  # nor across so long without a frame

# Kinds of event: the expressions "micro" and "macro"; "blink" and "speech" are kept apart.
KINDS: Final = ("micro", "macro", "blink", "speech")

# Regions that move as one part in most expressions, and all regions of the face; left and right are
# the person's own (right is on the picture's left).
PARTS: Final = {
    "brows": ("right brow", "between brows", "left brow"),
    "mouth": ("right mouth corner", "lips", "left mouth corner"),
}
REGIONS: Final = (*PARTS["brows"], "right eye", "left eye", "nose", *PARTS["mouth"])
MOTIONS: Final = ("negative", "positive", "surprise")  # the classes of recognition from motion


@dataclass(frozen=True)
class Timing:
    """How a video's frames lie in time, from their own stamps."""

    frames: int  # that were read
    duration_ms: float  # from the first frame to the last
    # Frames a second, 1000 over the usual distance of frames: the mean of those within a half of
    # the median; 0 with fewer than two.
    fps: float
    unevenness: float  # the distances' 95th percentile less their 5th, as a part of their median
    # A gap is a time without a frame longer than GAP_MS and 2.5 times the usual distance.
    gap_ms: float = 0.0  # the longest; 0 without any
    unseen_ms: float = 0.0  # how long all last together

    @classmethod
    def of(cls, times_ms: np.ndarray) -> Self:
        """How frames at these times, float (n,), rising, lie in time."""
        if len(times_ms) < 2:
            return cls(len(times_ms), 0.0, 0.0, 0.0)
        steps = np.diff(times_ms)
        low, middle, high = np.quantile(steps, (0.05, 0.5, 0.95), method="inverted_cdf")
        # A mean, since stamps may be whole milliseconds; of the usual ones, since frames may lack.
        usual = steps[np.abs(steps / middle - 1) < 0.5].mean()
        gaps = steps[steps > max(GAP_MS, 2.5 * usual)]
        figures = times_ms[-1] - times_ms[0], 1000 / usual, (high - low) / middle
        return cls(len(times_ms), *map(float, (*figures, gaps.max(initial=0.0), gaps.sum())))

    @property
    def micro(self) -> bool:
        """Whether the frame rate allows a micro-expression to be claimed."""
        return self.fps >= LEAST_FPS * 0.98  # stamps are whole milliseconds in some files


@dataclass(frozen=True)
class Person:
    """One face followed through a video: in n frames, at m of which the network looked at it."""

    number: int  # from 1, in the order of first appearance
    times_ms: np.ndarray  # float64 (n,)
    boxes: np.ndarray  # int32 (n, 4): x, y, width, height in the frame's own pixels
    points: np.ndarray  # float32 (n, 5, 2), as `Face.points`; NaN where the detector has none
    sampled_ms: np.ndarray  # float64 (m,)
    probabilities: np.ndarray  # float32 (m, len(classes)); raw, not smoothed
    sure: np.ndarray  # bool (m,), whether that is sure, see `mer.inference.probabilities`
    concerns: tuple[tuple[str, ...], ...]  # m times what speaks against it, `Prediction.concerns`
    # Float32 (n, len(REGIONS)): pixels of a 320-pixel face that each region has moved from rest,
    # its head's motion taken out; NaN where it could not be measured.
    motion: np.ndarray
    # Float64 (k, 2): first and last time of each stretch in which a hand or something else covers
    # the face: there are neither probabilities nor motion, nor events.
    covered: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    classes: tuple[str, ...] = EMOTIONS  # what the network tells apart
    # Float32 (m, len(MEASURES)), see `mer.faces.measures`; NaN where no points were found; (0, ...)
    # where nothing was measured.
    measures: np.ndarray = field(default_factory=lambda: np.empty((0, len(MEASURES)), np.float32))

    def hidden(self, times_ms: np.ndarray) -> np.ndarray:
        """At which of these times the face is covered, bool (m,)."""
        first, last = self.covered.T[..., None]
        return np.asarray(((times_ms >= first) & (times_ms <= last)).any(axis=0))


@dataclass(frozen=True)
class Event:
    """Something that passed over a face."""

    person: int  # the person's number
    kind: str  # one of KINDS
    # Begin, strongest moment and end.
    onset_ms: float
    apex_ms: float
    offset_ms: float
    region: str  # the one of REGIONS that moved most, for its own noise
    direction: str  # where it moved in the picture: "up", "down", "left", "up and left", ...
    pixels: float  # how far the region moved from onset to apex, pixels of a 320-pixel face
    strength: float  # the same in multiples of the person's own noise in this region
    regions: tuple[str, ...] = ()  # all of REGIONS that the event moves, in their order
    # () where unknown:
    motion: tuple[float, ...] = ()  # probabilities of MOTIONS, by the flow from onset to apex
    # What the face has come to look more like from onset to apex, of `classes` and summing to 1,
    # see `motion_classifier.change`.
    still: tuple[float, ...] = ()
    classes: tuple[str, ...] = EMOTIONS  # what the still classifier tells apart
    sure: bool = True  # whether nothing speaks against judging the face at the apex,
    concerns: tuple[str, ...] = ()  # and what does

    @property
    def moved(self) -> str:
        """'mouth up' where most of a part moved, 'left brow up and left' where one region did."""
        for part, regions in PARTS.items():
            if self.region in regions and len({*regions} & {*self.regions}) > 1:
                return f"{part} {self.direction.split(' and ')[0]}"
        return f"{self.region} {self.direction}"


@dataclass(frozen=True)
class Analysis:
    """All that is known of a video."""

    source: str  # the file's name, without its folder
    size: tuple[int, int]  # width and height of the first frame, upright
    timing: Timing
    people: tuple[Person, ...]  # by number
    events: tuple[Event, ...]  # by onset
    settings: dict[str, Any] = field(default_factory=dict)  # network, its version, ...; JSON values
    # Sentences for the reader: too low a frame rate, a broken end, a cancelled run.
    notes: tuple[str, ...] = ()
    complete: bool = True  # whether the video was read to its end
    # Float64 (timing.frames,), of every frame read, with and without faces.
    times_ms: np.ndarray = field(default_factory=lambda: np.empty(0))
    classes: tuple[str, ...] = EMOTIONS  # what the network tells apart

    @property
    def span_ms(self) -> tuple[float, float]:
        """Times of the first and the last frame that was read, by the file's own count."""
        if not len(self.times_ms):
            return 0.0, self.timing.duration_ms
        return float(self.times_ms[0]), float(self.times_ms[-1])
