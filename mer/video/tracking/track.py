"""One person followed through a video: where they are, how sure that is, what they look like."""

from collections import deque
from typing import Final

import numpy as np

from mer.faces.detection import Face, clipped
from mer.video.tracking.klt_tracker import Place, carry
from mer.video.tracking.reid import Look

FOUND: Final = 3  # times that a face has to be found before it counts as a person
NEW_MS: Final = 600.0  # for so long a face without a number is searched for at every frame
MISSES: Final = 3  # searches without it, after which a face is out of sight
COAST_MS: Final = 1000.0  # a face out of sight is expected where its motion would have taken it
SETTLE_MS: Final = 300.0  # time constant with which the place settles on what was detected
FAR: Final = 0.15  # of the face's width: a place this wrong is given up at once
INERTIA: Final = 0.8  # of the velocity, from frame to frame
LOOKS: Final = 6  # kept of a person, each unlike the others
UNLIKE: Final = 0.8  # agreement of shapes under which a look is kept, too


class Track:
    """A face from its first detection on; a person once it has a number.

    Attributes:
        number: from 1; 0 before the face is confirmed.
        place: where it is or is expected to be; None where nothing is known.
        shown: whether it is in sight.
        born_ms, seen_ms: when it was found first and last.
    """

    def __init__(self, face: Face, seen: Look | None, time_ms: float) -> None:
        self.number = 0
        self.place: Place | None = Place.of(face)
        self.shown = True
        self._sure = True
        self._misses = 0
        self._scores: deque[float] = deque(maxlen=FOUND)
        self._looks: deque[Look] = deque(maxlen=LOOKS)
        self._pull = np.zeros(0)  # what the place has yet to settle by
        self._velocity = np.zeros(2)  # pixels a millisecond
        self.born_ms = self.seen_ms = self._time_ms = time_ms
        self.see(face, seen, time_ms)

    @property
    def unsure(self) -> bool:
        """Whether the next frame should be searched for it."""
        new = not self.number and self._time_ms - self.born_ms < NEW_MS
        return not self._sure or self._misses > 0 or new

    @property
    def steady(self) -> bool:
        """Whether its texture carried it here, so that a face at its place is surely the same."""
        return self._sure and self.shown

    def good(self, score: float) -> bool:
        """Whether it was found often enough, with at least this score on average."""
        return len(self._scores) == FOUND and float(np.mean(self._scores)) >= score

    def carry(self, before: np.ndarray, after: np.ndarray, time_ms: float) -> None:
        """Go on to the next frame; both are gray uint8 (height, width)."""
        elapsed, self._time_ms = time_ms - self._time_ms, time_ms
        if self.place is None:
            return
        moved = carry(before, after, self.place) if self.shown else None
        self._sure = moved is not None
        if moved is None:
            self._coast(elapsed)
            return
        step = (moved.centre - self.place.centre) / elapsed
        self._velocity = INERTIA * self._velocity + (1 - INERTIA) * step
        part = 1 - np.exp(-elapsed / SETTLE_MS)
        self.place = Place(moved.numbers + part * self._pull)
        self._pull = (1 - part) * self._pull

    def see(self, face: Face, seen: Look | None, time_ms: float) -> None:
        """Take a detection as this person's."""
        found = Place.of(face)
        near = self.place is not None and self.place.near(found, FAR)
        if self.place is not None and near and self.steady:
            self._pull = found.numbers - self.place.numbers
        else:
            self.place, self._pull = found, np.zeros_like(found.numbers)
        self.shown = self._sure = True
        self._misses = 0
        self.seen_ms = self._time_ms = time_ms
        self._scores.append(face.score)
        if seen and all(seen.likeness(other)[1] < UNLIKE for other in self._looks):
            self._looks.append(seen)

    def miss(self, hidden: bool) -> None:
        """Take it that a search did not find it; `hidden` where another face is in front of it."""
        self._misses += 1
        if hidden or not self._sure or self._misses >= MISSES:
            self.shown = False

    def leave(self) -> None:
        """Take it that nothing is known of where it is, as after a cut."""
        self.place, self.shown, self._velocity = None, False, np.zeros(2)

    def face(self, image: np.ndarray) -> Face:
        """The face in the picture (height, width, 3) that it was carried to; clipped to it."""
        assert self.place is not None
        return clipped(image, self.place.box, self._scores[-1], self.place.points)

    def resembles(self, other: "Track") -> bool:
        """Whether both are surely the same person."""
        return any(one.same(look) for one in self._looks for look in other._looks)

    def become(self, known: "Track") -> None:
        """Take over the number and the looks of a person who was out of sight."""
        self.number = known.number
        self._looks.extendleft(reversed(known._looks))

    def likeness(self, seen: Look | None) -> float:
        """Agreement of colours with the look most like it; 1 where there is nothing to compare."""
        if seen is None or not self._looks:
            return 1.0
        return max(seen.likeness(look)[0] for look in self._looks)

    def _coast(self, elapsed: float) -> None:
        assert self.place is not None
        numbers = self.place.numbers.copy()
        numbers[:2] += self._velocity * elapsed
        self.place = Place(numbers) if self._time_ms - self.seen_ms <= COAST_MS else None
        self.shown &= self.place is not None
