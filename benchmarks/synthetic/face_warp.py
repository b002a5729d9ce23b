"""A real face that moves on demand: one picture, warped by head pose, expressions and eyelids.

Lengths on the face are in distances between its eyes, from the middle of the eyes, to the picture's
right and down when the face is level.
"""

import math
from typing import Final, NamedTuple

import cv2
import numpy as np

from benchmarks.synthetic.facial_actions import PLACES, Place
from mer.errors import MerError
from mer.faces import detection

EYES: Final = 120.0  # pixels between the eyes of a 320-pixel face
APART: Final = 80  # pixels between the eyes in a frame, about: a face some 200 pixels high
# Frames are sampled from a picture so many times finer, blurred as by a lens (standard deviation in
# pixels of a frame), so that no shift changes how sharp they are. Between its pixels linear
# interpolation is the most exact: OpenCV's cubic one is off by up to 0.05 of them.
FINER: Final = 4
LENS: Final = 0.5
COARSE: Final = 4  # pixels between the points where the warp is computed; it is smooth

# The eye's opening, in eye distances: half its width, and its heights above and below its centre.
# Palpebral fissures measure about 30 by 10 millimetres, and pupils lie 63 apart; this is generous.
FISSURE: Final = (0.26, 0.085, 0.085)
LID: Final = 0.12  # height of the skin above it that is drawn over it
LASHES: Final = 0.025  # height above the opening that is no skin, and is drawn as a line instead


class Pose(NamedTuple):
    """Where the head is: shifts in pixels of a 320-pixel face, angles in radians."""

    right: float = 0.0
    down: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    yaw: float = 0.0
    pitch: float = 0.0


