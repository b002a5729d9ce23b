"""`python -m benchmarks`: each benchmark's command calls it with what it was told."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import spotting, video_profile
from benchmarks.__main__ import main


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

    def stand_in(picture: Path | None, *, quick: bool, seed: int, output: Path | None) -> str:
        asked.extend([picture, quick, seed, output])
        return "F1"

    monkeypatch.setattr(spotting, "main", stand_in)
    out = tmp_path / "scores.json"
    assert main(["spotting", "--quick", "--seed", "3", "--json", str(out)]) == 0
    assert capsys.readouterr().out == "F1\n"
    assert asked == [None, True, 3, out]


def test_bench_video_prints_its_tables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_profile, "report", lambda model, **options: f"{model} {options}")
    assert main(["video", "--model", "cnn2"]) == 0
    assert capsys.readouterr().out == "cnn2 {'picture': None}\n"
