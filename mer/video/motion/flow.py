"""Dense optical flow between two views of a face, and the part of it that is the head's."""

from typing import Final

import cv2
import numpy as np

from mer.faces.alignment import SIZE

CELLS: Final = 40  # cells a side in which a field is summed up: 8 pixels of the aligned face
ROUNDS: Final = 5  # of reweighting; the fit has settled by then
FLOOR: Final = 0.05  # pixels of deviation that every cell is allowed
STEADY: Final = 1e-6 * np.eye(6)  # where a view shows nothing, no motion is the answer

# Where a face is stiff enough to show the head's motion: an ellipse (centre and half axes, pixels
# of the aligned face) without the eyes, and with less of what expressions move.
FACE: Final = (160.0, 165.0, 115.0, 150.0)
EYES: Final = ((104.0, 120.0, 38.0, 20.0), (216.0, 120.0, 38.0, 20.0))
SOFTER: Final = (
    (100.0, 80.0, 50.0, 22.0),  # brows, and between them
    (160.0, 85.0, 30.0, 22.0),
    (220.0, 80.0, 50.0, 22.0),
)
SOFTER_WEIGHT: Final = 0.3
NOSE: Final = (160.0, 172.0, 40.0, 32.0)
NOSE_WEIGHT: Final = 0.6
CHEEKS: Final = 190.0  # how far down cheeks, mouth and chin begin: a smile lifts them all
CHEEKS_WEIGHT: Final = 0.15


def gray(image: np.ndarray) -> np.ndarray:
    """RGB uint8 as gray uint8."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def dense(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Motion from one gray view to another, float32 (height, width, 2): x and y in their pixels.

    Both are uint8 (height, width). Dense inverse search (Kroeger et al. 2016) down to half the
    resolution: OpenCV's quicker presets stop at a quarter, where a motion of 2 pixels beside a
    mouth shrinks to a third.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)  # not for many threads
    search.setFinestScale(1)
    search.setPatchSize(12)
    search.setPatchStride(6)
    search.setGradientDescentIterations(8)
    search.setVariationalRefinementIterations(3)
    field: np.ndarray = search.calc(first, second, None)  # type: ignore[call-overload]
    return field


def cells(field: np.ndarray) -> np.ndarray:
    """A square field's means over CELLS x CELLS, float32 (CELLS, CELLS, 2), in pixels of SIZE."""
    means = cv2.resize(field, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return means * np.float32(SIZE / len(field))


def ellipse(x: float, y: float, across: float, down: float) -> np.ndarray:
    """Bool (CELLS, CELLS): cells with their centre in it; pixels of the aligned face."""
    return ((_CENTRES - x) / across) ** 2 + ((_CENTRES[:, None] - y) / down) ** 2 < 1


_CENTRES: Final = (np.arange(CELLS) + 0.5) * SIZE / CELLS  # of the cells, pixels

STIFFNESS: Final = ellipse(*FACE).astype(np.float64)
STIFFNESS[np.any([ellipse(*part) for part in SOFTER], axis=0)] = SOFTER_WEIGHT
STIFFNESS[ellipse(*NOSE)] *= NOSE_WEIGHT
STIFFNESS[_CENTRES > CHEEKS] *= CHEEKS_WEIGHT
STIFFNESS[np.any([ellipse(*eye) for eye in EYES], axis=0)] = 0
STIFF: Final = STIFFNESS.ravel() > 0

# Of each cell 1, x and y from -1 to 1, and depth, 0 to about 1: float (CELLS * CELLS, 4). The depth
# is that of any head, roughly: a vault with a nose. Where a head turns or nods, each part moves in
# proportion to it.
_AXIS: Final = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
_X, _Y = (grid.ravel() for grid in np.meshgrid(_AXIS, _AXIS))
_VAULT: Final = -1.8 * _X**2 - 0.4 * _Y**2
_NOSE: Final = 0.4 * np.exp(-((_X / 0.16) ** 2) - ((_Y - 0.12) / 0.22) ** 2)
PLACES: Final = np.column_stack([np.ones(CELLS**2), _X, _Y, _VAULT + _NOSE])

_ONE, _RIGHT, _DOWN, _DEPTH = PLACES[STIFF].T
# Float (2 * stiff cells, 6): what shift, size, roll, turn and nod do to x, then to y.
_HEAD: Final = np.hstack(
    [
        [_ONE, 0 * _ONE, _RIGHT, -_DOWN, _DEPTH, 0 * _ONE],
        [0 * _ONE, _ONE, _DOWN, _RIGHT, 0 * _ONE, _DEPTH],
    ]
).T


def head(moved: np.ndarray, trust: np.ndarray | float = 1.0) -> tuple[np.ndarray, float]:
    """The motion that most of a face follows: the head's, if no expression takes it all.

    A similarity (shift, roll, size) and what depth adds as the head turns and nods. An affine
    motion, freer by two numbers, took a part of the expression with it. Least squares, reweighted
    by Geman and McClure's function, so that what moves otherwise hardly counts.

    Args:
        moved: float (CELLS, CELLS, 2), pixels of the aligned face.
        trust: float (CELLS * CELLS,), how far the flow of each cell is to be trusted.

    Returns:
        float (4, 2), the motion of the centre, and what is added towards the right edge, the lower
        edge, and the viewer; and a robust standard deviation of the stiff part from it, in pixels.
    """
    vectors = moved.reshape(-1, 2)[STIFF].astype(np.float64)
    target, weights = vectors.T.ravel(), (STIFFNESS.ravel() * trust)[STIFF]
    current = weights
    for _ in range(ROUNDS):
        weighted = _HEAD.T * np.concatenate([current, current])
        numbers = np.linalg.solve(weighted @ _HEAD + STEADY, weighted @ target)
        deviation = np.hypot(*(target - _HEAD @ numbers).reshape(2, -1))
        spread = 1.48 * float(np.median(deviation)) + FLOOR
        current = weights / (1 + (deviation / (1.5 * spread)) ** 2) ** 2
    right, down, size, roll, turn, nod = numbers
    return np.array([(right, down), (size, roll), (-roll, size), (turn, nod)]), spread


def longest(motion: np.ndarray) -> float:
    """The longest way, in pixels, that a part of the face goes in the plane of the picture."""
    return float(np.hypot(*(PLACES[STIFF, :3] @ motion[:3]).T).max())


def without(moved: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """A field of cells less the head's motion, float32 (CELLS, CELLS, 2)."""
    return np.asarray(moved - (PLACES @ motion).reshape(moved.shape), np.float32)


def followed(transform: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """A transform onto the aligned face, moved along so that the motion would vanish."""
    step = np.eye(3)
    step[:2, :2] += motion[1:3].T / (SIZE / 2)
    step[:2, 2] += motion[0] - motion[1] - motion[2]
    return np.linalg.solve(step, np.vstack([transform, (0, 0, 1)]))[:2]
