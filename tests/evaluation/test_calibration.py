"""Temperature, calibration error, and the confidence from which an answer is sure."""

import json
from pathlib import Path

import numpy as np
import pytest

from mer.errors import MerError, WeightsError
from mer.evaluation import calibration
from mer.evaluation.calibration import (
    BINS,
    SURE,
    confidence,
    fit,
    threshold,
)
from mer.inference.predictor import Predictor
from mer.inference.probabilities import WAYS, temperature_softmax
from mer.models.registry import NETWORKS
from mer.training.trainer import train
from mer.weights import store
from tests import tiny
from tests.training.test_trainer import SETTINGS


def made(heat: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits (2, n, 7) that are `heat` times too large for the labels drawn from them."""
    rng = np.random.default_rng(0)
    logits = np.repeat(rng.normal(0, 1.5, (1, n, 7)), 2, axis=0)
    chances = temperature_softmax(logits, 1.0)
    labels = (chances.cumsum(1) < rng.random((n, 1))).sum(1).clip(0, 6)
    return logits * heat, labels


def test_no_faces_have_no_probabilities() -> None:
    assert temperature_softmax(np.zeros((2, 0, 7)), 1.0).shape == (0, 7)


def test_probabilities_are_the_mean_over_the_views() -> None:
    logits = np.zeros((2, 1, 7))
    logits[0, 0, 3] = 100
    assert temperature_softmax(logits, 1.0)[0] == pytest.approx(
        [1 / 14] * 3 + [8 / 14] + [1 / 14] * 3
    )


@pytest.mark.parametrize("heat", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_again(heat: float) -> None:
    logits, labels = made(heat)
    found = fit((logits, labels))
    assert found == pytest.approx(heat, rel=0.1)
    before, after = (
        confidence(temperature_softmax(logits, t), labels, 0.5)["ece"] for t in (1.0, found)
    )
    assert after <= before + 0.005
    assert after < 0.03


def test_sure_answers_are_right_often_enough() -> None:
    logits, labels = made(1.0)
    chances = temperature_softmax(logits, 1.0)
    limit = threshold(chances, labels)
    figures = confidence(chances, labels, limit)
    assert figures["sure"]["accuracy"] >= SURE
    assert 0 < figures["sure"]["coverage"] < 1


def test_a_network_that_is_always_wrong_is_never_sure() -> None:
    chances = np.full((50, 7), 0.01) + 0.93 * np.eye(7)[0]
    labels = np.ones(50, int)
    assert threshold(chances, labels) == 1.0
    sure = confidence(chances, labels, 1.0)["sure"]
    assert (sure["coverage"], sure["accuracy"]) == (0.0, None)


def test_the_calibration_error_by_hand() -> None:
    chances = np.array([[0.9, 0.1, 0, 0, 0, 0, 0]] * 4 + [[0.4, 0.3, 0.3, 0, 0, 0, 0]] * 4)
    labels = np.array([0, 0, 0, 1, 0, 0, 1, 2])  # three and two of four right
    figures = confidence(chances, labels, 0.5)
    assert figures["ece"] == pytest.approx((0.15 + 0.1) / 2)
    assert [one["n"] for one in figures["bins"]] == [4, 4]
    assert figures["bins"][1]["low"] == pytest.approx(13 / BINS)
    assert figures["sure"] == {"coverage": 0.5, "accuracy": 0.75}
    assert figures["coverage"][-1] == {"coverage": 1.0, "accuracy": 5 / 8}
    json.dumps(figures, allow_nan=False)


@pytest.fixture
def trained(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS)
    return tiny_data


def test_an_unknown_network_is_a_sentence(trained: Path) -> None:
    with pytest.raises(WeightsError, match="no network called"):
        calibration.calibrate("cnn9", trained)


def test_another_data_set_is_a_sentence(trained: Path) -> None:
    with pytest.raises(MerError, match="is not what tiny was trained on last"):
        calibration.calibrate("tiny", trained / "test")


def test_what_was_fitted_is_kept_and_used(trained: Path) -> None:
    before = Predictor("tiny")
    figures = calibration.calibrate("tiny", trained)
    calibration.save("tiny", figures)
    after = Predictor("tiny")
    assert store.read_record("tiny")["calibration"] == figures
    assert figures["threshold"] == figures["thresholds"]["views"]
    assert set(figures["thresholds"]) == set(figures["coverage"]) == set(WAYS)
    best = max(one["accuracy"] for one in figures["accuracies"])
    assert {"zooms": figures["zooms"], "accuracy": best} in figures["accuracies"]
    assert after.temperature == figures["temperature"]
    for way, least in after.thresholds.items():
        assert least == dict.fromkeys(after.classes, figures["thresholds"][way])
    crop = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    expected = temperature_softmax(before.logits([crop], figures["zooms"]), figures["temperature"])
    assert after.classify([crop]) == pytest.approx(expected)
