"""Where a face is covered: by scores laid down by hand, and on a real face behind a drawn hand."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.synthetic.clips import Clip
from benchmarks.synthetic.timeline import Expression
from mer.errors import WeightsError
from mer.faces import detection, quality
from mer.faces.detection import Face
from mer.faces.quality import Cover
from tools.occlusion import worn
from tools.occlusion.shades import glasses
from tools.occlusion.synthetic import covered


@pytest.fixture
def model() -> Cover:
    weights = np.zeros((2, quality.INPUTS)), np.zeros(2)
    return Cover(*weights, rise=1.0, most=0.0, still=(1.0, 1.0))


@pytest.fixture
def shipped() -> Cover:
    return quality.cover_model()


@pytest.fixture
def portrait(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[:300, 80:380])


def test_no_looks_cover_nothing(model: Cover) -> None:
    assert model.covered(np.empty(0)).tolist() == []
    assert quality.covered_spans(np.empty(0), np.empty(0, bool)).shape == (0, 2)


def test_looks_that_tell_nothing_cover_nothing(model: Cover) -> None:
    assert not model.covered(np.full(9, np.nan)).any()


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mer.weights.store.FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"cover\.safetensors is missing"):
        quality.cover_model()


@pytest.mark.parametrize("own", [-3.0, -1.0])
def test_a_face_is_compared_with_itself(model: Cover, own: float) -> None:
    scores = np.full(40, own)
    scores[10:20] += 1.5
    assert quality.covered_spans(np.arange(40.0), model.covered(scores)).tolist() == [[9, 20]]
    scores[10:20] -= 1.0
    assert not model.covered(scores).any()


def test_a_face_that_is_never_bare_is_covered(model: Cover) -> None:
    assert model.covered(np.full(10, 1.5)).all()
    assert not model.covered(np.full(10, 0.5)).any()  # that may be a beard


def test_a_single_look_is_not_believed(model: Cover) -> None:
    scores = np.full(20, -1.0)
    scores[7] = 5.0
    assert not model.covered(scores).any()
    scores[12:15] = np.nan
    assert not model.covered(scores).any()


def test_a_face_too_small_or_without_points_is_not_judged(
    shipped: Cover, portrait: np.ndarray
) -> None:
    (face,) = detection.detect(portrait)
    x, y, _, height = face.box
    assert np.isnan(shipped.scores(portrait, Face(face.box, 1.0))).all()
    assert np.isnan(shipped.scores(portrait, Face((x, y, 30, height), 1.0, face.points))).all()


def test_covers_raise_the_score_and_expressions_do_not(
    shipped: Cover, astronaut: np.ndarray
) -> None:
    events = [Expression("smile", 0, 500, 1000, 10.0)]
    rest, apex = (
        frame.image for frame in Clip(astronaut, fps=2, seconds=1, events=events, drift=0, blinks=0)
    )
    (face,) = detection.detect(rest)
    bare = shipped.scores(rest, face)[0]
    assert shipped.scores(apex, face)[0] < bare + shipped.rise / 2
    gray, random = cv2.cvtColor(rest, cv2.COLOR_RGB2GRAY), np.random.default_rng(0)
    drawn = [covered(gray, np.array(face.points), gray, random) for _ in range(30)]
    scores = [shipped.scores(cv2.cvtColor(one, cv2.COLOR_GRAY2RGB), face)[0] for one in drawn]
    assert np.median(scores) > bare + shipped.rise


def test_covers_are_drawn_over_the_face_alone(portrait: np.ndarray) -> None:
    gray = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)
    (face,) = detection.detect(portrait)
    points = np.array(face.points)
    one, same = (covered(gray, points, gray, np.random.default_rng(seed)) for seed in (1, 1))
    assert np.array_equal(one, same)
    assert one.dtype == np.uint8
    assert 0.01 < np.mean(cv2.absdiff(one, gray) > 10) < 0.5


def test_masks_and_hands_in_a_picture_are_said_and_bare_faces_not(portrait: np.ndarray) -> None:
    (bare,) = quality.mark_covered(portrait, detection.detect(portrait))
    assert not bare.covered
    points, random = np.array(bare.points), np.random.default_rng(0)
    found = []
    for _ in range(20):
        masked = worn.mask(portrait, points, random)
        found += [face.covered for face in quality.mark_covered(masked, [bare])]
        why = quality.concerns(quality.measure(masked, replace(bare, covered=True)))
        assert why == ("covered (by a hand, a mask, sunglasses or the like)",)
    assert np.mean(found) > 0.5


@pytest.mark.parametrize("sigma", [4.0, 6.0, 8.0])
def test_a_blurred_face_is_not_said_to_be_covered(portrait: np.ndarray, sigma: float) -> None:
    for shown in (portrait, np.ascontiguousarray(portrait[:, ::-1])):
        blurred = cv2.GaussianBlur(shown, (0, 0), sigma)
        faces = quality.mark_covered(blurred, detection.detect(blurred))
        assert not any(face.covered for face in faces)


def test_sunglasses_in_a_picture_are_said_and_plain_glasses_not(portrait: np.ndarray) -> None:
    (bare,) = detection.detect(portrait)
    points, random = np.array(bare.points), np.random.default_rng(0)
    gray = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)

    def said(*, dark: bool) -> float:
        drawn = [glasses(gray, points, random, dark=dark) for _ in range(20)]
        colours = [cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) for image in drawn]
        return float(np.mean([quality.mark_covered(one, [bare])[0].covered for one in colours]))

    assert said(dark=True) > 0.5
    assert said(dark=False) < 0.2