class Puppet:
    """A still face of a picture, in a frame with what lay around it."""

    def __init__(self, picture: np.ndarray, size: tuple[int, int] = (640, 480)) -> None:
        """Find the face and lay out the frame around it.

        Args:
            picture: RGB uint8 (height, width, 3).
            size: width and height of the frames.

        Raises:
            MerError: no face is found in the picture.
        """
        frame = _framed(picture, _points(picture), size)
        points = _steady_points(frame)  # what is measured in frames depends on their scale
        finer = (FINER * size[0], FINER * size[1])
        fine = cv2.resize(frame, finer, interpolation=cv2.INTER_CUBIC)
        self._picture = cv2.GaussianBlur(fine, (0, 0), LENS * FINER)
        self._apart = math.dist(*points[:2])
        points[:2] = self._pupils = [_pupil(frame, point, self._apart) for point in points[:2]]
        self._middle = (points[0] + points[1]) / 2
        right = (points[1] - points[0]) / math.dist(*points[:2])
        self._axes = np.array([right, [-right[1], right[0]]])  # rows: the face's right and down
        self._points = self._local(points)
        self._size = size
        self._rows, self._columns = np.indices((size[1], size[0]), np.float32)
        self._grid = _grid(size)
        self._head = _head(self._local(self._grid))
        self._largest = {name: self._peak(place) for name, place in PLACES.items()}

    def frame(self, pose: Pose, pixels: dict[str, float], closed: float = 0.0) -> np.ndarray:
        """The picture, RGB uint8 (height, width, 3).

        Args:
            pose: where the head is.
            pixels: for the PLACES that moved, how far their peak is from rest, in pixels of a
                320-pixel face.
            closed: how far the eyes are shut, 0..1.
        """
        still = self._turned(pose)
        local = self._local(still)
        moved = self._parallax(local, pose)
        for name, amount in pixels.items():
            moved += self._moved(local, PLACES[name]) * (amount / EYES / self._largest[name])
        shift = still - self._grid - (moved @ self._axes) * self._apart
        full = cv2.resize(shift.astype(np.float32), self._size, interpolation=cv2.INTER_CUBIC)
        x = (self._columns + full[..., 0] + 0.5) * FINER - 0.5
        y = (self._rows + full[..., 1] + 0.5) * FINER - 0.5
        picture = self._with_lids(closed) if closed > 0 else self._picture
        return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)

    def _local(self, points: np.ndarray) -> np.ndarray:
        local: np.ndarray = (points - self._middle) @ self._axes.T / self._apart
        return local

    def _turned(self, pose: Pose) -> np.ndarray:
        """Where each grid point of the frame lies in the still picture; off the head, there."""
        middle = self._middle + np.array([0, 0.5 * self._apart])
        cosine, sine = np.cos(pose.roll), np.sin(pose.roll)
        turn = np.array([[cosine, -sine], [sine, cosine]]) / pose.scale
        shift = np.array([pose.right, pose.down]) * (self._apart / EYES)
        still = (self._grid - middle - shift) @ turn + middle
        return np.asarray(self._grid + self._head * (still - self._grid))

    def _parallax(self, local: np.ndarray, pose: Pose) -> np.ndarray:
        """A small turn out of the picture's plane: what is nearer to the viewer moves more."""
        x, y = local[..., 0], local[..., 1]
        nose = self._points[2]
        depth = 0.8 * np.exp(-((x / 1.1) ** 2) - ((y - 0.4) / 1.5) ** 2)
        depth += 0.35 * np.exp(-((x - nose[0]) ** 2 + (y - nose[1]) ** 2) / (2 * 0.15**2))
        return np.asarray(depth[..., None] * (pose.yaw, pose.pitch))

    def _moved(self, local: np.ndarray, place: Place) -> np.ndarray:
        total = np.zeros(local.shape)
        for bump in place.bumps:
            x, y = np.moveaxis(local - self._points[bump.point] - (bump.x, bump.y), -1, 0)
            weight = np.exp(-(x * x + y * y) / (2 * bump.width**2))
            total += weight[..., None] * (bump.right, bump.down)
        return total

    def _peak(self, place: Place) -> float:
        """The longest displacement that the place's bumps give together."""
        axis = np.linspace(-1, 1.6, 131)
        field = self._moved(np.stack(np.meshgrid(axis, axis), -1), place)
        return float(np.hypot(field[..., 0], field[..., 1]).max())

    def _with_lids(self, closed: float) -> np.ndarray:
        """The finer picture with the upper lids drawn down."""
        picture = self._picture.copy()
        for pupil in self._pupils:
            centre = (pupil + 0.5) * FINER - 0.5
            reach = round(0.4 * self._apart * FINER)
            left, top = (max(0, round(value) - reach) for value in centre)
            window = picture[top : top + 2 * reach, left : left + 2 * reach]
            rows, columns = np.indices(window.shape[:2])
            offset = np.stack([columns + left, rows + top], -1) - centre
            local = offset @ self._axes.T / (self._apart * FINER)
            rise, shade = _lid(local[..., 0], local[..., 1], closed)
            back = rise[..., None] * self._axes[1] * (self._apart * FINER)
            x, y = (columns - back[..., 0]), (rows - back[..., 1])
            drawn = cv2.remap(
                window,
                x.astype(np.float32),
                y.astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            window[:] = (drawn * shade[..., None]).astype(np.uint8)
        return picture


def _lid(x: np.ndarray, y: np.ndarray, closed: float) -> tuple[np.ndarray, np.ndarray]:
    """How far the skin seen at each point has come down, in eye distances, and its shading 0..1."""
    half, above, below = FISSURE
    across = np.clip(1 - (x / half) ** 2, 0, None) ** 0.75
    upper, lower = -above * across, below * across
    edge = upper + closed * (lower - upper)
    crease = upper - LID
    skin = upper - LASHES * closed * across  # where the drawn skin ends
    share = (skin - crease) / (edge - crease)
    covered = (y > crease) & (y < edge)
    fallen = np.where(covered, (y - crease) * (1 - share), 0.0)
    line = 0.4 * closed * across * np.exp(-(((y - edge) / 0.02) ** 2))
    return fallen, 1 - line


def _grid(size: tuple[int, int]) -> np.ndarray:
    """The frame's pixels x, y (rows, columns, 2) where the warp is computed, COARSE apart."""
    wide, high = (math.ceil(length / COARSE) for length in size)
    indices = np.stack(np.meshgrid(np.arange(wide), np.arange(high)), -1)
    return np.asarray((indices + 0.5) * (size[0] / wide, size[1] / high) - 0.5)


def _head(local: np.ndarray) -> np.ndarray:
    """How much of the head's movement a point takes part in: 1 on the head, 0 well off it."""
    radius = np.hypot(local[..., 0] / 1.25, (local[..., 1] - 0.35) / 1.6)
    share = np.clip(2 - radius, 0, 1)
    return np.asarray(share * share * (3 - 2 * share))[..., None]


def _points(picture: np.ndarray) -> np.ndarray:
    """Float (5, 2): the points of the largest face."""
    found = detection.detect(picture)
    if not found:
        raise MerError("There is no face in the picture. Choose one with a clear face.")
    return np.array(max(found, key=lambda one: one.box[3]).points)


def _steady_points(frame: np.ndarray) -> np.ndarray:
    """The same, medians over small shifts: the detector's points are some pixels off in each."""
    shifts = (0, 3, 6, 9, 12)
    return np.asarray(np.median([_points(frame[by:, by:]) + by for by in shifts], axis=0))


def _pupil(frame: np.ndarray, point: np.ndarray, apart: float) -> np.ndarray:
    """The darkest spot of an iris's size near an eye's point, x and y."""
    iris, reach = 0.06 * apart, round(0.14 * apart)
    dark = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (0, 0), iris)
    left, top = (max(0, round(value) - reach) for value in point)
    window = dark[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
    row, column = divmod(int(window.argmin()), window.shape[1])
    return np.array([left + column, top + row])


def _framed(picture: np.ndarray, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The part of the picture that a frame shows, at its size.

    The window is moved into the picture where it can be; beyond its edges they are repeated.
    """
    scale = APART / max(float(np.hypot(*(points[1] - points[0]))), 1.0)
    wide, high = round(size[0] / scale), round(size[1] / scale)
    x, y = (points[0] + points[1]) / 2
    left = _within(round(x - wide / 2), wide, picture.shape[1])
    top = _within(round(y - 0.42 * high), high, picture.shape[0])
    rows = np.arange(top, top + high).clip(0, picture.shape[0] - 1)
    columns = np.arange(left, left + wide).clip(0, picture.shape[1] - 1)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture[rows[:, None], columns], size, interpolation=method))


def _within(start: int, length: int, whole: int) -> int:
    """The start of a stretch moved into 0..whole where it fits, else in the middle."""
    return (whole - length) // 2 if length > whole else min(max(start, 0), whole - length)
