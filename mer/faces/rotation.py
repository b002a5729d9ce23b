"""Faces that lean: found in turned copies of a picture, since YuNet looks for upright ones.

YuNet misses leaning faces or is less sure of them, and its points hide the roll; but in the copy
in which a face stands upright it is as sure as ever, and which copy that is tells the roll. Frames
of videos and of the live view come faster than a search of copies: they are not searched so.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from mer.faces import detection, quality
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
    scores: its faces are all taken for upright. Raises MerError: no detector has this name;
    WeightsError: the detector's file is missing or damaged.
    """
    found = detection.detect(image, detector)
    if detector != "yunet" or (found and not _doubtful(image, found)):
        return found
    copies = shared_out(functools.partial(_in_copy, image), range(SEARCH.step, 360, SEARCH.step))
    everyone = [*found, *itertools.chain.from_iterable(copies)]
    kept: list[Face] = []
    best_first = sorted(everyone, key=lambda one: -one.score - SEARCH.better * (not one.roll))
    for face in best_first:
        sure = not face.roll or face.score >= SEARCH.least
        if sure and not any(_overlap(face, other) for other in kept):
            kept.append(face)
    rolled = [_refined(face, everyone) if face.roll else face for face in kept]
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


def _doubtful(image: np.ndarray, found: Sequence[Face]) -> bool:
    if min(face.score for face in found) < SEARCH.sure:
        return True
    largest = sorted(found, key=lambda one: -one.box[3])[: SEARCH.largest]
    return any(_leaning(image, face) for face in largest if not _surely_upright(face))


def _surely_upright(face: Face) -> bool:
    _, _, width, height = face.box
    long = height >= SEARCH.longer * width
    return face.score >= SEARCH.upright and long and quality.pose(face)[1] <= SEARCH.tilt


def _leaning(image: np.ndarray, face: Face) -> bool:
    """Whether a face, seen with half of it on every side, scores more when it is turned."""
    x, y, width, height = face.box
    rows = slice(max(0, y - height // 2), y + height + height // 2)
    around = image[rows, max(0, x - width // 2) : x + width + width // 2]
    around = detection.shrunk(around, SEARCH.small / max(around.shape[:2]))

    def highest_score(degrees: float) -> float:
        copy, _ = turned(around, degrees)
        return max((one.score for one in detection.detect(copy)), default=0.0)

    upright, *leaning = shared_out(highest_score, (0, -SEARCH.step, SEARCH.step, 180))
    return max(leaning) > upright + SEARCH.better


def _in_copy(image: np.ndarray, degrees: int) -> list[Face]:
    """Faces that stand upright in the picture turned by so much, where they lie in the picture.

    The box of each is the square about its box in the copy, clipped to the picture.
    """
    scale = min(1.0, detection.LONG_SIDE / float(np.hypot(*image.shape[:2])))
    copy, matrix = turned(detection.shrunk(image, scale), degrees)
    back = np.asarray(cv2.invertAffineTransform(matrix), np.float64) / scale
    larger = float(np.sqrt(np.linalg.det(back[:, :2])))
    roll, limit = (degrees + 180) % 360 - 180, np.array(image.shape[1::-1])
    moved = []
    for face in detection.detect(copy):
        x, y, width, height = face.box
        middle = back[:, :2] @ (x + width / 2, y + height / 2) + back[:, 2]
        half = max(width, height) * larger / 2
        low = np.clip(np.round(middle - half), 0, limit - 1).astype(int)
        size = np.clip(np.round(middle + half), low + 1, limit).astype(int) - low
        left, top, across, down = np.concatenate([low, size]).tolist()
        points = (np.asarray(face.points) @ back[:, :2].T + back[:, 2]).tolist()
        marks = tuple((px, py) for px, py in points)
        moved.append(Face((left, top, across, down), face.score, marks, roll))
    return moved


def _refined(face: Face, others: Sequence[Face]) -> Face:
    """The face with the roll at which the parabola through three copies' scores is highest."""
    near = [
        (one.score, (one.roll - face.roll + 180) % 360 - 180)
        for one in others
        if _overlap(face, one)
    ]
    before, after = (
        max((score for score, apart in near if apart == turn), default=SEARCH.unseen)
        for turn in (-SEARCH.step, SEARCH.step)
    )
    summit = (after - before) / 2 / max(2 * face.score - before - after, 1e-9)
    return replace(face, roll=face.roll + SEARCH.step * min(max(summit, -0.5), 0.5))


def _overlap(one: Face, other: Face) -> bool:
    return detection.iou(one.box, other.box) > detection.OVERLAP
