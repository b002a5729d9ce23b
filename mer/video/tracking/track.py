"""One person followed through a video: where their texture carries them, what they look like."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mer.faces.detection import Face, clipped
from mer.faces.quality import SMALLEST, gradients

FOUND: Final = 3  # times that a face has to be found before it counts as a person
NEW_MS: Final = 600.0  # for so long a face without a number is searched for at every frame
MISSES: Final = 3  # searches without it, after which a face is out of sight
COAST_MS: Final = 1000.0  # a face out of sight is expected where its motion would have taken it
SETTLE_MS: Final = 300.0  # time constant with which the place settles on what was detected
FAR: Final = 0.15  # of the face's width: a place this wrong is given up at once
INERTIA: Final = 0.8  # of the velocity, from frame to frame
LOOKS: Final = 6  # kept of a person, each unlike the others
UNLIKE: Final = 0.8  # agreement of shapes under which a look is kept, too

# How its texture is followed.
SIDE: Final = 96  # pixels: the longer side of a face, shrunk to it where it is larger
MARGIN: Final = 0.5  # of the face's sides, cut out around it: how far it may move in one frame
CORNERS: Final = 40  # points of texture that are followed
LEAST: Final = 8  # of them have to agree
AGREE: Final = 0.5  # and this part of all
BACK: Final = 1.0  # pixels at SIDE: followed there and back, a point ends nearer to its start
STRAY: Final = 1.5  # pixels at SIDE: a point farther from the common motion disagrees
# Lucas-Kanade with pyramids (Bouguet 2001): pixels of its window, and levels above the first.
WINDOW: Final = (15, 15)
LEVELS: Final = 2

# How it is known again.
HEAD: Final = 48  # pixels a side of the view of face and hair whose colours are counted
HEAD_SIDES: Final = (1.5, 1.4)  # of the box's width and height
HEAD_UP: Final = 0.15  # of the box's height, from its middle to the view's
BINS: Final = (16, 12, 12)  # of L, a and b
_RANGES: Final = (0, 256, 96, 176, 96, 176)  # skin, hair and lips lie within
_OVAL: Final = cv2.ellipse(
    np.zeros((HEAD, HEAD), np.uint8), (24, 22), (20, 22), 0, 0, 360, 255, cv2.FILLED
)

# Measured on 118 pairs of different people in the same photograph, 1807 of different people
# elsewhere, and on one woman over 19 s of crying and laughing: colours of two people agree by .89
# at most, hers by .93 or more in nine of ten pairs of looks; shapes of two people by .74 at most.
COLOURS: Final = 0.93
SHAPE: Final = 0.40
SHAPE_ALONE: Final = 0.77  # of shapes that tell by themselves, as where there is no colour
COLOURLESS: Final = 4.0  # mean of |a| and |b| over the head, up to which a picture is gray
AT_PLACE: Final = 0.80  # of colours: enough where a face is just expected, or shaped so

# Where a face is, in fractions of pixels: float64 (14,), x, y, width and height of its box, not
# clipped, then x and y of the five points of `mer.faces.detection.Face`; (4,) without points.
Place = np.ndarray


def place_of(face: Face) -> Place:
    """The place of a detected face."""
    return np.hstack([face.box, np.ravel(face.points)]).astype(np.float64)


def centre(place: Place) -> np.ndarray:
    """Float64 (2,): the middle of the box."""
    return place[:2] + place[2:4] / 2


def moved(place: Place, transform: np.ndarray) -> Place:
    """The place after a similarity, float (2, 3); the box stays upright."""
    linear, shift = transform[:, :2].T, transform[:, 2]
    middle, sides = (centre(place)[None] @ linear + shift)[0], place[2:4] * _scale(transform)
    points = place[4:].reshape(-1, 2) @ linear + shift
    return np.hstack([middle - sides / 2, sides, points.ravel()])


def carry(before: np.ndarray, after: np.ndarray, place: Place) -> Place | None:
    """Where a face of one frame is in the next, both gray uint8; None where that is not sure.

    The motion is the one similarity that most points of the face's texture agree on, so that the
    five points keep their places in the face whatever its expression.
    """
    x, y, width, height = place[:4]
    left, top = max(0, int(x - MARGIN * width)), max(0, int(y - MARGIN * height))
    right = min(before.shape[1], int(x + (1 + MARGIN) * width))
    bottom = min(before.shape[0], int(y + (1 + MARGIN) * height))
    if min(right - left, bottom - top) < 8:
        return None
    scale = min(1.0, SIDE / max(width, height))
    first, second = (frame[top:bottom, left:right] for frame in (before, after))
    if scale < 1:
        first = cv2.resize(first, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        second = cv2.resize(second, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    onto = np.array([[scale, 0, -scale * left], [0, scale, -scale * top], [0, 0, 1]])
    motion = _motion(first, second, moved(place, onto[:2])[:4])
    if motion is None:
        return None
    return moved(place, (np.linalg.inv(onto) @ np.vstack([motion, (0, 0, 1)]) @ onto)[:2])


def _motion(first: np.ndarray, second: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """The similarity, float (2, 3), that carries the box of the first view to the second."""
    mask = np.zeros(first.shape, np.uint8)
    x, y, width, height = box
    centre, radii = (int(x + width / 2), int(y + height / 2)), (int(width / 2), int(height / 2))
    cv2.ellipse(mask, centre, radii, 0, 0, 360, 255, cv2.FILLED)
    start = cv2.goodFeaturesToTrack(first, CORNERS, 0.01, 4, mask=mask)
    if start is None or len(start) < LEAST:
        return None
    enough = max(LEAST, AGREE * len(start))
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, start, start.copy(), winSize=WINDOW, maxLevel=LEVELS
    )
    back, again, _ = cv2.calcOpticalFlowPyrLK(
        second, first, end, start.copy(), winSize=WINDOW, maxLevel=LEVELS
    )
    near = np.linalg.norm(back - start, axis=2) < BACK
    kept = (near & (found == 1) & (again == 1))[:, 0]
    if kept.sum() < enough:
        return None
    motion, agree = cv2.estimateAffinePartial2D(
        start[kept], end[kept], method=cv2.RANSAC, ransacReprojThreshold=STRAY
    )
    if motion is None or agree.sum() < enough:
        return None
    return motion if 0.8 < _scale(motion) < 1.25 else None  # nobody comes or goes so fast


def _scale(transform: np.ndarray) -> float:
    return float(np.hypot(transform[0, 0], transform[1, 0]))


@dataclass(frozen=True)
class Look:
    """What a face looks like in one frame; 8 kB."""

    colours: np.ndarray  # float16 (2304,), square roots of a histogram of face and hair in CIE Lab
    shape: np.ndarray  # float16 (1764,), histograms of gradients of the level face, centred; norm 1
    gray: bool  # whether the picture has no colours

    def likeness(self, other: "Look") -> tuple[float, float]:
        """How far colours (0..1) and shapes (-1..1) agree."""
        colours = self.colours.astype(np.float32) @ other.colours.astype(np.float32)
        return float(colours), float(self.shape.astype(np.float32) @ other.shape.astype(np.float32))

    def same(self, other: "Look") -> bool:
        """Whether both show the same person, wherever they are."""
        # The colours may be those of a neighbour too, or of another light: then the shape decides.
        colours, shape = self.likeness(other)
        if shape >= SHAPE_ALONE:
            return colours >= AT_PLACE
        return colours >= COLOURS and shape >= SHAPE and not (self.gray or other.gray)


def look(image: np.ndarray, face: Face) -> Look | None:
    """What a face of an RGB uint8 picture looks like; None where it is too small to tell."""
    if face.box[2] < SMALLEST:
        return None
    x, y, width, height = face.box
    left, right = x + (1 - HEAD_SIDES[0]) / 2 * width, x + (1 + HEAD_SIDES[0]) / 2 * width
    top = y + ((1 - HEAD_SIDES[1]) / 2 - HEAD_UP) * height
    bottom = top + HEAD_SIDES[1] * height
    sides = (top, bottom), (left, right)
    rows, columns = (slice(max(0, int(low)), max(1, int(high))) for low, high in sides)
    head = cv2.resize(image[rows, columns], (HEAD, HEAD), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(head, cv2.COLOR_RGB2LAB)
    counts = cv2.calcHist([lab], [0, 1, 2], _OVAL, BINS, _RANGES).ravel()
    colours = np.sqrt(counts / max(float(counts.sum()), 1.0))
    gray = float(np.abs(lab[..., 1:][_OVAL > 0] - 128.0).mean()) <= COLOURLESS
    return Look(colours.astype(np.float16), gradients(image, face).astype(np.float16), gray)


class Track:
    """A face from its first detection on; a person once it has a number."""

    def __init__(self, face: Face, seen: Look | None, time_ms: float) -> None:
        self.number = 0  # from 1; 0 before the face is confirmed
        self.place: Place | None = None  # where it is or is expected to be, if that is known
        self.shown = True  # whether it is in sight
        self.born_ms = self.seen_ms = self._time_ms = time_ms  # when it was found first and last
        self._sure = True
        self._misses = 0
        self._scores: deque[float] = deque(maxlen=FOUND)
        self._looks: deque[Look] = deque(maxlen=LOOKS)
        self._pull = np.zeros(0)  # what the place has yet to settle by
        self._velocity = np.zeros(2)  # pixels a millisecond
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

    def carry(self, before: np.ndarray | None, after: np.ndarray, time_ms: float) -> None:
        """Go on to the next frame; both are gray uint8 (height, width), None before a cut."""
        elapsed, self._time_ms = time_ms - self._time_ms, time_ms
        if before is None:
            self.place, self.shown, self._velocity = None, False, np.zeros(2)
        if before is None or self.place is None:
            return
        carried = carry(before, after, self.place) if self.shown else None
        self._sure = carried is not None
        if carried is not None:
            step = (centre(carried) - centre(self.place)) / elapsed
            self._velocity = INERTIA * self._velocity + (1 - INERTIA) * step
            part = 1 - np.exp(-elapsed / SETTLE_MS)
            self.place, self._pull = carried + part * self._pull, (1 - part) * self._pull
        elif time_ms - self.seen_ms <= COAST_MS:
            self.place = np.hstack([self.place[:2] + self._velocity * elapsed, self.place[2:]])
        else:
            self.place, self.shown = None, False

    def see(self, face: Face, seen: Look | None, time_ms: float) -> None:
        """Take a detection as this person's."""
        found = place_of(face)
        self._pull = np.zeros_like(found)
        if self.place is not None and self.steady:
            apart = centre(self.place) - centre(found), self.place[2:4] - found[2:4]
            if np.abs(apart).max() < FAR * found[2]:
                self._pull = found - self.place
        if not self._pull.any():  # it is far from where it was expected, or just there
            self.place = found
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

    def face(self, image: np.ndarray) -> Face:
        """The face in the picture (height, width, 3) that it was carried to; clipped to it."""
        assert self.place is not None
        return clipped(image, self.place[:4], self._scores[-1], self.place[4:].reshape(-1, 2))

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
