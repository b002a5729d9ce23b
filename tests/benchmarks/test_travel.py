"""Leaving a set out: no picture of it is learned from, and all that is said rests on the others."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import travel
from mer.data.dataset import gather
from mer.errors import DataError
from mer.evaluation.calibration import SURE
from mer.inference.probabilities import WAYS
from mer.models.registry import NETWORKS
from mer.weights import store
from tests import tiny
from tools.training.run import LabSettings, train

SHORT = LabSettings(epochs=1, draws=16, batch=8, copies=1, validation=0.2, even=0.5, average=0.9)


@pytest.fixture
def sets(tiny_data: Path, tmp_path: Path) -> list[Path]:
    """Two sets of other pictures."""
    shutil.copytree(tiny_data / "train", tmp_path / "home")
    shutil.copytree(tiny_data / "test", tmp_path / "away")
    return [tmp_path / "home", tmp_path / "away"]


def test_a_missing_set_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        travel.report("cnn1", tmp_path, [tmp_path / "nowhere"], [], [["x"]], tmp_path)


def test_what_is_left_out_is_on_neither_side(sets: list[Path]) -> None:
    corpus = gather(sets, 16, fraction=0.2, seed=0)
    rest = travel.without(corpus, ["away"])
    for rows in (rest.train, rest.validation):
        assert len(rows)
        assert (corpus.sets[rows] == 0).all()
    other = travel.without(corpus, ["home"])
    assert [part["name"] for part in other.description] == ["away"]
    assert (other.sets[other.train] == 0).all()  # counted as the description does
    found = dict(travel.unseen(corpus, ["away"]))
    assert len(found["away"]) == 14
    assert set(found["home"]) == set(rest.validation.tolist())


def test_a_table_of_a_set_that_was_left_out(
    sets: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)
    monkeypatch.setattr(travel, "SCHEDULE", SHORT)
    monkeypatch.setattr(travel, "LEAST", 1)
    start = train("tiny", sets, out=tmp_path / "start", settings=replace(SHORT, draws=0))
    table, fitted = travel.report("tiny", start, sets, [], [["away"]], tmp_path / "out", epochs=2)
    assert "| away | away | 14 |" in table
    assert fitted["schedule"]["epochs"] == 2
    assert fitted["left_out"]["away"]["n"] == 14
    assert all(0 <= one <= 1 for one in fitted["thresholds"]["views"].values())

    table, _ = travel.report("tiny", start, sets, [], [["away"]], tmp_path / "untrained", share=0)
    assert "| away | away | 14 |" in table
    assert not (tmp_path / "untrained").exists()  # nothing was trained


def test_several_trainings_with_a_teacher_of_the_doubted_set(
    sets: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)
    monkeypatch.setattr(travel, "SCHEDULE", replace(SHORT, once=True, taught_sets="home"))
    monkeypatch.setattr(travel, "DOUBTED", "home")
    monkeypatch.setattr(travel, "LEAST", 1)
    start = train("tiny", sets, out=tmp_path / "start", settings=replace(SHORT, draws=0))
    report = partial(travel.report, "tiny", start, sets, [], teachers=[start], seeds=2)
    _, fitted = report([["away"], ["home"]], tmp_path / "out")
    assert fitted["schedule"]["seeds"] == 2
    assert fitted["schedule"]["teachers"] == [
        store.read_record("tiny", folder=start.parent)["file"]
    ]
    for left, teachers in {"away": 1, "home": 0}.items():  # none where the doubted set is away
        record = store.read_record("tiny", folder=tmp_path / "out" / left / "mean")
        stages = [stage for stage in record["training"]["stages"] if stage["name"] != "home + away"]
        assert [len(stage["teachers"]) for stage in stages] == [teachers] * 2
        assert len(stages[-1]["averaged"]) == 3  # the start with no share, and both trainings


def test_the_threshold_keeps_the_promise_on_every_set_that_is_large_and_trusted() -> None:
    rng = np.random.default_rng(0)
    answers = {}
    for name, noise in {"easy": 0.1, "hard": 1.5, "affectnet": 2.0}.items():
        labels = rng.integers(0, 7, 1000)
        logits = 3 * np.eye(7)[labels] + rng.normal(0, noise, (1, 1000, 7))
        answers[name] = logits, labels
    fitted = travel.fit(answers)
    assert fitted["thresholds_fitted_on"] == ["easy", "hard"]
    for name in ("easy", "hard"):
        scores = travel.judged(answers[name], fitted)
        assert travel.summary(scores)["sure_accuracy"] >= SURE
    assert set(fitted["thresholds"]) == set(WAYS)
    assert fitted["thresholds"]["views"] == fitted["thresholds"]["quick"]  # of a single view
    hard = travel.summary(travel.judged(answers["hard"], fitted))
    assert 0 < hard["coverage"] < 1


def test_the_command_knows_its_options() -> None:
    line = "travel --start a.safetensors --data A --cut B C --leave B B+C"
    options = command.parser().parse_args(line.split())
    assert options.leave == ["B", "B+C"]
