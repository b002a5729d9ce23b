"""Alignment: a face rotated level and scaled, so that its parts lie at known places."""

from typing import Final

import cv2
import numpy as np

from mer.faces import detection
from mer.faces.detection import Face

SIZE: Final = 320  # pixels a side; every motion is given in pixels of a face of this size

# Distance and height of the eyes, as parts of the side: the eyes of a face of 320 pixels, from brow
# to chin as in YuNet's boxes, are about 120 pixels apart.
EYES_APART: Final = 0.375
EYES_DOWN: Final = 0.375

# Positions of the eyes in a box without points (Haar), as parts of its width and height.
BOX_EYES: Final = ((0.3, 0.4), (0.7, 0.4))

VIEW: Final = 64  # pixels a side of the view in which a face is compared with its mirror image
ROLLS: Final = np.arange(-32.0, 33, 4)  # degrees, rolls that are tried about that of the eyes
LEAST_SYMMETRY: Final = 0.3  # least correlation of face and mirror image; below it the eyes decide


def by_eyes(face: Face) -> np.ndarray:
    """Float64 (2, 3), from picture coordinates to those of the aligned face of SIZE pixels."""
    return _with_roll(face, _roll_of_eyes(face))


def level(image: np.ndarray, face: Face) -> np.ndarray:
    """As `by_eyes`, with the roll at which the face is most like its own mirror image.

    YuNet's points stay upright on faces of about 100 pixels: they show 2 degrees of a roll of 15.
    The mirror image shows the whole of it, unless the face is turned aside. Without points the
    eyes are guessed from the box.
    """
    upright = _with_roll(face, 0.0)
    upright[:, 2] += SIZE / 2 - upright[:, :2] @ _centre(face) - upright[:, 2]
    view = cv2.cvtColor(warped(image, upright, VIEW), cv2.COLOR_RGB2GRAY).astype(np.float32)
    lean = _roll_of_eyes(face)
    symmetry = np.array([_symmetry(view, lean + turn) for turn in np.radians(ROLLS)])
    best = int(symmetry.argmax())
    if symmetry[best] < LEAST_SYMMETRY:
        return _with_roll(face, lean)
    offset = 0.0  # of the maximum of the parabola through the highest value, in steps
    if 0 < best < len(symmetry) - 1:
        before, at, after = symmetry[best - 1 : best + 2]
        offset = float((before - after) / 2 / min(before - 2 * at + after, -1e-9))
    return _with_roll(face, lean + np.radians(ROLLS[best] + offset * 4))


def warped(image: np.ndarray, transform: np.ndarray, size: int = SIZE) -> np.ndarray:
    """A uint8 picture, (height, width[, 3]), seen through a transform onto the aligned face.

    The transform, float (2, 3), goes from picture coordinates to the face of SIZE pixels; the view
    has `size` pixels a side.
    """
    scale = size / SIZE
    matrix = transform * scale
    matrix[:, 2] += (scale - 1) / 2  # pixel centres, not corners, keep their places
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrink < 0.5:  # a large face: without averaging over areas, fine texture would flicker
        image, matrix = _shrunk(image, matrix, size, 2 * shrink)
    return cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)


def _shrunk(
    image: np.ndarray, matrix: np.ndarray, size: int, part: float
) -> tuple[np.ndarray, np.ndarray]:
    """What the transform shows of the picture, shrunk, and the transform from there."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - matrix[:, 2]
    places = np.linalg.solve(matrix[:, :2], corners.T).T
    limit = np.array(image.shape[1::-1])
    low = np.clip(np.floor(places.min(axis=0)).astype(int) - 2, 0, limit - 1)
    high = np.clip(np.ceil(places.max(axis=0)).astype(int) + 2, low + 1, limit)
    cut = image[low[1] : high[1], low[0] : high[0]]
    origin = matrix[:, 2] + matrix[:, :2] @ low
    small = detection.shrunk(cut, part)
    factor = np.divide(cut.shape[1::-1], small.shape[1::-1])  # back to the picture's own pixels
    shift = origin + matrix[:, :2] @ ((factor - 1) / 2)
    return small, np.column_stack([matrix[:, :2] * factor, shift])


def _with_roll(face: Face, roll: float) -> np.ndarray:
    """The transform for a face of this roll (radians, clockwise), not that of its points."""
    first, second = _eyes(face)
    scale = EYES_APART * SIZE / max(float(np.hypot(*(second - first))), 1.0)
    centre = _centre(face)
    middle = centre + _rotation(roll - _roll_of_eyes(face)) @ ((first + second) / 2 - centre)
    linear = scale * _rotation(-roll)
    return np.column_stack([linear, (SIZE / 2, EYES_DOWN * SIZE) - linear @ middle])


def _eyes(face: Face) -> np.ndarray:
    """Float (2, 2): the right eye's x, y and the left one's."""
    if face.points:
        return np.array(face.points[:2])
    x, y, width, height = face.box
    return np.array(BOX_EYES) * (width, height) + (x, y)


def _roll_of_eyes(face: Face) -> float:
    across, down = np.diff(_eyes(face), axis=0)[0]
    return float(np.arctan2(down, across))


def _centre(face: Face) -> np.ndarray:
    x, y, width, height = face.box
    return np.asarray(np.mean(face.points or ((x + width / 2, y + 0.55 * height),), axis=0))


def _rotation(angle: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def _symmetry(view: np.ndarray, roll: float) -> float:
    """Correlate a face, rotated back by a roll, with its mirror image about the best axis."""
    middle = (VIEW - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), float(np.degrees(roll)), 1)
    turned = cv2.warpAffine(view, matrix, (VIEW, VIEW), borderMode=cv2.BORDER_REPLICATE)
    turned = turned - cv2.GaussianBlur(turned, (0, 0), VIEW / 10)  # removes light from one side
    inner, outer = slice(VIEW * 15 // 100, VIEW * 85 // 100), slice(VIEW // 20, -VIEW // 20)
    mirrored = np.ascontiguousarray(turned[inner, ::-1][:, inner])
    return float(cv2.matchTemplate(turned[inner, outer], mirrored, cv2.TM_CCOEFF_NORMED).max())
