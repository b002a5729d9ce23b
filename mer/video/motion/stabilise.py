"""A face held still: what remains of its motion is expression."""

from typing import Final

import cv2
import numpy as np

from mer.faces import alignment
from mer.faces.detection import Face
from mer.io.video import Frame
from mer.video.motion import flow
from mer.video.types import Person

ROUNDS: Final = 2  # of measuring the head's motion and taking it out
_EVERYWHERE: Final = np.ones(flow.CELLS**2)  # the flow is to be trusted


def face_at(person: Person, time_ms: float) -> Face:
    """The person's face at this time, or at the nearest at which it was seen."""
    row = int(np.abs(person.times_ms - time_ms).argmin())
    x, y, width, height = person.boxes[row].tolist()
    known = np.isfinite(person.points[row]).all()
    points = tuple((float(px), float(py)) for px, py in person.points[row]) if known else ()
    return Face((x, y, width, height), 1.0, points)


def gray(image: np.ndarray) -> np.ndarray:
    """RGB uint8 as gray uint8."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


class Steady:
    """Sees a person's face as it lay in one frame, however the head moves in others."""

    def __init__(self, frame: Frame, person: Person) -> None:
        """Take this frame for the one that the others are brought to."""
        self._person = person
        face = face_at(person, frame.time_ms)
        self._box = face.box
        self._transform = alignment.level(frame.image, face)
        self._first = gray(alignment.warped(frame.image, self._transform))

    def view(self, frame: Frame) -> np.ndarray:
        """The face in this frame, RGB uint8 (320, 320, 3)."""
        box = face_at(self._person, frame.time_ms).box
        transform = _chained(self._transform, _onto(box, self._box))
        for _ in range(ROUNDS):
            view = gray(alignment.warped(frame.image, transform))
            motion, _ = flow.head(flow.cells(flow.dense(self._first, view)), _EVERYWHERE)
            transform = flow.followed(transform, motion)
        return alignment.warped(frame.image, transform)


def _onto(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> np.ndarray:
    """Float (2, 3): scales and shifts one box onto another."""
    scale = (other[2] + other[3]) / (box[2] + box[3])
    across = other[0] + other[2] / 2 - scale * (box[0] + box[2] / 2)
    down = other[1] + other[3] / 2 - scale * (box[1] + box[3] / 2)
    return np.array([[scale, 0, across], [0, scale, down]])


def _chained(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Float (2, 3): the inner transform, then the outer."""
    chained: np.ndarray = np.vstack([outer, (0, 0, 1)])[:2] @ np.vstack([inner, (0, 0, 1)])
    return chained
