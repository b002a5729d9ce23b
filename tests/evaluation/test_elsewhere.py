"""Faces from elsewhere: several sets at once, the whole way, and never what was learned from."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer.data import dataset
from mer.errors import DataError
from mer.evaluation import datasets
from mer.inference.predictor import Predictor
from mer.results import comparison
from mer.weights import store
from tests import records


def photograph(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


@pytest.fixture
def photographs(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """Two photographs with a face and one without, which is too large for a crop."""
    folder = tmp_path / "photographs"
    photograph(folder / "happiness" / "a.png", astronaut)
    photograph(folder / "fear" / "b.png", astronaut[:, ::-1])
    photograph(folder / "anger" / "c.png", np.full((200, 200, 3), 99, np.uint8))
    return folder


def test_a_missing_set_is_a_sentence(tmp_path: Path, stand_in_weights: Path) -> None:
    with pytest.raises(DataError):
        datasets.evaluate_sets(Predictor("cnn1"), [tmp_path / "nowhere"])


def test_each_set_has_its_figures_and_all_have_a_mean(
    photographs: Path, tiny_data: Path, stand_in_weights: Path
) -> None:
    figures = datasets.evaluate_sets(Predictor("cnn1"), [photographs, tiny_data])
    json.dumps(figures, allow_nan=False)
    first, second = figures["sets"].values()
    assert (first["n"], first["missed"], first["part"]) == (3, 1, "all")
    assert first["per_class"]["anger"]["recall"] == 0  # without a face it counts as wrong
    assert first["per_class"]["sadness"]["recall"] is None
    assert (second["n"], second["missed"]) == (14, 0)  # the test part, crops as they are
    assert figures["mean"]["accuracy"] == pytest.approx(
        (first["accuracy"] + second["accuracy"]) / 2
    )


def test_of_a_set_that_was_learned_from_only_held_out_pictures_count(
    tiny_data: Path, stand_in_weights: Path
) -> None:
    crops = tiny_data / "train"
    known = dataset.load(crops, 16)
    record = store.read_record("cnn1", folder=stand_in_weights)
    settings = {"validation": 0.2, "seed": 0}
    stage = {"data": [{"fingerprint": known.fingerprint}], "settings": settings}
    store.write_record("cnn1", record | {"training": {"stages": [stage]}}, folder=stand_in_weights)
    figures = datasets.evaluate_sets(Predictor("cnn1"), [crops])["sets"]["train"]
    assert figures["part"] == "held out"
    assert figures["n"] == len(dataset.split(known, 0.2, seed=0)[1]) < len(known)


def test_the_table_shows_every_set_and_stays_empty_without_figures() -> None:
    assert comparison.elsewhere({"cnn1": records.record()}).empty
    sure = {"threshold": 0.6, "coverage": 0.5, "accuracy": None}
    one = records.scores(0.8, 70) | {"part": "held out", "confidence": {"ece": 0.1, "sure": sure}}
    away = {"sets": {"kdef": one}, "mean": datasets.mean({"kdef": one})}
    whole = records.record()
    whole["evaluation"]["elsewhere"] = away
    table = comparison.elsewhere({"cnn1": whole, "cnn2": records.record("cnn2")})
    assert table["pictures from"].tolist() == [
        "kdef: 70, held out",
        "mean of 1 sets, partly held out",
    ]
    assert table["cnn1"].tolist() == ["80.0 % (50 % sure, – of them)"] * 2


def test_networks_are_compared_on_sets_that_none_of_them_learned_from() -> None:
    """The mean over people held out of sets that one network knows would flatter that one."""
    assert comparison.left_out({"cnn1": records.record()}) == ([], {})
    known = {"a": {"kdef": 0.8, "lfw": 0.6}, "b": {"kdef": 0.7, "lfw": 0.7, "cfee": 0.1}}
    several = {name: records.record(name) for name in ("a", "b", "c")}
    for name, sets in known.items():
        left_out = {data: {"accuracy": right} for data, right in sets.items()}
        several[name]["calibration"] = {"left_out": left_out}
    shared, means = comparison.left_out(several)
    assert shared == ["kdef", "lfw"]
    assert means == pytest.approx({"a": 0.7, "b": 0.7})
    table = comparison.table(several).set_index("figure")
    row = table.loc["Faces from elsewhere, mean of kdef, lfw, left out"]
    assert list(row) == ["70.0 %", "70.0 %", "–"]
    by_name = {one["network"]: one for one in comparison.leaderboard(several)}
    assert by_name["c"]["accuracy_elsewhere"] is None
    several["b"]["calibration"]["left_out"].pop("kdef")
    several["a"]["calibration"]["left_out"].pop("lfw")
    assert comparison.left_out(several) == ([], {})
