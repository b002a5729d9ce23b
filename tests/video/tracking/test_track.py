"""Carrying a face from one frame to the next."""

import cv2
import numpy as np
import pytest

from mer.faces.detection import Face
from mer.video.tracking.track import carry, centre, moved, place_of

FACE = Face((180, 65, 88, 110), 0.9, ((199, 110), (239, 108), (220, 128), (206, 150), (236, 149)))


def gray(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("shape", [(1, 1), (20, 20), (400, 400)])
def test_without_texture_nothing_is_carried(shape: tuple[int, int]) -> None:
    flat = np.full(shape, 90, np.uint8)
    assert carry(flat, flat, place_of(FACE)) is None


def test_a_face_outside_the_frame_is_not_carried(astronaut: np.ndarray) -> None:
    outside = place_of(Face((900, 900, 80, 90), 0.9))
    assert carry(gray(astronaut), gray(astronaut), outside) is None


def test_another_picture_is_not_taken_for_the_next_frame(astronaut: np.ndarray) -> None:
    assert carry(gray(astronaut), gray(astronaut[::-1]), place_of(FACE)) is None


@pytest.mark.parametrize("large", [1, 3])  # larger faces are shrunk on the way
@pytest.mark.parametrize(
    ("shift", "turn", "scale"), [((9, -6), 0, 1), ((0, 0), 5, 1), ((4, 3), -3, 1.05)]
)
def test_box_and_points_move_as_the_face_does(
    astronaut: np.ndarray, large: int, shift: tuple[int, int], turn: float, scale: float
) -> None:
    frame = cv2.resize(gray(astronaut), None, fx=large, fy=large)
    place = place_of(FACE) * large
    motion = cv2.getRotationMatrix2D(centre(place).tolist(), turn, scale)
    motion[:, 2] += np.array(shift) * large
    after = cv2.warpAffine(frame, motion, frame.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    carried, expected = carry(frame, after, place), moved(place, motion)
    assert carried is not None
    assert np.abs(carried - expected).max() < 0.6 * large
