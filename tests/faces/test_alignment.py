"""Faces turned level and brought to one size."""

import cv2
import numpy as np
import pytest

from mer.faces import alignment, detection
from mer.faces.detection import Face


def aligned(image: np.ndarray, face: Face, size: int = alignment.SIZE) -> np.ndarray:
    """The face, level and scaled."""
    return alignment.warped(image, alignment.level(image, face), size)


def blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def rolled(image: np.ndarray, face: Face, degrees: float) -> np.ndarray:
    """The picture turned clockwise about the face's middle."""
    x, y, width, height = face.box
    matrix = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), -degrees, 1)
    size = image.shape[1], image.shape[0]
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)


def roll_of(transform: np.ndarray) -> float:
    """Degrees by which a transform turns a face back."""
    return float(-np.degrees(np.arctan2(transform[1, 0], transform[0, 0])))


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the middle of two aligned faces."""
    first, second = (view[80:260, 80:240].ravel().astype(float) for view in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (90, 70, 10, 10), (0, 0, 100, 80), (99, 0, 1, 80)])
@pytest.mark.parametrize("points", [(), ((5.0, 5.0),) * 5])
def test_any_box_in_a_blank_picture_gives_a_blank_face(
    box: tuple[int, int, int, int], points: tuple[tuple[float, float], ...]
) -> None:
    face = aligned(blank(80, 100), Face(box, 1.0, points))
    assert face.shape == (320, 320, 3)
    assert face.dtype == np.uint8
    assert (face == 128).all()


def test_eyes_lie_at_their_places() -> None:
    points = ((40.0, 50.0), (70.0, 90.0), (50.0, 80.0), (30.0, 90.0), (50.0, 110.0))
    transform = alignment.by_eyes(Face((20, 30, 70, 90), 1.0, points))
    eyes = np.array(points[:2]) @ transform[:, :2].T + transform[:, 2]
    assert np.allclose(eyes, [[100, 120], [220, 120]])


def test_a_box_without_points_will_do(astronaut: np.ndarray) -> None:
    (face,), (boxed,) = detection.detect(astronaut), detection.detect_faces(astronaut)
    eyes = np.array(face.points[:2])
    transform = alignment.by_eyes(boxed)
    found = eyes @ transform[:, :2].T + transform[:, 2]
    assert np.allclose(found, [[100, 120], [220, 120]], atol=20)


@pytest.mark.parametrize("degrees", [-20, -8, 8, 20])
def test_a_rolled_head_is_levelled(astronaut: np.ndarray, degrees: float) -> None:
    (face,) = detection.detect(astronaut)
    turned = rolled(astronaut, face, degrees)
    found = max(detection.detect(turned), key=lambda face: face.score)
    rolls = [roll_of(alignment.level(*shown)) for shown in ((turned, found), (astronaut, face))]
    assert rolls[0] - rolls[1] == pytest.approx(degrees, abs=3)


@pytest.mark.parametrize("scale", [0.5, 2, 8])
def test_a_face_of_any_size_looks_the_same(astronaut: np.ndarray, scale: float) -> None:
    (face,) = detection.detect(astronaut)
    points = tuple(
        (x * scale + scale / 2 - 0.5, y * scale + scale / 2 - 0.5) for x, y in face.points
    )
    box = tuple(round(value * scale) for value in face.box)
    scaled = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    other = aligned(scaled, Face((box[0], box[1], box[2], box[3]), 1.0, points))
    assert alike(other, aligned(astronaut, face)) > 0.97


def test_a_smaller_view_shows_the_same_places(astronaut: np.ndarray) -> None:
    (face,) = detection.detect(astronaut)
    large, small = (aligned(astronaut, face, size) for size in (320, 160))
    halved = cv2.resize(large, (160, 160), interpolation=cv2.INTER_AREA)
    assert np.abs(halved.astype(int) - small).mean() < 2


def test_a_gray_picture_stays_gray(astronaut: np.ndarray) -> None:
    (face,) = detection.detect(astronaut)
    gray = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    assert alignment.warped(gray, alignment.by_eyes(face), 100).shape == (100, 100)
