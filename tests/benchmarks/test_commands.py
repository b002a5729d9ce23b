"""`python -m benchmarks`: each benchmark's command calls it with what it was told."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import spotting, video_profile
from benchmarks.__main__ import main
from mer.weights import store


@pytest.mark.parametrize(
    "arguments",
    [
        ["stages", "--picture", "none.jpg"],
        ["video", "--picture", "none.jpg"],
        ["spotting", "--face", "none.jpg"],
        ["batch", "--picture", "none.jpg"],
    ],
)
def test_missing_input_is_one_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "none.jpg" in capsys.readouterr().err


def test_bench_spotting_prints_its_tables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Any] = []

    def stand_in(picture: Path | None, *, quick: bool, seed: int) -> dict[str, Any]:
        asked.extend([picture, quick, seed])
        return {"text": "F1", "scores": [{"f1": None}], "figures": {"talk_events": 0}}

    monkeypatch.setattr(spotting, "measure", stand_in)
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    out = tmp_path / "scores.json"
    assert main(["spotting", "--quick", "--seed", "3", "--json", str(out), "--save"]) == 0
    assert capsys.readouterr().out == "F1\n"
    assert asked == [None, True, 3]
    assert set(json.loads(out.read_text())) == {"scores", "figures"}
    assert "made" in json.loads((tmp_path / "spotting.json").read_text())


def test_bench_video_prints_its_tables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_profile, "report", lambda model, **options: f"{model} {options}")
    assert main(["video", "--model", "cnn2"]) == 0
    assert capsys.readouterr().out == "cnn2 {'picture': None}\n"
