"""What makes an answer sure, for each way of answering."""

import numpy as np
import pytest

from mer.inference import probabilities
from mer.inference.predictor import Predictor
from mer.inference.probabilities import WAYS, smoothed
from mer.weights import store


def test_a_network_that_was_never_calibrated_is_always_sure() -> None:
    assert probabilities.thresholds({}) == dict.fromkeys(WAYS, 0.0)


def test_one_threshold_of_an_old_record_stands_for_all_ways() -> None:
    record = {"calibration": {"temperature": 1.1, "threshold": 0.6}}
    assert probabilities.thresholds(record) == dict.fromkeys(WAYS, 0.6)


def test_each_way_has_its_threshold() -> None:
    fitted = {"views": 0.5, "quick": 0.6, "smoothed": 0.55}
    record = {"calibration": {"threshold": 0.5, "thresholds": fitted}}
    assert probabilities.thresholds(record) == fitted


@pytest.mark.parametrize("name", store.available())
def test_every_network_that_ships_was_fitted_for_each_way(name: str) -> None:
    fitted = store.read_record(name)["calibration"]
    assert sorted(fitted["thresholds"]) == sorted(WAYS)
    assert fitted["threshold"] == fitted["thresholds"]["views"]


def test_quick_answers_are_held_to_their_own_threshold(astronaut: np.ndarray) -> None:
    predictor = Predictor("cnn1")
    predictor.thresholds = {"views": 0.0, "quick": 1.1, "smoothed": 0.0}
    (slow,), (quick,) = (predictor.predict(astronaut, quick=way) for way in (False, True))
    assert slow.sure
    assert not quick.sure


def test_whatever_speaks_against_the_face_makes_it_unsure() -> None:
    predictor = Predictor("cnn1")
    assert predictor.sure(1.0)
    assert not predictor.sure(1.0, ["too dark"])


@pytest.mark.parametrize("smoothing_ms", [0.0, -1.0])
def test_no_time_constant_smooths_not(smoothing_ms: float) -> None:
    assert smoothed(np.zeros(7), np.ones(7), 200, smoothing_ms).tolist() == [1.0] * 7


def test_smoothing_goes_by_time_and_not_by_the_number_of_looks() -> None:
    once = smoothed(np.zeros(1), np.ones(1), 200, 400)
    twice = smoothed(smoothed(np.zeros(1), np.ones(1), 100, 400), np.ones(1), 100, 400)
    assert once == pytest.approx(twice)
