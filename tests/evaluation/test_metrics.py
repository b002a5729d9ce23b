import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.errors import DataError, WeightsError
from mer.evaluation import datasets, metrics
from mer.inference.predictor import Predictor
from mer.results.paper import FIGURE_6
from mer.weights import store

PAPER = np.array(FIGURE_6)


@pytest.mark.parametrize(
    "confusion",
    [
        np.zeros((7, 7), int),
        np.zeros((0, 0), int),
        np.ones((6, 6), int),
        np.ones(7, int),
        np.full((7, 7), -1),
        np.full((7, 7), 0.5),
        np.full((7, 7), np.nan),
        np.full((7, 7), "1"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_what_is_no_matrix_of_counts_is_refused(confusion: np.ndarray) -> None:
    with pytest.raises(ValueError, match="confusion matrix"):
        metrics.evaluate(confusion)


def test_the_papers_matrix_gives_the_papers_figures() -> None:
    figures = metrics.evaluate(PAPER)
    assert figures["n"] == 1860
    assert round(100 * figures["accuracy"], 2) == 82.20
    assert [round(100 * end, 1) for end in figures["accuracy_interval"]] == [80.4, 83.9]
    macro = [figures[f"macro_{key}"] for key in ("precision", "recall", "f1")]
    assert [round(value, 3) for value in macro] == [0.783, 0.793, 0.787]
    assert round(figures["kappa"], 3) == 0.786
    assert figures["uar"] == figures["macro_recall"]
    assert figures["weighted_recall"] == pytest.approx(figures["accuracy"])
    assert figures["per_class"]["anger"]["support"] == 350
    assert figures["per_class"]["anger"]["recall"] == pytest.approx(280 / 350)
    assert figures["confusion"] == PAPER.tolist()


def test_classes_without_pictures_stay_out_of_the_averages() -> None:
    confusion = np.zeros((7, 7), int)
    confusion[0, 0], confusion[0, 1], confusion[3, 3] = 6, 2, 2
    figures = metrics.evaluate(confusion)
    json.dumps(figures, allow_nan=False)
    assert figures["accuracy"] == pytest.approx(0.8)
    assert figures["uar"] == pytest.approx((0.75 + 1) / 2)
    assert figures["macro_precision"] == 1
    assert figures["per_class"]["disgust"] == {
        "precision": 0.0,
        "recall": None,
        "f1": None,
        "support": 0,
    }
    assert figures["per_class"]["fear"]["precision"] is None


def test_a_class_that_is_never_named_has_precision_zero() -> None:
    confusion = np.zeros((7, 7), int)
    confusion[0, 1] = confusion[1, 1] = 1
    anger = metrics.evaluate(confusion)["per_class"]["anger"]
    assert (anger["precision"], anger["recall"], anger["f1"]) == (0, 0, 0)


def test_a_single_class_has_no_kappa() -> None:
    confusion = np.zeros((7, 7), int)
    confusion[2, 2] = 1
    figures = metrics.evaluate(confusion)
    assert figures["kappa"] is None
    assert figures["accuracy"] == figures["uar"] == 1


def test_no_data_and_an_unknown_network_are_said(
    tmp_path: Path, tiny_data: Path, stand_in_weights: Path
) -> None:
    with pytest.raises(DataError):
        datasets.evaluate_predictor(Predictor("cnn1"), tmp_path / "nowhere")
    with pytest.raises(DataError):
        datasets.evaluate_predictor(Predictor("cnn1"), tmp_path)
    with pytest.raises(WeightsError, match="cnn9"):
        datasets.evaluate_predictor(Predictor("cnn9"), tiny_data)


def test_a_test_set_beside_its_training_set(tiny_data: Path, stand_in_weights: Path) -> None:
    whole = datasets.evaluate_predictor(Predictor("cnn1"), tiny_data)
    assert whole["n"] == 14
    assert whole["clean"]["n"] == 13  # anger8 is anger1, compressed more
    assert whole["clean"]["per_class"]["anger"]["support"] == 1
    assert (whole["label_noise"]["twins"], whole["label_noise"]["relabelled"]) == (1, 0)
    assert len(whole["mistakes"]) == 14 - round(14 * whole["accuracy"])
    assert set(whole["clean"]["mistakes"]) <= set(whole["mistakes"])
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert datasets.evaluate_predictor(Predictor("cnn1"), tiny_data / "test") == whole


def test_the_training_set_has_no_clean_part(tiny_data: Path, stand_in_weights: Path) -> None:
    figures = datasets.evaluate_predictor(Predictor("cnn1"), tiny_data, split="train")
    assert figures["n"] == 42
    assert "clean" not in figures


def test_without_training_pictures_clean_is_unknown(
    tmp_path: Path, tiny_data: Path, stand_in_weights: Path
) -> None:
    for emotion in ("anger", "fear"):  # where some of the seven are missing, too
        shutil.copytree(tiny_data / "test" / emotion, tmp_path / "crops" / emotion)
    figures = datasets.evaluate_predictor(Predictor("cnn1"), tmp_path / "crops")
    assert figures["n"] == 4
    assert figures["clean"] is None
    assert "train and test" in figures["clean_note"]
    assert figures["per_class"]["sadness"]["recall"] is None


def test_saved_figures_are_in_the_record_and_the_rest_stays(stand_in_weights: Path) -> None:
    figures = metrics.evaluate(PAPER)
    datasets.save("cnn1", "train", {"n": 1})
    datasets.save("cnn1", "test", figures)
    assert store.read_record("cnn1")["test_reads"] == 1
    record = store.read_record("cnn1", folder=stand_in_weights)
    assert record["evaluation"] == {"train": {"n": 1}, "test": figures}
    assert record["version"] == "0.0.0"


def test_the_clean_pictures_of_the_papers_test_set(mer_data: Path, stand_in_weights: Path) -> None:
    source = mer_data / "micro-expressions"
    supports = dict(zip(EMOTIONS, (201, 89, 78, 278, 101, 209, 172), strict=True))
    figures = datasets.evaluate_predictor(Predictor("cnn1"), source)
    assert figures["n"] == 1860
    clean = figures["clean"]["per_class"]
    assert {name: clean[name]["support"] for name in EMOTIONS} == supports
