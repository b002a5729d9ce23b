"""A face that cannot be judged is said to be so, with the reason."""

import cv2
import numpy as np
import pytest

from mer.faces import detection, quality
from mer.faces.detection import Face
from mer.faces.quality import Quality
from mer.inference.predictor import Predictor
from mer.ui import parts

GOOD = Quality(height=100, sharpness=0.5, brightness=120, turn=0, tilt=0)
FRONTAL = ((40.0, 40.0), (60.0, 40.0), (50.0, 52.0), (42.0, 64.0), (58.0, 64.0))


def turned(degrees: float) -> Face:
    """A face of FRONTAL points, turned in the picture's plane."""
    matrix = cv2.getRotationMatrix2D((50, 50), degrees, 1)
    points = np.asarray(FRONTAL) @ matrix[:, :2].T + matrix[:, 2]
    return Face((20, 20, 60, 60), 0.9, tuple((float(x), float(y)) for x, y in points))


def test_a_black_picture_is_too_dark_and_has_nothing_sharp() -> None:
    measured = quality.measure(np.zeros((80, 80, 3), np.uint8), Face((10, 10, 80, 80), 0.9))
    assert measured == Quality(80, 0.0, 0.0, 0.0, 0.0)
    assert [text[:8] for text in quality.concerns(measured)] == ["too blur", "too dark"]


def test_a_good_face_raises_no_concern(astronaut: np.ndarray) -> None:
    assert quality.concerns(GOOD) == ()
    (face,) = detection.detect(astronaut)
    assert quality.concerns(quality.measure(detection.crop(astronaut, face), face)) == ()


def test_a_small_face_is_not_called_blurred_too() -> None:
    (reason,) = quality.concerns(Quality(12, 0.01, 120, 0, 0))
    assert reason.startswith("too small (12 pixels high")


@pytest.mark.parametrize("degrees", [0, 30, 90, 180])
def test_the_tilt_is_that_of_the_points(degrees: float) -> None:
    measured = quality.measure(np.full((100, 100, 3), 128, np.uint8), turned(degrees))
    assert measured.tilt == pytest.approx(degrees, abs=0.5)
    assert measured.turn == pytest.approx(0, abs=0.5)


def test_a_nose_beside_the_middle_is_a_turn_to_the_side() -> None:
    aside = (*FRONTAL[:2], (60.0, 52.0), *FRONTAL[3:])  # by half of the distance of the eyes
    gray = np.full((100, 100, 3), 128, np.uint8)
    assert quality.measure(gray, Face((20, 20, 60, 60), 0.9, aside)).turn == pytest.approx(
        46, abs=1
    )
    same = (FRONTAL[0], FRONTAL[0], *FRONTAL[2:])  # a profile, its eyes in one place
    assert quality.measure(gray, Face((20, 20, 60, 60), 0.9, same)).turn == 90


def test_darkness_is_said_before_any_expression(astronaut: np.ndarray) -> None:
    dim = (astronaut * 0.1).astype(np.uint8)
    (found,) = detection.detect(astronaut)
    assert "too dark" in quality.concerns(quality.measure(detection.crop(dim, found), found))
    shrunk = cv2.resize(astronaut, None, fx=0.16, fy=0.16, interpolation=cv2.INTER_AREA)
    (prediction,) = Predictor("cnn1").predict(np.ascontiguousarray(shrunk, np.uint8))
    assert not prediction.sure
    assert parts.sentence(1, prediction).startswith("Unsure about face 1, for it is too small (")
