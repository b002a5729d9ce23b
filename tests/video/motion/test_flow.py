"""Dense flow between views of a face, and the head's part in it."""

import cv2
import numpy as np
import pytest

from mer.faces import alignment, detection
from mer.video.motion import flow


@pytest.fixture
def view(astronaut: np.ndarray) -> np.ndarray:
    (face,) = detection.detect(astronaut)
    return cv2.cvtColor(
        alignment.warped(astronaut, alignment.level(astronaut, face), 200), cv2.COLOR_RGB2GRAY
    )


def shifted(view: np.ndarray, x: float, y: float) -> np.ndarray:
    matrix = np.array([[1, 0, x], [0, 1, y]])
    return cv2.warpAffine(view, matrix, view.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def all_cells(vector: tuple[float, float]) -> np.ndarray:
    return np.tile(np.array(vector, np.float32), (flow.CELLS, flow.CELLS, 1))


TRUST = np.ones(flow.CELLS**2)


@pytest.mark.parametrize("size", [28, 64, 200, 320])
def test_blank_views_do_not_move(size: int) -> None:
    blank = np.full((size, size), 90, np.uint8)
    field = flow.dense(blank, blank)
    assert field.shape == (size, size, 2)
    assert field.dtype == np.float32
    assert np.abs(field).max() == 0


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.4, -0.3), (3.0, 1.5), (-8.0, 6.0)])
def test_a_shift_is_measured(view: np.ndarray, shift: tuple[float, float]) -> None:
    field = flow.dense(view, shifted(view, *shift))
    assert np.allclose(np.median(field[30:170, 30:170], axis=(0, 1)), shift, atol=0.15)


def test_brightness_hardly_counts(view: np.ndarray) -> None:
    brighter = np.clip(view * 1.08 + 5, 0, 255).astype(np.uint8)
    assert np.abs(np.median(flow.dense(view, brighter), axis=(0, 1))).max() < 0.05


def test_cells_are_in_pixels_of_the_aligned_face() -> None:
    field = np.full((160, 160, 2), 1.5, np.float32)
    assert np.allclose(flow.cells(field), 3.0)


def test_a_head_that_shows_nothing_does_not_move() -> None:
    motion, spread = flow.head(all_cells((0, 0)), 0 * TRUST)
    assert np.allclose(motion, 0)
    assert spread < 0.1


def test_the_head_s_motion_is_found_beside_an_expression() -> None:
    moved = all_cells((2.0, -1.0))
    moved[26:33, 10:30] += (0, 5)  # the mouth
    moved[8:12, 8:18] += (0, -4)  # a brow
    motion, _ = flow.head(moved, TRUST)
    rest = flow.without(moved, motion)
    assert np.abs(rest[18:22, 8:32]).max() < 0.2
    assert np.allclose(rest[28:31, 15:25], (0, 5), atol=0.5)


def test_a_turning_head_is_no_expression() -> None:
    yaw = np.zeros((4, 2))
    yaw[3, 0] = 4.0
    moved = (flow.PLACES @ yaw).reshape(flow.CELLS, flow.CELLS, 2)
    motion, _ = flow.head(moved, TRUST)
    assert np.abs(flow.without(moved, motion)).max() < 0.05


def test_following_the_head_undoes_its_motion(astronaut: np.ndarray) -> None:
    (face,) = detection.detect(astronaut)
    before = alignment.by_eyes(face)
    matrix = cv2.getRotationMatrix2D((220.0, 110.0), 4, 1.03)
    moved = cv2.warpAffine(astronaut, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    transform = before
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (astronaut, moved)]
    reference = alignment.warped(gray[0], before, 200)
    for _ in range(3):
        field = flow.dense(reference, alignment.warped(gray[1], transform, 200))
        motion, _ = flow.head(flow.cells(field), TRUST)
        transform = flow.followed(transform, motion)
    assert flow.longest(motion) < 0.3
    expected = np.vstack([before, (0, 0, 1)]) @ np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))
    assert np.abs((transform - expected[:2]) @ (220, 110, 1)).max() < 1
