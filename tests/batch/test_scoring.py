"""A batch by two workers of Ray: killed at any moment it goes on, nothing lost, nothing twice."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mer import cli
from mer.models.registry import DEFAULT_MODEL

PROGRAM = str(Path(__file__).parent / "slowly.py")
COPIES = 28


@pytest.fixture
def faces(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """The same face in many pictures, and what cannot be read."""
    folder = tmp_path / "faces"
    (folder / "inner").mkdir(parents=True)
    Image.fromarray(astronaut[:256, 64:320]).save(folder / "face0.jpg")
    for number in range(1, COPIES):
        shutil.copy(folder / "face0.jpg", folder / "inner" / f"face{number}.jpg")
    Image.new("RGB", (90, 90)).save(folder / "black.png")
    (folder / "broken.jpg").write_text("no picture")
    (folder / "inner" / "torn.mp4").write_text("no video")
    return folder


def command(source: Path, out: Path, *more: str) -> list[str]:
    return ["batch", str(source), "--out", str(out), *more]


def test_without_the_extra_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.startswith("mer.batch.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.main(command(tmp_path, tmp_path / "out")) == 2
    assert "pip install 'mer[scale]'" in capsys.readouterr().err


def test_nothing_to_score(
    tmp_path: Path, stand_in_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(command(tmp_path / "none", out)) == 2
    assert "is not there" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("text", ["0", "two", "-1"])
def test_no_number_of_workers(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["batch", "faces", "--out", "out", "--workers", text])
    assert "no number of workers" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from mer.batch import scoring

    def stopped(*_: Any, progress: Any, **__: Any) -> None:
        progress(scoring.Step(0, 9))
        progress(scoring.Step(4, 9, worker=1))
        raise KeyboardInterrupt

    monkeypatch.setattr(scoring, "score", stopped)
    assert cli.main(command(tmp_path, tmp_path / "out")) == 130
    assert "stopped after 4 of 9 items; the same command goes on" in capsys.readouterr().err


def start(source: Path, out: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, PROGRAM, str(source), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def steps(process: "subprocess.Popen[str]") -> Iterator[tuple[int, int]]:
    """How many items are done, and by which process the last of them."""
    assert process.stdout
    for line in process.stdout:
        done, worker = map(int, line.split())
        yield done, worker


def test_a_worker_and_the_run_are_killed_and_each_item_is_there_once(
    faces: Path, tmp_path: Path, stand_in_weights: Path
) -> None:
    out, killed, kept = tmp_path / "out", 0, 0
    with start(faces, out) as process:
        for done, _ in steps(process):
            if done >= COPIES / 4:
                process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "done").exists()
    with start(faces, out) as process:
        for done, worker in steps(process):
            kept = kept or done
            if worker and not killed:
                os.kill(killed := worker, signal.SIGKILL)  # amid its next part
        assert process.stderr
        assert process.stderr.read() == ""  # Ray keeps quiet
    assert process.returncode == 0
    assert killed
    assert kept >= COPIES / 4  # it went on where it was
    wanted = sorted(
        path.relative_to(faces).as_posix() for path in faces.rglob("*") if path.is_file()
    )
    items, rows, errors = (pd.read_parquet(out / name) for name in ("items", "faces", "errors"))
    assert sorted(items["file"]) == wanted
    assert sorted(rows["file"]) == [name for name in wanted if "face" in name]
    assert sorted(errors["file"]) == ["broken.jpg", "inner/torn.mp4"]
    assert (out / "done").exists()
    assert rows["network"].unique().tolist() == [DEFAULT_MODEL]
    assert cli.main(command(faces, out)) == 0  # nothing is left, so nothing is started
    assert cli.main(command(faces, out, "--detector", "haar")) == 2
