"""JSON and CSV of an analysis: every frame, person and event, with where the figures come from."""

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mer.emotions import EMOTIONS
from mer.results import video_tables
from mer.results.report import summary
from mer.video.types import MOTIONS, REGIONS
from tests.video.analyses import BLINK, EMPTY, SETTINGS, SMILE, analysis, hidden_person


def test_nothing_found_is_valid_json_that_says_what_was_used() -> None:
    document = json.loads(video_tables.to_json(EMPTY))
    assert document["frames"] == document["people"] == document["events"] == []
    assert document["network"] == "cnn1"
    assert document["file"] == "empty.mp4"
    assert "single frame" in document["frame_rate"]["warning"]


def test_nothing_found_gives_the_columns() -> None:
    assert len(video_tables.frames_table(EMPTY)) == len(video_tables.events_table(EMPTY)) == 0
    assert video_tables.frames_csv(EMPTY).startswith(
        "file,frame,time_s,person,x,y,width,height,covered,emotion,probability,sure,"
    )
    assert video_tables.events_csv(EMPTY).startswith(
        "file,event,person,kind,onset_s,apex_s,offset_s"
    )


def test_json_has_every_frame_those_without_a_face_too() -> None:
    frames = json.loads(video_tables.to_json(analysis()))["frames"]
    assert [frame["time_ms"] for frame in frames] == pytest.approx(np.arange(61) * 1000 / 30, abs=1)
    assert [len(frame["people"]) for frame in frames] == [1] * 30 + [2] * 30 + [0]
    first = frames[0]["people"][0]
    assert first["person"] == 1
    assert first["box"] == {"x": 10, "y": 20, "width": 30, "height": 40}
    assert first["probabilities"] == {name: float(name == "neutral") for name in EMOTIONS}
    assert "probabilities" not in frames[1]["people"][0]


def test_json_knows_no_nan() -> None:
    first, second = json.loads(video_tables.to_json(analysis()))["frames"][:2]
    assert first["people"][0]["motion"] == dict.fromkeys(REGIONS)
    assert second["people"][0]["motion"] == dict.fromkeys(REGIONS, 0.0)
    assert "NaN" not in video_tables.to_json(analysis())


def test_covered_frames_are_marked_and_claim_nothing() -> None:
    found = replace(EMPTY, people=(hidden_person(),))
    document = json.loads(video_tables.to_json(found))
    assert document["people"][0]["covered_ms"] == [[1000, 1500]]
    marks = [frame["people"][0] for frame in document["frames"]]
    assert [mark["covered"] for mark in marks] == [False] * 30 + [True] * 16 + [False] * 14
    assert not any("probabilities" in mark for mark in marks if mark["covered"])
    table = video_tables.frames_table(found)
    assert table.covered.sum() == 16
    assert table.loc[table.covered == 1, list(EMOTIONS)].isna().all(axis=None)


def test_json_events() -> None:
    smile, blink = json.loads(video_tables.to_json(analysis()))["events"]
    times = {"onset_ms": 500, "apex_ms": 900, "offset_ms": 1500, "duration_ms": 1000}
    assert {name: smile[name] for name in times} == times
    assert (smile["event"], smile["person"], smile["kind"]) == (1, 1, "macro")
    assert (smile["region"], smile["direction"]) == ("right mouth corner", "up and left")
    assert (smile["pixels"], smile["strength"]) == (3.25, 14.5)
    assert smile["motion"] == dict(zip(MOTIONS, SMILE.motion, strict=True))
    assert smile["still"]["happiness"] == 0.93
    assert blink["motion"] is None
    assert blink["still"] is None


def test_json_says_once_what_the_figures_come_from() -> None:
    document = json.loads(video_tables.to_json(analysis(fps=20)))
    assert {name: document[name] for name in SETTINGS} == SETTINGS
    assert document["settings"] == SETTINGS
    assert document["frame_rate"]["fps"] == 20
    assert document["frame_rate"]["micro_expressions_claimed"] is False
    assert "20.0 frames a second: under 25" in document["frame_rate"]["warning"]
    assert document["classes"] == list(EMOTIONS)
    assert document["limits"]
    assert document["complete"] is True


def test_parts_make_the_whole() -> None:
    assert "".join(video_tables.json_parts(analysis())) == video_tables.to_json(analysis())


def test_frames_csv_reads_back() -> None:
    table = pd.read_csv(io.StringIO(video_tables.frames_csv(analysis())))
    assert len(table) == 91
    assert table["time_s"].is_monotonic_increasing
    assert table["frame"].tolist() == [*range(30), *np.repeat(np.arange(30, 60), 2), 60]
    assert table["time_s"].tolist() == pytest.approx(table["frame"] / 30, abs=1e-4)
    looked = table[table["emotion"].notna()]
    assert looked["emotion"].tolist() == looked[list(EMOTIONS)].idxmax(axis=1).tolist()
    assert looked["probability"].tolist() == looked[list(EMOTIONS)].max(axis=1).tolist()
    assert table["person"].value_counts().to_dict() == {1: 60, 2: 30}
    assert table["reason"].dropna().to_dict() == {90: "no face found"}  # the last frame
    assert table.loc[90, ["person", "x", "covered", "sure", "neutral"]].isna().all()
    assert table["neutral"].notna().sum() == 23  # 15 and 8 samples
    assert {f"motion_{name.replace(' ', '_')}" for name in REGIONS} < {*table}
    assert all(re.fullmatch("[a-z_]+", str(name)) for name in table)  # snake_case


