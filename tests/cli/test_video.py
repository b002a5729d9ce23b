"""`mer video`: prints, writes, and keeps what it has when it is interrupted."""

import csv
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.synthetic import clips
from mer import cli
from mer.errors import VideoError
from mer.io.video import write_clip
from mer.results import drawing
from mer.video import analysis
from mer.video.types import Analysis
from tests.video.analyses import analysis as by_hand


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An analysis made by hand in place of the real one; what it was asked for."""
    asked: dict[str, Any] = {}

    def analyse(path: Path, **options: Any) -> Analysis:
        asked.update(options, path=path)
        options["progress"](0.5, "half")
        return by_hand()

    monkeypatch.setattr(analysis, "analyse", analyse)
    return asked


def test_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    assert cli.main(["video", str(tmp_path / "none.mp4")]) == 2
    errors = capsys.readouterr().err
    assert "none.mp4" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("option", ["--json", "--csv", "--html"])
def test_a_folder_that_is_missing_is_named_before_the_work(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in: dict[str, Any]
) -> None:
    assert cli.main(["video", "clip.mp4", option, str(tmp_path / "none" / "out")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert not stand_in


def test_summary_is_printed(capsys: pytest.CaptureFixture[str], stand_in: dict[str, Any]) -> None:
    assert cli.main(["video", "clip.mp4", "--model", "cnn2", "--detector", "haar"]) == 0
    printed = capsys.readouterr().out
    assert "Person 2" in printed
    assert "right mouth corner up and left" in printed
    assert (stand_in["model"], stand_in["detector"]) == ("cnn2", "haar")


def test_files_are_written(tmp_path: Path, stand_in: dict[str, Any]) -> None:
    outputs = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "html")}
    options = [part for kind, path in outputs.items() for part in (f"--{kind}", str(path))]
    assert cli.main(["video", "clip.mp4", *options]) == 0
    document = json.loads(outputs["json"].read_text(encoding="utf-8"))
    assert {"frames", "people", "events"} <= set(document)
    assert {"person", "kind", "onset_ms", "apex_ms", "offset_ms"} <= set(document["events"][0])
    assert len(rows(outputs["csv"])) == 91
    assert [row["kind"] for row in rows(tmp_path / "out.events.csv")] == ["macro", "blink"]
    (head,) = json.loads((tmp_path / "out.header.json").read_text(encoding="utf-8"))
    assert (head["file"], head["frame_rate"]["fps"]) == ("smile.mp4", 30)
    assert outputs["html"].read_text(encoding="utf-8").startswith("<!doctype html>")


def test_several_videos_go_into_one_table_one_list_and_a_report_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in: dict[str, Any]
) -> None:
    outputs = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "html")}
    options = [part for kind, path in outputs.items() for part in (f"--{kind}", str(path))]
    options += ["--start", "0.5", "--end", "1.5", "--every", "2"]
    assert cli.main(["video", "clip.mp4", "other.mp4", *options]) == 0
    asked = {name: stand_in[name] for name in ("start_s", "end_s", "every")}
    assert asked == {"start_s": 0.5, "end_s": 1.5, "every": 2}
    assert len(rows(outputs["csv"])) == 182
    assert len(rows(tmp_path / "out.events.csv")) == 4
    assert len(json.loads(outputs["json"].read_text(encoding="utf-8"))) == 2
    assert {path.name for path in tmp_path.glob("*.html")} == {
        "out-1-clip.html",
        "out-2-other.html",
    }
    assert capsys.readouterr().out.count("Person 2") >= 2


@pytest.mark.parametrize(("bad", "status"), [({"b.mp4"}, 1), ({"a.mp4", "b.mp4"}, 2)])
def test_a_bad_video_among_good_ones_costs_only_itself(
    bad: set[str],
    status: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def analyse(path: Path, **_: Any) -> Analysis:
        if path.name in bad:
            raise VideoError(f"{path.name} is no video.")
        return by_hand()

    monkeypatch.setattr(analysis, "analyse", analyse)
    out = tmp_path / "out.csv"
    assert cli.main(["video", "a.mp4", "b.mp4", "--csv", str(out)]) == status
    told = capsys.readouterr().err
    assert all(f"{name} is no video." in told for name in bad)
    assert out.exists() == (status == 1)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_ctrl_c_keeps_what_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def analyse(path: Path, *, cancelled: Any, **_: Any) -> Analysis:
        assert not cancelled()
        signal.raise_signal(signal.SIGINT)
        assert cancelled()
        return replace(by_hand(), complete=False, notes=("Cancelled: only a part.",))

    monkeypatch.setattr(analysis, "analyse", analyse)
    former = signal.getsignal(signal.SIGINT)
    out = tmp_path / "out.json"
    assert cli.main(["video", "clip.mp4", "--json", str(out)]) == 130
    assert json.loads(out.read_text(encoding="utf-8"))["complete"] is False
    assert "Note: Cancelled" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is former


def test_the_second_ctrl_c_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def analyse(path: Path, **_: Any) -> Analysis:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("still running")

    monkeypatch.setattr(analysis, "analyse", analyse)
    assert cli.main(["video", "clip.mp4"]) == 130


def test_a_real_clip(
    tmp_path: Path,
    astronaut: np.ndarray,
    capsys: pytest.CaptureFixture[str],
    stand_in_weights: Path,
) -> None:
    path = tmp_path / "clip.webm"
    write_clip(path, clips.Clip(astronaut, fps=30, seconds=1, size=(320, 240)), 30)
    assert cli.main(["video", str(path), "--json", str(tmp_path / "out.json")]) == 0
    assert "Person 1, 0:00." in capsys.readouterr().out
    assert len(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["frames"]) == 30


def test_a_film_that_fails_costs_no_report_and_no_other_film(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stand_in: dict[str, Any],
) -> None:
    def annotate_video(target: Path, source: Path, *_: Any) -> None:
        assert len([*tmp_path.glob("*.html")]) == 2
        if source.name == "a.mp4":
            raise VideoError("a.mp4 is gone.")
        target.write_bytes(b"film")

    monkeypatch.setattr(drawing, "annotate_video", annotate_video)
    options = ["--html", str(tmp_path / "out.html"), "--annotated", str(tmp_path / "out.webm")]
    assert cli.main(["video", "a.mp4", "b.mp4", *options]) == 1
    assert "a.mp4 is gone." in capsys.readouterr().err
    assert [path.name for path in tmp_path.glob("*.webm")] == ["out-2-b.webm"]
