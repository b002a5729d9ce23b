"""Tests of the table of faces and of its CSV and JSON."""

import codecs
import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from mer.emotions import EMOTIONS
from mer.faces.detection import Face
from mer.faces.measures import BLENDSHAPES, FIGURES, Measures
from mer.inference.predictor import Prediction, Predictor
from mer.io import files
from mer.results import tables
from mer.training import config

ORIGIN = {"network": "cnn1", "version": "0.1.0", "detector": "yunet"}
PREDICTOR = cast(
    Predictor,
    SimpleNamespace(model="cnn1", record={"version": "0.1.0"}, detector="yunet", classes=EMOTIONS),
)
HAPPY = Prediction(Face((10, 20, 30, 40), 0.91234567, ()), (0.02, 0, 0, 0.93, 0.05, 0, 0))
SAD = Prediction(Face((50, 20, 30, 41), 0.8, ()), (0, 0, 0, 0.25, 0, 0.75, 0))


def _table(*names: str) -> pd.DataFrame:
    return tables.table([(name, [HAPPY, SAD]) for name in names], PREDICTOR)


def test_no_pictures_give_the_columns() -> None:
    empty = _table()
    columns = [*tables.BEFORE, *EMOTIONS, *tables.AFTER]
    assert list(empty.columns) == columns
    assert files.csv_text(empty) == ",".join(columns) + "\n"


def test_no_faces_still_say_where_the_answer_is_from() -> None:
    document = json.loads(tables.to_json(tables.table([("a.jpg", [])], PREDICTOR)))
    assert document["faces"] == []
    assert {key: document[key] for key in ORIGIN} == ORIGIN
    assert document["classes"] == list(EMOTIONS)


@pytest.mark.parametrize(
    ("found", "reason"), [([], "no face found"), ("b.jpg is damaged.", "b.jpg is damaged.")]
)
def test_a_picture_without_a_face_has_a_row_with_the_reason(
    found: list[Prediction] | str, reason: str
) -> None:
    table = tables.table([("a.jpg", [HAPPY]), ("b.jpg", found)], PREDICTOR)
    read = pd.read_csv(io.StringIO(files.csv_text(table)))
    assert read["file"].tolist() == ["a.jpg", "b.jpg"]
    assert read["reason"].tolist() == [pytest.approx(float("nan"), nan_ok=True), reason]
    figures = ["face", "x", "detector_score", "emotion", "probability", "sure", "happiness"]
    assert read.loc[1, figures].isna().all()
    assert read.loc[0, figures].notna().all()
    document = json.loads(tables.to_json(table))
    assert [face["file"] for face in document["faces"]] == ["a.jpg"]
    assert document["without_face"] == [{"file": "b.jpg", "reason": reason}]
    lines = [json.loads(line) for line in tables.to_json_lines(table).splitlines()]
    assert (lines[1]["file"], lines[1]["reason"]) == ("b.jpg", reason)
    assert lines[1]["emotion"] is lines[1]["box"] is lines[1]["probabilities"] is None


def test_one_row_a_face_numbered_in_each_picture() -> None:
    table = _table("a.jpg", "b.jpg")
    assert list(zip(table["file"], table["face"], strict=True)) == [
        ("a.jpg", 1),
        ("a.jpg", 2),
        ("b.jpg", 1),
        ("b.jpg", 2),
    ]


def test_a_row_holds_box_class_probabilities_and_origin() -> None:
    row = tables.table([("a.jpg", [HAPPY])], PREDICTOR).loc[0]
    assert [row[key] for key in ("x", "y", "width", "height")] == [10, 20, 30, 40]
    assert (row["emotion"], row["probability"], row["happiness"]) == ("happiness", 0.93, 0.93)
    assert sum(row[emotion] for emotion in EMOTIONS) == pytest.approx(1)
    assert row["detector_score"] == 0.9123
    assert (row["network"], row["version"], row["detector"]) == ("cnn1", "0.1.0", "yunet")


def test_time_is_now_in_utc() -> None:
    age = datetime.now(UTC) - datetime.fromisoformat(str(_table("a.jpg").loc[0, "time"]))
    assert -1 <= age.total_seconds() < 60


def test_csv_reads_back() -> None:
    table = _table('a, "b".jpg', "grün 😀.jpg")
    read = pd.read_csv(io.StringIO(files.csv_text(table)), keep_default_na=False)
    pd.testing.assert_frame_equal(read, table, check_dtype=False)


@pytest.mark.parametrize("name", ["=1+1.jpg", "+a.jpg", "-a.jpg", "@a.jpg", " =a.jpg"])
def test_csv_defuses_file_names_that_a_spreadsheet_would_run(name: str) -> None:
    read = pd.read_csv(io.StringIO(files.csv_text(_table(name))))
    assert read.loc[0, "file"] == f"'{name}"


def test_csv_for_a_spreadsheet_begins_with_the_mark_of_utf_8() -> None:
    text = files.csv_text(_table("grün.jpg"), bom=True)
    assert text.encode().startswith(codecs.BOM_UTF8)
    assert pd.read_csv(io.BytesIO(text.encode()))["file"][0] == "grün.jpg"


def test_json_says_the_origin_once_and_nests_the_rest() -> None:
    document = json.loads(tables.to_json(_table("=a.jpg")))
    face = document["faces"][0]
    assert document["network"] == "cnn1"
    assert "network" not in face
    assert face["file"] == "=a.jpg"  # no spreadsheet reads JSON
    assert face["box"] == {"x": 10, "y": 20, "width": 30, "height": 40}
    assert face["probabilities"]["happiness"] == 0.93
    assert list(face["probabilities"]) == list(EMOTIONS)


def test_no_class_of_a_network_can_be_called_like_a_column() -> None:
    assert {*tables.BEFORE, *tables.AFTER} <= config.RESERVED


def test_measures_are_columns_where_they_were_asked_for() -> None:
    face = Face((1, 2, 30, 40), 0.9)
    shapes = np.linspace(0, 1, len(BLENDSHAPES), dtype=np.float32)
    own = Measures(-12.5, 3.0, 1.0, float("nan"), float("nan"), 0.01, 0.02, 0.4, shapes)
    shares = tuple(np.full(7, 1 / 7))
    found = [Prediction(face, shares, measures=own), Prediction(face, shares)]
    rows = tables.table([("a.jpg", found), ("b.jpg", "no")], PREDICTOR)
    assert rows["yaw"][0] == -12.5
    assert rows.loc[1:, list(FIGURES)].isna().all(axis=None)
    first, second = json.loads(tables.to_json(rows))["faces"]
    assert list(first["measures"]) == [*FIGURES, *BLENDSHAPES]
    assert (first["measures"]["gaze_right"], first["measures"]["noseSneerRight"]) == (None, 1.0)
    assert set(second["measures"].values()) == {None}
    assert "yaw" not in tables.table([("a.jpg", found[1:])], PREDICTOR)
