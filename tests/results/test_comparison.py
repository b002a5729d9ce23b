import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.evaluation.metrics import evaluate
from mer.results import comparison, paper
from mer.weights import store
from tests.records import papers_record, record, scores


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty weights folder in place of the shipped one."""
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    return tmp_path


def write(folder: Path, content: dict[str, Any]) -> None:
    (folder / f"{content['model']}.json").write_text(json.dumps(content))


def test_without_records_there_is_nothing_to_show_and_a_sentence_for_each_network(
    folder: Path,
) -> None:
    records, problems = comparison.read_records()
    assert records == {}
    assert any("cnn1.json is missing" in problem for problem in problems)


def test_a_broken_record_is_named_and_the_others_are_shown(folder: Path) -> None:
    for name in ("cnn1", "resnet18"):
        write(folder, record(name))
    (folder / "cnn2.json").write_text('{"model": "cnn2", ')
    records, problems = comparison.read_records()
    assert list(records) == ["cnn1", "resnet18"]
    assert "cnn2.json" in " ".join(problems)


@pytest.mark.parametrize("part", ["training", "evaluation", "parameters", "file"])
@pytest.mark.parametrize("remains", [None, [], "text"])
def test_a_record_with_a_damaged_part_is_named_with_the_mend(
    folder: Path, part: str, remains: object
) -> None:
    write(folder, record("cnn1") | {part: remains})
    records, problems = comparison.read_records()
    assert records == {}
    assert re.search(rf"/cnn1\.json is damaged \({part}: Input should be a valid ", problems[0])
    assert problems[0].endswith(
        "Restore it with `git checkout -- weights`, or train the network again."
    )


@pytest.mark.parametrize("part", ["training", "evaluation", "file"])
def test_a_record_that_lacks_a_part_is_named_with_the_mend(folder: Path, part: str) -> None:
    write(folder, record("cnn1") | {part: {}})
    records, problems = comparison.read_records()
    assert records == {}
    assert problems[0] == (
        f"The record {folder / 'cnn1.json'} lacks the training or the test figures. Measure it "
        "(python -m mer evaluate --model cnn1 --data DIR --save), or train it again "
        "(python -m mer train)."
    )


def test_the_table_has_a_column_a_network_and_both_protocols() -> None:
    table = comparison.table({"cnn1": record(seconds=4320), "cnn2": record("cnn2", seconds=40)})
    assert list(table.columns) == ["figure", "cnn1", "cnn2"]
    cells = table.set_index("figure")["cnn1"]
    low, high = scores(0.85, 1400)["accuracy_interval"]
    assert cells["Test accuracy, all 1400 (95 % interval)"] == (
        f"85.0 % ({100 * low:.1f}–{100 * high:.1f})"
    )
    assert cells["Test accuracy, clean 700 (95 % interval)"].startswith("80.0 % (")
    assert cells["Train accuracy (7000 pictures)"] == "95.0 %"
    assert cells["Training, processor time"] == "1 h 12 min"
    assert cells["Order by processor time"] == "second"
    assert "Training, wall clock" not in cells  # by which the order would be another
    assert cells["Parameters"] == "2.97 M"
    assert cells["Weights file"] == "6.0 MB"


def test_the_table_shows_a_dash_for_what_was_not_measured() -> None:
    table = comparison.table({"cnn1": record(), "cnn2": record("cnn2", clean=False)})
    cells = table.set_index("figure").to_dict("index")
    assert cells["Test accuracy, clean 700 (95 % interval)"]["cnn2"] == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "1 h 00 min"), (7380, "2 h 03 min")],
)
def test_a_duration_is_written_in_the_units_that_fit(seconds: float, text: str) -> None:
    assert comparison.duration(seconds) == text


def test_the_order_of_finishing_is_that_of_the_training_times() -> None:
    times = {"cnn1": 30, "cnn2": 10, "resnet18": 20}
    records = {name: record(name, seconds=time) for name, time in times.items()}
    places = comparison.table(records).set_index("figure").loc["Order by processor time"]
    assert places.to_dict() == {"cnn2": "first", "resnet18": "second", "cnn1": "third"}


def test_the_stages_behind_the_numbers_on_the_curves_are_named() -> None:
    assert comparison.stages(record()) == "stage 1: ferplus, 2 epochs; stage 2: paper, 3 epochs"


def test_what_twins_say_of_the_labels() -> None:
    assert comparison.label_noise({}) == comparison.label_noise({"cnn1": record()}) == ""
    whole = record()
    noise = {"twins": 100, "relabelled": 0, "ceiling": 1.0, "ceiling_interval": [0.98, 1.0]}
    whole["evaluation"]["test"]["label_noise"] = noise
    assert "0 have another label" in comparison.label_noise({"cnn1": whole})
    assert "100.0 % (98.0 % to 100.0 %)" in comparison.label_noise({"cnn1": whole})


def test_the_report_holds_every_class_and_the_averages() -> None:
    frame = comparison.report(papers_record()["evaluation"]["test"])
    report = frame.set_index("class").to_dict("index")
    assert list(report) == [*EMOTIONS, "accuracy", "macro average", "weighted average"]
    assert frame["pictures"].tolist()[:7] == [350, 160, 120, 480, 160, 330, 260]
    assert round(report["macro average"]["precision"], 3) == 0.783
    assert round(report["accuracy"]["f1"], 4) == 0.8220
    assert np.isnan(report["accuracy"]["recall"])


def test_a_class_without_pictures_has_dashes_in_the_report() -> None:
    counts = np.array(paper.FIGURE_6)
    counts[2] = 0
    screen = comparison.rows_for_screen(comparison.report(evaluate(counts))).set_index("class")
    assert screen.loc["fear", "recall"] == "–"
    assert screen.loc["fear", "pictures"] == 0
    assert screen.loc["anger", "recall"] == "0.800"


def test_the_likeliest_mistakes_are_told_in_words() -> None:
    assert comparison.confused(paper.scores(), limit=2) == [
        "fear as surprise: 23 of 120 (19 %)",
        "disgust as anger: 22 of 160 (14 %)",
    ]


def test_a_network_without_mistakes_confuses_nothing() -> None:
    assert comparison.confused(scores(1.0, 70)) == []


def test_classes_without_pictures_are_confused_with_nothing() -> None:
    counts = np.zeros((7, 7), dtype=int)
    counts[0, 1] = 1
    assert comparison.confused(evaluate(counts)) == ["anger as disgust: 1 of 1 (100 %)"]


def test_one_network_is_better_than_none() -> None:
    assert comparison.verdict({}) == comparison.verdict({"cnn1": record()}) == []


def test_networks_that_err_about_as_often_are_not_told_apart() -> None:
    records = {"cnn1": record(right=0.85), "cnn2": record("cnn2", right=0.851)}
    assert comparison.verdict(records) == [
        "On all pictures no network is shown to be better than another.",
        "On clean pictures no network is shown to be better than another.",
    ]


def test_differences_beyond_chance_are_named() -> None:
    rights = {"cnn1": 0.5, "cnn2": 0.7, "resnet18": 0.9}
    records = {name: record(name, right=right) for name, right in rights.items()}
    assert comparison.significance(records, "clean") == (
        ["resnet18", "cnn2", "cnn1"],
        [["", "better", "better"], ["worse", "", "better"], ["worse", "worse", ""]],
    )
    assert comparison.verdict(records)[1] == (
        "On clean pictures resnet18 is ahead of cnn2 and cnn1, cnn2 is ahead of cnn1 "
        "by more than chance."
    )


def test_a_record_that_names_no_mistakes_is_not_compared() -> None:
    records = {"cnn1": papers_record(), "cnn2": record("cnn2"), "resnet18": record("resnet18")}
    names, _ = comparison.significance(records, "all")
    assert sorted(names) == ["cnn2", "resnet18"]
