"""What makes an answer sure, for each way of answering."""

import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.inference import probabilities
from mer.inference.predictor import Predictor
from mer.inference.probabilities import WAYS, is_sure, smoothed
from mer.weights import store


def test_a_network_that_was_never_calibrated_is_always_sure() -> None:
    assert probabilities.thresholds({}) == dict.fromkeys(WAYS, dict.fromkeys(EMOTIONS, 0.0))


def test_one_threshold_of_an_old_record_stands_for_all_ways() -> None:
    record = {"calibration": {"temperature": 1.1, "threshold": 0.6}}
    assert probabilities.thresholds(record) == dict.fromkeys(WAYS, dict.fromkeys(EMOTIONS, 0.6))


def test_each_way_has_its_threshold_and_may_have_one_for_each_class() -> None:
    by_class = {"cat": 0.6, "dog": 0.9}
    fitted = {"views": by_class, "quick": 0.6, "smoothed": 0.55}
    found = probabilities.thresholds(
        {"calibration": {"thresholds": fitted}, "classes": ["cat", "dog"]}
    )
    assert found["views"] == by_class
    assert found["quick"] == {"cat": 0.6, "dog": 0.6}


def test_an_answer_is_held_to_the_threshold_of_what_it_says() -> None:
    rows = np.array([[0.7, 0.3], [0.3, 0.7], [0.05, 0.95]])
    assert is_sure(rows, [0.6, 0.9]).tolist() == [True, False, True]
    assert is_sure(rows, 0.7).tolist() == [True, True, True]


@pytest.mark.parametrize("name", store.available())
def test_every_network_that_ships_was_fitted_for_each_way(name: str) -> None:
    fitted = store.read_record(name)["calibration"]
    assert sorted(fitted["thresholds"]) == sorted(WAYS)


def test_quick_answers_are_held_to_their_own_threshold(astronaut: np.ndarray) -> None:
    predictor = Predictor("cnn1")
    limits = {"views": 0.0, "quick": 1.1, "smoothed": 0.0}
    predictor.thresholds = {way: dict.fromkeys(EMOTIONS, one) for way, one in limits.items()}
    (slow,), (quick,) = (predictor.predict(astronaut, quick=way) for way in (False, True))
    assert slow.sure
    assert not quick.sure


def test_whatever_speaks_against_the_face_makes_it_unsure() -> None:
    predictor = Predictor("cnn1")
    certain = [1.0, *[0.0] * 6]
    assert predictor.sure(certain)
    assert not predictor.sure(certain, ["too dark"])
    assert not predictor.sure(())


@pytest.mark.parametrize("smoothing_ms", [0.0, -1.0])
def test_no_time_constant_smooths_not(smoothing_ms: float) -> None:
    assert smoothed(np.zeros(7), np.ones(7), 200, smoothing_ms).tolist() == [1.0] * 7


def test_smoothing_goes_by_time_and_not_by_the_number_of_looks() -> None:
    once = smoothed(np.zeros(1), np.ones(1), 200, 400)
    twice = smoothed(smoothed(np.zeros(1), np.ones(1), 100, 400), np.ones(1), 100, 400)
    assert once == pytest.approx(twice)
