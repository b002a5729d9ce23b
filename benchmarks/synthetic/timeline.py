"""What passes over a made face, and when: expressions, blinks, speech, sway. No pictures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.synthetic.face_warp import EYES, FISSURE, Pose
from benchmarks.synthetic.facial_actions import PLACES
from mer.video.types import MICRO_MS, Event

EXPRESSIONS: Final = tuple(name for name in PLACES if name != "speech")
MICRO: Final = (170.0, 500.0)  # milliseconds from onset to offset
MACRO: Final = (600.0, 3000.0)
BLINK: Final = (100.0, 400.0)
SPEECH: Final = (1000.0, 3000.0)
SPOKEN: Final = 5.0  # pixels of a 320-pixel face that the lower lip comes down in speech
APART_MS: Final = (900.0, 2000.0)  # between two expressions
START_MS: Final = 1500.0  # the face is at rest so long at first


@dataclass(frozen=True)
class Expression:
    """One expression, warped in and out.

    Attributes:
        place: one of EXPRESSIONS.
        onset_ms, apex_ms, offset_ms: when it begins, is strongest, and is gone.
        pixels: its largest displacement at the apex, in pixels of a 320-pixel face.
        hold: 0..1, which part of the time it stays near its strongest.
    """

    place: str
    onset_ms: float
    apex_ms: float
    offset_ms: float
    pixels: float
    hold: float = 0.0

    def level(self, time_ms: float) -> float:
        """How much of it shows, 0..1: raised cosines, flattened near the apex by `hold`."""
        if time_ms <= self.apex_ms:
            part = (time_ms - self.onset_ms) / (self.apex_ms - self.onset_ms)
        else:
            part = (self.offset_ms - time_ms) / (self.offset_ms - self.apex_ms)
        return 0.9 * _eased(part / (1 - self.hold)) + 0.1 * _eased(part)

    def event(self) -> Event:
        """What a spotter should say of it."""
        kind = "micro" if self.offset_ms - self.onset_ms <= MICRO_MS else "macro"
        times = self.onset_ms, self.apex_ms, self.offset_ms
        place = PLACES[self.place]
        return Event(1, kind, *times, place.region, place.direction, self.pixels, strength=0.0)


def plan(seconds: float, pixels: float, seed: int = 0) -> list[Expression]:
    """Expressions of all places, micro and macro in turn, as many as fit.

    Args:
        seconds: length of the clip.
        pixels: displacement of each at its apex, in pixels of a 320-pixel face.
        seed: other places and times for another seed.
    """
    random = np.random.default_rng([seed, 1])
    made: list[Expression] = []
    onset = START_MS
    while True:
        if len(made) % len(EXPRESSIONS) == 0:
            order = random.permutation(EXPRESSIONS)
        micro = len(made) % 2 == 0
        length = random.uniform(*(MICRO if micro else MACRO))
        hold = random.uniform(0, 0.2 if micro else 0.4)
        apex, offset = onset + length * random.uniform(0.35, 0.55), onset + length
        if offset > 1000 * seconds - 500:
            return made
        place = str(order[len(made) % len(EXPRESSIONS)])
        made.append(Expression(place, onset, apex, offset, pixels, hold))
        onset = offset + random.uniform(*APART_MS)


@dataclass(frozen=True)
class Blink:
    """Both eyes shut for a moment; `depth`, 0..1, is how far."""

    onset_ms: float
    length_ms: float
    depth: float

    def level(self, time_ms: float) -> float:
        """How far the lids are closed, 0..1; they fall faster than they rise."""
        part = (time_ms - self.onset_ms) / self.length_ms
        return self.depth * min(_eased(part / 0.35), _eased((1 - part) / 0.55))

    def event(self) -> Event:
        """What a spotter should say of it."""
        apex, offset = self.onset_ms + 0.4 * self.length_ms, self.onset_ms + self.length_ms
        travel = EYES * (FISSURE[1] + FISSURE[2]) * self.depth
        return Event(1, "blink", self.onset_ms, apex, offset, "right eye", "down", travel, 0.0)


@dataclass(frozen=True)
class Speech:
    """The lower lip and the jaw go up and down; `rates` are those of the syllables, in hertz."""

    onset_ms: float
    offset_ms: float
    rates: tuple[float, float]

    def level(self, time_ms: float) -> float:
        """How far the mouth is open, 0..1: syllables of uneven height."""
        seconds = (time_ms - self.onset_ms) / 1000
        one, other = (math.sin(math.pi * rate * seconds) ** 2 for rate in self.rates)
        ends = min(time_ms - self.onset_ms, self.offset_ms - time_ms) / 150
        return _eased(ends) * math.sqrt(one * other)

    def event(self) -> Event:
        """What a spotter should say of it."""
        times = np.arange(self.onset_ms, self.offset_ms, 5.0)
        apex = float(times[np.argmax([self.level(time) for time in times])])
        return Event(1, "speech", self.onset_ms, apex, self.offset_ms, "lips", "down", SPOKEN, 0.0)


class Sway:
    """Slow movements of the head and of the light: sums of sines at 0.05 to 0.6 hertz."""

    # Standard deviations: pixels of a 320-pixel face, radians, parts of the size, radians.
    SPREAD: Final = (8.0, 5.0, 0.02, 0.015, 0.01, 0.01)
    WAVES: Final = 5

    def __init__(self, drift: float, flicker: float, seed: int) -> None:
        random = np.random.default_rng([seed, 2])
        shape = (len(self.SPREAD) + 1, self.WAVES)
        self._rates = np.geomspace(0.05, 0.6, self.WAVES) * random.uniform(0.8, 1.25, shape)
        heights = random.uniform(0.5, 1.5, shape) / self._rates**0.5
        heights *= math.sqrt(2) / np.linalg.norm(heights, axis=1, keepdims=True)
        self._heights = (
            heights * np.array([*(drift * one for one in self.SPREAD), flicker])[:, None]
        )
        self._phases = random.uniform(0, 2 * math.pi, shape)

    def pose(self, time_ms: float) -> Pose:
        """Where the head is."""
        right, down, roll, scale, yaw, pitch, _ = self._values(time_ms)
        return Pose(right, down, roll, 1 + scale, yaw, pitch)

    def light(self, time_ms: float) -> float:
        """What the brightness is multiplied by."""
        return 1 + float(self._values(time_ms)[-1])

    def _values(self, time_ms: float) -> np.ndarray:
        turns = 2 * math.pi * self._rates * (time_ms / 1000) + self._phases
        values: np.ndarray = (self._heights * np.sin(turns)).sum(1)
        return values


def blinks(seconds: float, rate: float, seed: int) -> list[Blink]:
    """Blinks at random moments, `rate` a minute."""
    random = np.random.default_rng([seed, 3])
    made: list[Blink] = []
    onset = random.uniform(500, 60_000 / rate) if rate else math.inf
    while onset < 1000 * seconds - BLINK[1]:
        length = random.triangular(BLINK[0], 220, BLINK[1])
        made.append(Blink(onset, length, random.uniform(0.85, 1)))
        onset += length + 400 + random.exponential(max(60_000 / rate - 600, 1))
    return made


def speech(seconds: float, rate: float, events: Sequence[Expression], seed: int) -> list[Speech]:
    """Stretches of speech, `rate` a minute or as many as find room between the expressions."""
    random = np.random.default_rng([seed, 4])
    made: list[Speech] = []
    last = 1000 * seconds - SPEECH[1]  # so late it may begin
    for _ in range(round(100 * rate * seconds / 60) if last > START_MS else 0):  # 100 tries each
        onset = random.uniform(START_MS, last)
        offset = onset + random.uniform(*SPEECH)
        taken = [(one.onset_ms, one.offset_ms) for one in events]
        taken += [(one.onset_ms, one.offset_ms) for one in made]
        if all(offset + 400 < start or onset > end + 400 for start, end in taken):
            made.append(Speech(onset, offset, (random.uniform(2, 6), random.uniform(2, 6))))
        if len(made) == round(rate * seconds / 60):
            break
    return sorted(made, key=lambda one: one.onset_ms)


def _eased(part: float) -> float:
    """A raised cosine from 0 at 0 to 1 at 1, and no more beyond."""
    return 0.5 - 0.5 * math.cos(math.pi * min(max(part, 0.0), 1.0))
