"""The command line: answers at once, says what is wrong in a sentence, and ends quietly."""

import argparse
import codecs
import csv
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer import cli
from mer.cli import common, networks
from mer.errors import MerError
from mer.faces import detection
from mer.models.registry import DEFAULT_MODEL
from mer.training.config import Settings
from mer.weights import store

PROGRAM = (sys.executable, "-m", "mer")


def commands(root: argparse.ArgumentParser | None = None) -> dict[str, argparse.ArgumentParser]:
    """Every command's parser by its name."""
    return dict(_below(root or cli.parser()))


def _below(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield name, command
                yield from ((f"{name} {words}", inner) for words, inner in _below(command))


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "photo.jpg"
    Image.fromarray(astronaut).save(path)
    return path


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([])
    assert stopped.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], *(name.split() for name in commands())])
def test_help_answers_without_the_heavy_libraries(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *PROGRAM[1:], *arguments, "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m mer")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "mer.cli" in loaded
    assert not {"torch", "cv2", "gradio", "pandas", "numpy"} & loaded


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out.startswith("mer 0.")


def test_names_written_out_are_the_registrys() -> None:
    assert set(detection.DETECTORS) == set(common.DETECTORS)


@pytest.mark.parametrize(
    "name",
    [
        "epochs",
        "batch",
        "learning_rate",
        "copies",
        "seed",
        "weight_decay",
        "patience",
    ],
)
def test_training_defaults_in_the_help_are_true(name: str) -> None:
    text = " ".join(commands()["train"].format_help().split())
    assert f"--{name.replace('_', '-')} " in text
    assert f"(default {getattr(Settings(), name)})" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "none.jpg"], "none.jpg"),
        (["evaluate", "--data", "none"], "none"),
        (["train", "--model", "cnn1", "--data", "none"], "none"),
        (["audit", "none"], "none"),
        (["batch", "none", "--out", "scores"], "none"),
        (["video", "none.mp4"], "none.mp4"),
        (["predict", "none.jpg", "--model", "vgg"], "no network called 'vgg'; choose cnn1"),
        (["publish", "--model", "a/b", "--network", "vgg", "--dry-run", "x"], "called 'vgg'"),
    ],
)
def test_missing_input_is_one_sentence(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    stand_in_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    errors = capsys.readouterr().err
    assert words in errors
    assert "Traceback" not in errors
    assert errors.count("\n") == 1


def test_missing_weights_are_named(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    (stand_in_weights / "cnn2.safetensors").unlink()
    assert cli.main(["predict", str(photo), "--model", "cnn2"]) == 2
    assert "cnn2.safetensors" in capsys.readouterr().err


def test_predict_prints_and_writes_each_face(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    table, document = tmp_path / "faces.csv", tmp_path / "faces.json"
    assert cli.main(["predict", str(photo), "--csv", str(table), "--json", str(document)]) == 0
    assert "looks like" in capsys.readouterr().out
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [str(photo)]
    assert len(json.loads(document.read_text(encoding="utf-8"))["faces"]) == 1


def test_csv_for_excel_begins_with_the_mark_of_utf_8(
    photo: Path, tmp_path: Path, stand_in_weights: Path
) -> None:
    table = tmp_path / "faces.csv"
    assert cli.main(["predict", str(photo), "--csv", str(table), "--bom"]) == 0
    assert table.read_bytes().startswith(codecs.BOM_UTF8 + b"file,")


def test_predict_goes_on_behind_a_broken_picture(
    photo: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    (photo.parent / "broken.jpg").write_text("no picture")
    Image.new("RGB", (90, 90)).save(photo.parent / "empty.png")
    assert cli.main(["predict", str(photo.parent)]) == 1
    printed = capsys.readouterr()
    assert "broken.jpg" in printed.err
    assert "photo.jpg" in printed.out
    assert "empty.png: no face found" in printed.out


def test_predict_fails_where_nothing_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    (tmp_path / "broken.jpg").write_text("no picture")
    table = tmp_path / "faces.csv"
    assert cli.main(["predict", str(tmp_path / "broken.jpg"), "--csv", str(table)]) == 2
    assert "broken.jpg" in capsys.readouterr().err
    with table.open(encoding="utf-8", newline="") as file:
        assert "not a picture" in next(csv.DictReader(file))["reason"]


def test_compare_prints_figures_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "--format", "json"]) == 0
    networks = json.loads(capsys.readouterr().out)
    assert {one["network"] for one in networks} == set(store.available())
    assert cli.main(["compare", "--format", "csv"]) == 0
    rows = [*csv.DictReader(capsys.readouterr().out.splitlines())]
    wanted = [round(one["accuracy_all"], 4) for one in networks]
    assert [float(row["accuracy_all"]) for row in rows] == wanted
    assert cli.main(["compare"]) == 0
    assert "| The paper's test accuracy | " in capsys.readouterr().out


def test_help_names_the_extra_that_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["batch", "--help"])
    assert "pip install 'mer[scale]'" in " ".join(capsys.readouterr().out.split())


def test_predict_takes_cut_out_faces(
    photo: Path, stand_in_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Image.open(photo) as whole:
        whole.crop((200, 110, 250, 160)).resize((48, 48)).save(tmp_path / "cut.png")  # no chin
    assert cli.main(["predict", str(tmp_path / "cut.png"), "--model", "cnn1"]) == 0
    assert "say --detector none" in capsys.readouterr().out
    options = ["--model", "cnn1", "--detector", "none"]
    assert cli.main(["predict", str(tmp_path / "cut.png"), *options]) == 0
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert line.split()[:5] == ["1", "0", "0", "48", "48"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_predict_prints_for_programs(
    photo: Path, form: str, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    Image.new("RGB", (90, 90)).save(photo.parent / "empty.png")
    assert cli.main(["predict", str(photo), str(photo.parent), "--format", form]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    faces = list(csv.DictReader(lines)) if form == "csv" else [json.loads(one) for one in lines]
    (without,) = [one for one in faces if one.get("reason")]
    faces.remove(without)
    assert (without["file"], without["reason"]) == (f"{photo.parent}/empty.png", "no face found")
    assert not without["emotion"]
    assert [face["file"] for face in faces] == [str(photo)] * 2
    assert {face["network"] for face in faces} == {DEFAULT_MODEL}
    assert "empty.png: no face found" in printed.err


def test_predict_writes_a_report(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    path = tmp_path / "report.html"
    assert cli.main(["predict", str(photo), "--html", str(path)]) == 0
    assert "Expressions of 1 face in 1 picture" in path.read_text(encoding="utf-8")


def test_a_folder_that_is_not_there_is_told_before_the_work(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", str(photo), "--html", str(tmp_path / "no" / "a.html")]) == 2
    assert "There is no folder" in capsys.readouterr().err


def test_predict_in_a_folder_without_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    assert cli.main(["predict", str(folder)]) == 2
    assert "no pictures in the folder" in capsys.readouterr().err


def test_output_that_cannot_be_written(
    photo: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    assert cli.main(["predict", str(photo), "--csv", str(photo / "faces.csv")]) == 2
    assert capsys.readouterr().err.startswith("mer: ")


def test_audit_prints_and_writes_the_leak(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "pairs.csv"
    assert cli.main(["audit", str(tiny_data), "--csv", str(table)]) == 0
    assert "leak" in capsys.readouterr().out.lower()
    assert "anger8.jpg" in table.read_text(encoding="utf-8")


def test_evaluate_prints_json(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in_weights: Path
) -> None:
    path = tmp_path / "figures.json"
    arguments = ["evaluate", "--model", "cnn1", "--data", str(tiny_data), "--json", str(path)]
    assert cli.main(arguments) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["n"] == 14
    assert figures["clean"]["n"] == 13
    assert json.loads(path.read_text(encoding="utf-8")) == figures


def test_train_writes_weights(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--model", "cnn1", "--data", str(tiny_data), "--out", str(tmp_path)]
    assert cli.main([*arguments, "--epochs", "1", "--copies", "0", "--batch", "16"]) == 0
    assert (tmp_path / "cnn1.safetensors").is_file()
    assert str(tmp_path / "cnn1.safetensors") in capsys.readouterr().out


def test_interruption_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(options: argparse.Namespace) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(networks, "compare", interrupted)
    assert cli.main(["compare"]) == 130
    assert capsys.readouterr() == ("", "")


def test_any_mer_error_is_its_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(options: argparse.Namespace) -> None:
        raise MerError("The moon is full. Wait a day.")

    monkeypatch.setattr(networks, "compare", broken)
    assert cli.main(["compare"]) == 2
    assert capsys.readouterr().err == "mer: The moon is full. Wait a day.\n"


def test_a_reader_that_leaves_does_not_take_the_files_along(
    photo: Path, stand_in_weights: Path, tmp_path: Path
) -> None:
    table = tmp_path / "faces.csv"
    words = ["predict", *[str(photo)] * 3, "--model", "cnn1", "--csv", str(table)]
    source, sink = os.pipe()
    os.close(source)  # nobody reads what it prints
    done = subprocess.run([*PROGRAM, *words], stdout=sink, stderr=subprocess.PIPE, check=False)
    os.close(sink)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(table.read_text(encoding="utf-8").splitlines()) == 4


def test_a_name_that_is_no_text_and_one_that_would_write_to_the_terminal(
    photo: Path, stand_in_weights: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for name in (b"caf\xe9.jpg", b"\x1b[31m.jpg", b"=1+1.jpg"):
        (folder / os.fsdecode(name)).write_bytes(photo.read_bytes())
    (folder / os.fsdecode(b"\xff\x1b.png")).write_text("no picture")
    table = tmp_path / "faces.csv"
    words = ["predict", str(folder), "--model", "cnn1", "--csv", str(table)]
    done = subprocess.run([*PROGRAM, *words], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"caf\\xe9.jpg" in done.stdout
    assert b"\\xff\\x1b.png" in done.stderr
    assert b"\x1b" not in table.read_bytes()


def test_a_reader_that_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*PROGRAM, "compare"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert b"Broken" not in done.stderr
    assert done.returncode == 0


def test_a_socks_proxy_without_its_package_is_a_sentence() -> None:
    if importlib.util.find_spec("socksio"):
        pytest.skip("the package is there")
    proxy = {"ALL_PROXY": "socks5://127.0.0.1:9"}
    words = [*PROGRAM, "app", "--port", "7861"]
    done = subprocess.run(
        words, env=os.environ | proxy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "set NO_PROXY='*'" in done.stderr
    assert "Traceback" not in done.stderr


def test_app_serves_and_stops_at_ctrl_c(stand_in_weights: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [*PROGRAM, "app", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # A test run in the background ignores Ctrl-C, and so would its programs.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout
        try:
            lines = iter(process.stdout.readline, "")
            assert any(f"http://127.0.0.1:{port}" in line for line in lines)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGINT)
            assert "Traceback" not in process.communicate(timeout=60)[0]
            assert process.returncode in (0, 130)
        finally:
            process.kill()
