"""Motion maps: the form of the training maps, whatever moves and however far."""

import cv2
import numpy as np
import pytest

from mer.faces import detection
from mer.faces.alignment import level, warped
from mer.video import motion_classifier


@pytest.fixture
def face(astronaut: np.ndarray) -> np.ndarray:
    return warped(astronaut, level(astronaut, detection.detect(astronaut)[0]))


def shifted(face: np.ndarray, x: float, y: float, right: float, down: float) -> np.ndarray:
    """The face with a patch around a point, 20 pixels wide, moved by some pixels."""
    columns, rows = np.meshgrid(np.arange(320.0), np.arange(320.0))
    level = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / 20**2)
    across, along = columns - right * level, rows - down * level
    return cv2.remap(face, across.astype(np.float32), along.astype(np.float32), cv2.INTER_CUBIC)


def cell(x: float, y: float) -> tuple[int, int]:
    """Row and column of a map in which a point of the aligned face lies."""
    left, top, right, bottom = motion_classifier.CROP
    return int((y - top) / (bottom - top) * 28), int((x - left) / (right - left) * 28)


def test_no_motion_is_a_map_of_zeros(face: np.ndarray) -> None:
    found = motion_classifier.flow_map(face, face)
    assert found.shape == (28, 28, 3)
    assert found.dtype == np.float32
    assert not motion_classifier.levelled(found[None]).any()


def test_no_maps() -> None:
    none = np.zeros((0, 28, 28, 3))
    assert motion_classifier.levelled(none).shape == (0, 3, 28, 28)
    assert motion_classifier.features(none, 1.0).shape == (0, motion_classifier.INPUTS)


def test_every_channel_goes_from_0_to_255(face: np.ndarray) -> None:
    found = motion_classifier.flow_map(face, shifted(face, 110, 250, -2, -2))
    np.testing.assert_allclose(found.min((0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(found.max((0, 1)), 255, atol=1e-3)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (-3, 0), (0, 3), (0, -3)])
def test_signs_and_places_are_those_of_the_picture(
    face: np.ndarray, right: float, down: float
) -> None:
    found = motion_classifier.levelled(
        motion_classifier.flow_map(face, shifted(face, 120, 240, right, down))[None]
    )[0]
    channel, sign = (0, right) if right else (1, down)
    strongest = np.unravel_index((found[channel] * np.sign(sign)).argmax(), (28, 28))
    assert np.abs(np.subtract(strongest, cell(120, 240))).max() <= 2


def test_the_map_does_not_tell_how_far(face: np.ndarray) -> None:
    near, far = (motion_classifier.flow_map(face, shifted(face, 120, 240, 0, -d)) for d in (1.5, 3))
    values = motion_classifier.levelled(np.stack([near, far]))[:, 1].reshape(2, -1)
    assert np.corrcoef(values)[0, 1] > 0.9


def test_strain_is_that_of_the_formula() -> None:
    rows, columns = np.mgrid[:20, :20].astype(np.float32)
    field = np.dstack([0.1 * columns + 0.3 * rows, 0.2 * rows])
    expected = np.sqrt(0.1**2 + 0.2**2 + 0.3**2 / 2)
    np.testing.assert_allclose(motion_classifier.strain(field), expected, rtol=1e-4)


def test_levelled_maps_keep_what_was_given() -> None:
    given = np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 3)).astype(np.float32)
    before = given.copy()
    found = motion_classifier.levelled(given)
    np.testing.assert_array_equal(given, before)
    np.testing.assert_allclose(np.median(found[:, :2], (2, 3)), 0, atol=1e-4)
    np.testing.assert_array_equal(found[:, 2], given[..., 2])


def test_a_map_mirrored_twice_is_itself() -> None:
    given = motion_classifier.levelled(np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 3)))
    once = motion_classifier.mirrored(given)
    np.testing.assert_array_equal(once[0, 0, :, 0], -given[0, 0, :, -1])
    np.testing.assert_array_equal(motion_classifier.mirrored(once), given)
