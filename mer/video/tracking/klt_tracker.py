"""A face carried from one frame to the next by what its texture did, without looking for it."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mer.faces import yunet
from mer.faces.detection import Face

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


@dataclass(frozen=True)
class Place:
    """Where a face is, in fractions of pixels.

    Attributes:
        numbers: float64 (14,), x, y, width and height of the box, not clipped, then x and y of the
            five points of `mer.faces.detection.Face`; (4,) where there are none.
    """

    numbers: np.ndarray

    @classmethod
    def of(cls, face: Face) -> "Place":
        """The place of a detected face."""
        return cls(np.hstack([face.box, np.ravel(face.points)]).astype(np.float64))

    @property
    def box(self) -> np.ndarray:
        """Float64 (4,): x, y, width, height."""
        return self.numbers[:4]

    @property
    def points(self) -> np.ndarray:
        """Float64 (5, 2), or (0, 2) without points."""
        return self.numbers[4:].reshape(-1, 2)

    @property
    def centre(self) -> np.ndarray:
        """Float64 (2,): the middle of the box."""
        return self.box[:2] + self.box[2:] / 2

    def moved(self, transform: np.ndarray) -> "Place":
        """The place after a similarity, float (2, 3); the box stays upright."""
        centre, sides = _moved(self.centre[None], transform)[0], self.box[2:] * _scale(transform)
        points = _moved(self.points, transform).ravel()
        return Place(np.hstack([centre - sides / 2, sides, points]))

    def near(self, other: "Place", part: float) -> bool:
        """Whether sides and centres differ by less than this part of the other's width."""
        apart = np.hstack([self.centre - other.centre, self.box[2:] - other.box[2:]])
        return bool(np.abs(apart).max() < part * other.box[2])

    def iou(self, other: "Place") -> float:
        """Intersection over union of both boxes, 0..1."""
        return yunet.iou(self.box, other.box)


def carry(before: np.ndarray, after: np.ndarray, place: Place) -> Place | None:
    """Where a face of one frame is in the next; None where that is not sure.

    The motion is the one similarity that most points of the face's texture agree on, so that the
    five points keep their places in the face whatever its expression. Both frames are gray uint8
    (height, width); the place is that of the first.
    """
    scale, (left, top, right, bottom) = _window(before, place)
    if right - left < 8 or bottom - top < 8:
        return None
    first, second = (_shrunk(frame[top:bottom, left:right], scale) for frame in (before, after))
    shift = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    motion = _motion(first, second, place.moved(shift).box)
    if motion is None:
        return None
    whole = _square(shift)
    return place.moved((np.linalg.inv(whole) @ _square(motion) @ whole)[:2])


def _window(frame: np.ndarray, place: Place) -> tuple[float, tuple[int, int, int, int]]:
    """How much to shrink, and the left, top, right and bottom of what is cut out."""
    x, y, width, height = place.box
    left, top = max(0, int(x - MARGIN * width)), max(0, int(y - MARGIN * height))
    right = min(frame.shape[1], int(x + (1 + MARGIN) * width))
    bottom = min(frame.shape[0], int(y + (1 + MARGIN) * height))
    return min(1.0, SIDE / max(width, height)), (left, top, right, bottom)


def _shrunk(cut: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return cut
    return cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _motion(first: np.ndarray, second: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """The similarity, float (2, 3), that carries the box of the first view to the second."""
    mask = np.zeros(first.shape, np.uint8)
    x, y, width, height = box
    centre, radii = (int(x + width / 2), int(y + height / 2)), (int(width / 2), int(height / 2))
    cv2.ellipse(mask, centre, radii, 0, 0, 360, 255, cv2.FILLED)
    start = cv2.goodFeaturesToTrack(first, CORNERS, 0.01, 4, mask=mask)
    if start is None or len(start) < LEAST:
        return None
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, start, start.copy(), winSize=WINDOW, maxLevel=LEVELS
    )
    back, again, _ = cv2.calcOpticalFlowPyrLK(
        second, first, end, start.copy(), winSize=WINDOW, maxLevel=LEVELS
    )
    near = np.linalg.norm(back - start, axis=2)[:, 0] < BACK
    kept = near & (found[:, 0] == 1) & (again[:, 0] == 1)
    if kept.sum() < max(LEAST, AGREE * len(start)):
        return None
    motion, agree = cv2.estimateAffinePartial2D(
        start[kept], end[kept], method=cv2.RANSAC, ransacReprojThreshold=STRAY
    )
    if motion is None or agree.sum() < max(LEAST, AGREE * len(start)):
        return None
    return motion if 0.8 < _scale(motion) < 1.25 else None  # nobody comes or goes so fast


def _scale(transform: np.ndarray) -> float:
    return float(np.hypot(transform[0, 0], transform[1, 0]))


def _square(transform: np.ndarray) -> np.ndarray:
    return np.vstack([transform, (0.0, 0.0, 1.0)])


def _moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    moved: np.ndarray = points @ transform[:, :2].T + transform[:, 2]
    return moved