def test_unsure_frames_and_events_say_so_and_why() -> None:
    made = analysis()
    one = replace(made.people[0], sure=made.people[0].probabilities[:, 3] == 0)
    why = (("too dark",), *one.concerns[1:])
    event = replace(SMILE, sure=False, concerns=("too dark", "too blurred"))
    doubtful = replace(made, people=(replace(one, concerns=why),), events=(event, BLINK))
    frames = pd.read_csv(io.StringIO(video_tables.frames_csv(doubtful)))
    looked = frames[frames["happiness"].notna()]
    assert looked["sure"].astype(bool).tolist() == (looked["happiness"] == 0).tolist()
    assert frames["sure"].notna().sum() == len(looked) == 15
    assert frames["concerns"].dropna().to_dict() == {0: "too dark"}
    events = pd.read_csv(io.StringIO(video_tables.events_csv(doubtful)))
    assert not events["apex_sure"][0]
    assert events["apex_concerns"][0] == "too dark; too blurred"
    assert events.loc[1, ["apex_sure", "apex_concerns"]].isna().all()
    document = json.loads(video_tables.to_json(doubtful))
    assert document["frames"][0]["people"][0]["concerns"] == ["too dark"]
    assert document["events"][0]["sure"] is False
    text = summary(doubtful)
    assert "unsure: positive" in text


def test_events_csv_reads_back() -> None:
    table = pd.read_csv(io.StringIO(video_tables.events_csv(analysis())))
    assert list(table["kind"]) == ["macro", "blink"]
    assert table.loc[0, "motion_positive"] == 0.9
    assert table.loc[0, "apex_happiness"] == 0.93
    assert table["motion_positive"].isna().tolist() == [False, True]
    times = {"onset_s": 0.5, "apex_s": 0.9, "offset_s": 1.5, "duration_s": 1.0}
    assert {name: table[name][0] for name in times} == times
    assert all(re.fullmatch("[a-z_]+", str(name)) for name in table)


def test_what_holds_for_the_whole_video_is_in_the_header_not_in_each_row() -> None:
    made = analysis()
    head = video_tables.header(made)
    assert (head["network"], head["version"], head["frame_rate"]["fps"]) == ("cnn1", "0.1.0", 30)
    assert "50 or more" in head["frame_rate"]["warning"]
    for table in (video_tables.frames_table(made), video_tables.events_table(made)):
        assert not {*video_tables.ORIGIN, "fps", "frame_rate_warning"} & {*table}


def test_tables_of_0_1_are_read_with_the_names_of_today() -> None:
    old = "file,onset_ms,duration_ms,motion positive,apex fear,fps\na.mp4,500.0,40,0.5,0.1,30.0\n"
    table = video_tables.read_csv(io.StringIO(old))
    assert table.drop(columns="file").loc[0].to_dict() == {
        "onset_s": 0.5,
        "duration_s": 0.04,
        "motion_positive": 0.5,
        "apex_fear": 0.1,
        "fps": 30.0,
    }
    today = video_tables.events_csv(analysis())
    assert {*video_tables.read_csv(io.StringIO(today))} == {*pd.read_csv(io.StringIO(today))}


def test_a_spreadsheet_reads_the_tables(tmp_path: Path) -> None:
    """LibreOffice, where it is there, turns them into a spreadsheet and back without a change."""
    office = shutil.which("soffice")
    made = analysis("grün.mp4")
    for name, text in (
        ("frames", video_tables.frames_csv(made)),
        ("events", video_tables.events_csv(made)),
    ):
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8-sig")
        wanted = pd.read_csv(path)
        if office is None:
            continue
        for kind, folder in (("ods", tmp_path), ("csv", tmp_path / "back")):
            source = path if kind == "ods" else path.with_suffix(".ods")
            command = [office, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"]
            told = ["--convert-to", kind, "--outdir", str(folder), str(source)]
            subprocess.run([*command, *told], check=True, capture_output=True)
        back = pd.read_csv(tmp_path / "back" / path.name)
        pd.testing.assert_frame_equal(back, wanted, check_dtype=False, atol=0.01)


def test_csv_defuses_a_name_that_a_spreadsheet_would_run() -> None:
    for text in (
        video_tables.frames_csv(analysis("=1+1.mp4")),
        video_tables.events_csv(analysis("=1+1.mp4")),
    ):
        assert set(pd.read_csv(io.StringIO(text))["file"]) == {"'=1+1.mp4"}


def test_a_cancelled_analysis_says_so() -> None:
    cancelled = replace(analysis(), complete=False, notes=("Cancelled.",))
    document = json.loads(video_tables.to_json(cancelled))
    assert document["complete"] is False
    assert document["notes"] == ["Cancelled."]
