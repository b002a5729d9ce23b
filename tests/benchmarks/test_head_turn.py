"""A turned head: what it shows afterwards, and that all around it stays."""

import numpy as np
import pytest
import skimage.data

from benchmarks.synthetic.head_turn import turn
from mer.faces import detection, measures


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    """A picture, and the points of its face."""
    picture = skimage.data.astronaut()
    (found, *_) = detection.detect(picture)
    mesh = measures.landmarks(picture, found)
    assert mesh is not None
    return picture, mesh


def test_no_turn_changes_next_to_nothing(face: tuple[np.ndarray, np.ndarray]) -> None:
    picture, points = face
    assert np.abs(turn(picture, points, 0).astype(int) - picture).mean() < 1


def test_a_face_at_the_edge_of_its_picture_can_be_turned(
    face: tuple[np.ndarray, np.ndarray],
) -> None:
    picture, points = face
    left, top = points[:, :2].min(axis=0).astype(int)
    cut = picture[top : top + 150, left : left + 120]
    assert turn(cut, points - (left, top, 0), 30).shape == cut.shape


@pytest.mark.parametrize("degrees", [-30, 30])
def test_the_head_looks_to_the_side(face: tuple[np.ndarray, np.ndarray], degrees: float) -> None:
    picture, points = face
    turned = turn(picture, points, degrees)
    assert np.array_equal(turned[400:], picture[400:])  # the suit, far below
    (found, *_) = detection.detect(turned)
    mesh = measures.landmarks(turned, found)
    assert mesh is not None
    assert measures.of(mesh).yaw == pytest.approx(degrees, abs=10)
