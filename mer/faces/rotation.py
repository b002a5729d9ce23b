"""Faces that lean: found in turned copies of a picture, since YuNet looks for upright ones.

YuNet misses leaning faces or is less sure of them, and its points hide the roll; but in the copy
in which a face stands upright it is as sure as ever, and which copy that is tells the roll.
`python -m benchmarks robustness` measures it. Pictures are read so; videos and the live view, whose
frames come faster than a search of copies, are not.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from mer.faces import detection, quality, yunet
from mer.faces.detection import Face
from mer.weights.onnx_session import shared_out


@dataclass(frozen=True)
class Search:
    """When and how turned copies are searched; scores are YuNet's.

    Measured on the faces of the group photographs (docs/lab/robustness.md), boxed at 37 to 109
    pixels. All upright ones score 0.85 or more, and 1 in 10 of those that lean by 45 degrees.
    Large faces score up to 0.91 there, so the largest are looked at in small copies of their own,
    unless they are surely upright. Of the upright faces 98 in 100 are, by score, box and points,
    89 of held-out faces enlarged to 250 pixels, and 70 of those as they are, 99 pixels high; of
    faces that lean by 45 degrees or more it is 2, 0.3 and 0.2 in 100.
    """

    step: int = 30  # Degrees between copies: YuNet and the networks bear half of it.
    sure: float = 0.85  # Score below which a face is doubtful.
    upright: float = 0.89  # Least score of a surely upright face.
    longer: float = 1.15  # Least height over width of such a face.
    tilt: float = 16.0  # Most degrees of its tilt, see `quality.pose`.
    least: float = 0.8  # Score of a face that only a copy shows: more looks find more false ones.
    unseen: float = 0.5  # Score of a face that a copy does not show; THRESHOLD is 0.6.
    better: float = 0.02  # By so much a copy's score has to exceed the picture's.
    largest: int = 4  # Faces whose own copies are looked at.
    small: int = 160  # Pixels of the long side of those copies.


SEARCH: Final = Search()


def detect(image: np.ndarray, detector: str = "yunet") -> list[Face]:
    """Every face of an RGB uint8 picture, from left to right, upright or not, with its roll.

    Copies are searched where YuNet finds nothing, a face that it is not sure of, or a large one
    that is not surely upright and that it is surer of in a copy. The Haar cascade has no such
    scores: its faces are all taken for upright.

    Raises:
        MerError: no detector has this name.
        WeightsError: the detector's file is missing or damaged.
    """
    found = detection.detect(image, detector)
    if detector != "yunet" or (found and not any(_doubtful(image, found))):
        return found
    copies = shared_out(functools.partial(_in_copy, image), range(SEARCH.step, 360, SEARCH.step))
    turned_faces = [face for copy in copies for face in copy]
    kept: list[Face] = []
    for face in sorted([*found, *turned_faces], key=_preference, reverse=True):
        sure = not face.roll or face.score >= SEARCH.least
        if sure and not any(_overlapping(face, other) for other in kept):
            kept.append(face)
    rolled = [_refined(face, [*found, *turned_faces]) if face.roll else face for face in kept]
    return sorted(rolled, key=lambda face: face.box)


def turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture turned counter-clockwise, edges repeated, and the transform (2, 3) to it."""
    height, width = image.shape[:2]
    cosine, sine = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    copy = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(copy, np.uint8), matrix


def _doubtful(image: np.ndarray, found: Sequence[Face]) -> Iterator[bool]:
    yield min(face.score for face in found) < SEARCH.sure
    largest = sorted(found, key=lambda one: -one.box[3])[: SEARCH.largest]
    for face in [one for one in largest if not _upright(one)]:
        around = _around(image, face)
        upright, *leaning = shared_out(
            functools.partial(_highest_score, around), (0, -SEARCH.step, SEARCH.step, 180)
        )
        yield max(leaning) > upright + SEARCH.better


def _highest_score(image: np.ndarray, degrees: float) -> float:
    """The score of the surest face in the picture turned by so much; 0 where there is none."""
    return max((one.score for one in detection.detect(turned(image, degrees)[0])), default=0.0)


def _upright(face: Face) -> bool:
    _, _, width, height = face.box
    long = height >= SEARCH.longer * width
    return face.score >= SEARCH.upright and long and quality.pose(face)[1] <= SEARCH.tilt


def _around(image: np.ndarray, face: Face) -> np.ndarray:
    """The face and half of it on every side, at most `small` pixels."""
    x, y, width, height = face.box
    rows = slice(max(0, y - height // 2), y + height + height // 2)
    part = image[rows, max(0, x - width // 2) : x + width + width // 2]
    return _fitted(part, SEARCH.small / max(part.shape[:2]))


def _fitted(image: np.ndarray, scale: float) -> np.ndarray:
    """The picture at this scale, not enlarged."""
    size = [max(1, round(min(scale, 1.0) * side)) for side in image.shape[1::-1]]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _in_copy(image: np.ndarray, degrees: int) -> list[Face]:
    """Faces that stand upright in the picture turned by so much, where they lie in the picture."""
    scale = min(1.0, detection.LONG_SIDE / float(np.hypot(*image.shape[:2])))
    copy, matrix = turned(_fitted(image, scale), degrees)
    back = np.asarray(cv2.invertAffineTransform(matrix), np.float64) / scale
    roll = (degrees + 180) % 360 - 180
    return [_moved_back(face, back, roll, image.shape[1::-1]) for face in detection.detect(copy)]


def _refined(face: Face, others: list[Face]) -> Face:
    """The face with the roll at which the parabola through three copies' scores is highest."""
    before, after = (
        max(
            (o.score for o in others if _roll_apart(face, o) == turn and _overlapping(face, o)),
            default=SEARCH.unseen,
        )
        for turn in (-SEARCH.step, SEARCH.step)
    )
    summit = (after - before) / 2 / max(2 * face.score - before - after, 1e-9)
    return replace(face, roll=face.roll + SEARCH.step * min(max(summit, -0.5), 0.5))


def _roll_apart(one: Face, other: Face) -> float:
    """Degrees from one's roll to the other's, -180..180."""
    return (other.roll - one.roll + 180) % 360 - 180


def _moved_back(face: Face, back: np.ndarray, roll: int, limit: tuple[int, ...]) -> Face:
    """A copy's face in the picture: its box is the square about it, clipped to the picture."""
    x, y, width, height = face.box
    scale = float(np.sqrt(np.linalg.det(back[:, :2])))
    middle = back[:, :2] @ (x + width / 2, y + height / 2) + back[:, 2]
    half = max(width, height) * scale / 2
    low = np.clip(np.round(middle - half), 0, np.array(limit) - 1).astype(int)
    high = np.clip(np.round(middle + half), low + 1, limit).astype(int)
    box = int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])
    moved = np.asarray(face.points) @ back[:, :2].T + back[:, 2]
    return Face(box, face.score, tuple((float(px), float(py)) for px, py in moved), roll)


def _preference(face: Face) -> float:
    return face.score if face.roll else face.score + SEARCH.better


def _overlapping(one: Face, other: Face) -> bool:
    return yunet.iou(one.box, other.box) > detection.OVERLAP
