"""A face of a picture, turned to the side by a known angle with the mesh of its own 478 points."""

from typing import Final

import cv2
import numpy as np
from scipy.spatial import Delaunay

# Widths of the face: how far behind its points the axis of the neck stands; how far around the
# mesh the side of the head reaches, and how far behind the mesh's edge it lies; and the ring
# outside of which nothing moves.
AXIS: Final = 0.5
SIDES, BEHIND, STILL = 0.15, 0.35, 0.6
FINE: Final = 192  # pixels: the face's width is brought to at least this, since triangles are drawn


def turn(picture: np.ndarray, points: np.ndarray, degrees: float) -> np.ndarray:
    """Turn the head about the vertical; the middle of the face stays where it is.

    What the picture does not show, such as a hidden ear, is stretched from what it shows.

    Args:
        picture: RGB uint8 (height, width, 3).
        points: float (478, 3), as `mer.faces.measures.landmarks` gives them.
        degrees: positive to the picture's right, under 90.
    """
    left, top, right, bottom = _window(points, picture.shape)
    part = picture[top:bottom, left:right]
    finer = max(1, round(FINE / float(np.ptp(points[:, 0]))))
    size = finer * part.shape[1], finer * part.shape[0]
    large = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC)
    source, target = _vertices(finer * (points - (left, top, 0)), degrees)
    x, y = _maps(source, target, size)
    warped = cv2.remap(large, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    turned = picture.copy()
    turned[top:bottom, left:right] = cv2.resize(
        warped, part.shape[1::-1], interpolation=cv2.INTER_AREA
    )
    return turned


def _window(points: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what the turn changes, within the picture."""
    away = (STILL + 0.1) * float(np.ptp(points[:, 0]))
    left, top = np.maximum(points[:, :2].min(axis=0) - away, 0).astype(int)
    right, bottom = np.minimum(points[:, :2].max(axis=0) + away, shape[1::-1]).astype(int)
    return left, top, right, bottom


def _vertices(points: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Every vertex (n, 3) before and after: the points, the head's sides, a ring that stays."""
    width = float(np.ptp(points[:, 0]))
    edge = points[cv2.convexHull(points[:, :2].astype(np.float32), returnPoints=False).ravel()]
    sides, still = _ring(edge, points, SIDES * width), _ring(edge, points, STILL * width)
    sides[:, 2] += BEHIND * width
    still[:, 2] += 2 * width
    head = np.vstack([points, sides])
    return np.vstack([head, still]), np.vstack([_rotated(head, points, width, degrees), still])


def _ring(edge: np.ndarray, points: np.ndarray, away: float) -> np.ndarray:
    """The edge of the mesh, moved outwards in the plane by so many pixels."""
    outwards = edge[:, :2] - points[:, :2].mean(axis=0)
    ring = edge.copy()
    ring[:, :2] += away * outwards / np.linalg.norm(outwards, axis=1, keepdims=True)
    return ring


def _rotated(head: np.ndarray, points: np.ndarray, width: float, degrees: float) -> np.ndarray:
    """The vertices after the turn, shifted so that the points' middle is where it was."""
    angle = np.radians(degrees)
    x = head[:, 0] - points[:, 0].mean()
    z = head[:, 2] - points[:, 2].mean() - AXIS * width
    across = x * np.cos(angle) - z * np.sin(angle)
    away = z * np.cos(angle) + x * np.sin(angle)
    face = slice(len(points))
    across += _middle(head[face, 0]) - _middle(across[face])
    return np.column_stack([across, head[:, 1], away])


def _middle(values: np.ndarray) -> float:
    return float(values.min() + values.max()) / 2


def _maps(
    source: np.ndarray, target: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel (height, width) of the turned picture lies in the first one, x and y."""
    x, y = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    triangles = Delaunay(source[:, :2]).simplices
    for triangle in triangles[np.argsort(-target[triangles, 2].mean(axis=1))]:  # the nearest last
        before, after = source[triangle, :2], target[triangle, :2]
        if _area(before) * _area(after) > 0:  # else it shows its back
            _fill(x, y, before, after)
    return x, y


def _area(corners: np.ndarray) -> float:
    (a, b), (c, d) = corners[1:] - corners[0]
    return float(a * d - b * c)


def _fill(x: np.ndarray, y: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
    """Write one triangle's places into the maps."""
    left, top = np.maximum(np.floor(after.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(after.max(axis=0)).astype(int) + 1, (x.shape[1], x.shape[0]))
    if right <= left or bottom <= top:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, np.round(after - (left, top)).astype(np.int32), 1)
    rows, columns = np.nonzero(mask)
    back = cv2.getAffineTransform(after.astype(np.float32), before.astype(np.float32))
    places = np.column_stack([columns + left, rows + top, np.ones(len(rows))]) @ back.T
    x[rows + top, columns + left], y[rows + top, columns + left] = places.T
