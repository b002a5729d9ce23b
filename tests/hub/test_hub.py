"""The Hub: cards from the records, the folders that are pushed, and weights from it.

All of it against the stand-in of tests/hub/hub_server.py; nothing was tried against the real Hub.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard
from PIL import Image

from mer import cli, hub
from mer.errors import MerError, WeightsError
from mer.models.registry import DEFAULT_MODEL
from mer.weights import store
from tests.hub import hub_server
from tests.records import record

ROOT = Path(__file__).resolve().parents[2]
REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def measured(stand_in_weights: Path) -> Path:
    """Untrained networks whose records hold made-up figures."""
    for name in ("cnn1", DEFAULT_MODEL):
        known = store.read_record(name, folder=stand_in_weights)
        told = record(name) | {"size": 48, "file": known["file"]}
        stages = [{**one, **_stage()} for one in told["training"]["stages"]]
        told["training"]["stages"] = stages
        store.write_record(name, told, folder=stand_in_weights)
    return stand_in_weights


def _stage() -> dict[str, object]:
    data = [{"name": "faces", "train": {"anger": 5}, "validation": {"anger": 1}}]
    settings = {"batch": 8, "learning_rate": 0.001, "copies": 1}
    more = {"best_epoch": 2, "seed": 0, "device": "cpu", "cpu_seconds": 40.0}
    return {"data": data, "settings": settings, **more}


def run(*arguments: str | Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mer", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )


def test_no_card_of_an_unknown_network(measured: Path) -> None:
    with pytest.raises(WeightsError, match="no network called 'vgg'"):
        hub.card("vgg")


def test_no_card_without_figures(stand_in_weights: Path) -> None:
    with pytest.raises(WeightsError, match="lacks the training or the test figures"):
        hub.card("cnn1")


def test_the_card_holds_both_protocols_as_the_hub_reads_them(measured: Path) -> None:
    told: Any = ModelCard(hub.card("cnn1")).data
    results = {(one.dataset_config, one.metric_type): one for one in told.eval_results}
    test = record("cnn1")["evaluation"]["test"]
    assert len(results) == 6
    for kind, scores in (("all", test), ("clean", test["clean"])):
        assert results[kind, "accuracy"].metric_value == round(scores["accuracy"], 4)
        assert results[kind, "f1"].metric_value == round(scores["macro_f1"], 4)
        assert str(scores["n"]) in results[kind, "accuracy"].dataset_name
    assert told.pipeline_tag == "image-classification"
    assert told.license == "mit"


def test_the_card_tells_training_limits_and_use(measured: Path) -> None:
    text = hub.card("cnn1")
    for words in (
        *("faces", "5 pictures, 1 held out", "seed 0", "Limits", "must not be used for"),
        *("MER_HUB=OWNER/NAME@REVISION", "Class by class, clean 700", "not calibrated"),
    ):
        assert words in text or words.capitalize() in text, words


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, measured: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for write in (hub.space, lambda folder: hub.model("cnn1", folder)):
        with pytest.raises(MerError, match="not an empty folder"):
            write(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.txt"]


def test_dry_run_of_a_model(
    tmp_path: Path, measured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    arguments = ["publish", "--model", "made/up", "--network", "cnn1", "--dry-run", str(folder)]
    assert cli.main(arguments) == 0
    files = ["LICENSE", "README.md", "cnn1.json", "cnn1.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == files
    assert capsys.readouterr().out.split() == files
    assert store.load("cnn1", folder=folder)[1]["model"] == "cnn1"


def test_dry_run_of_a_space_is_a_page_that_starts(tmp_path: Path, measured: Path) -> None:
    folder = tmp_path / "out"
    (measured / "mine.checkpoint").write_text("a training's own")
    assert cli.main(["publish", "--space", "made/page", "--dry-run", str(folder)]) == 0
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("---\n")
    assert not list(folder.rglob("__pycache__"))
    assert not list(folder.rglob("*.checkpoint"))
    done = subprocess.run(
        [sys.executable, "-c", "import app, mer; print(len(app.demo.fns), mer.__file__)"],
        cwd=folder,
        env={name: one for name, one in os.environ.items() if name != "MER_WEIGHTS"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    count, place = done.stdout.split()
    assert int(count) > 10
    assert place == str(folder / "mer" / "__init__.py")


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[tuple[hub_server.Hub, dict[str, str]]]:
    with hub_server.served() as running:
        yield running, running.environment(tmp_path / "home")


def test_a_network_goes_to_the_hub_and_comes_back(
    standing: tuple[hub_server.Hub, dict[str, str]],
    tmp_path: Path,
    measured: Path,
    astronaut: np.ndarray,
) -> None:
    running, environment = standing
    pushed = run("publish", "--model", "made/up", "--network", "cnn1", environment=environment)
    assert pushed.returncode == 0, pushed.stderr
    commit = running.commits["models/made/up"]
    assert f"MER_HUB=made/up@{commit}" in pushed.stdout
    assert sorted(running.files["models/made/up"])[-1] == "cnn1.safetensors"

    photo = tmp_path / "photo.png"
    Image.fromarray(astronaut).save(photo)
    model = ("--model", "cnn1")
    here = environment | {"MER_HUB": f"made/up@{commit}"}
    (measured / "cnn1.safetensors").unlink()  # so that the answer can only come from the Hub
    (measured / "cnn1.json").unlink()
    first = run("predict", photo, *model, environment=here)
    assert first.returncode == 0, first.stderr
    running.shutdown()
    running.server_close()
    assert run("predict", photo, *model, environment=here).stdout == first.stdout  # fetched before

    fresh = here | {"HF_HOME": str(tmp_path / "other")}
    missing = run("predict", photo, *model, environment=fresh)
    assert "The Hub cannot be reached, and cnn1 was not fetched before" in missing.stderr
    assert "cnn1.safetensors is missing" in missing.stderr
    other = run("predict", photo, "--model", "cnn2", environment=fresh)  # the weights at hand
    assert other.returncode == 0, other.stderr
    assert "The Hub cannot be reached, and cnn2" in other.stderr


def test_a_network_that_the_repository_does_not_hold_is_taken_from_here(
    standing: tuple[hub_server.Hub, dict[str, str]],
    measured: Path,
    tmp_path: Path,
    astronaut: np.ndarray,
) -> None:
    running, environment = standing
    running.files["models/made/up"] = {"README.md": b""}
    running.commits["models/made/up"] = REVISION
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    here = environment | {"MER_HUB": f"made/up@{REVISION}"}
    done = run("predict", tmp_path / "a.png", environment=here)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("source", ["made/none@" + REVISION, "made/up@" + "f" * 40])
def test_a_repository_or_revision_that_is_not_there(
    standing: tuple[hub_server.Hub, dict[str, str]], measured: Path, source: str
) -> None:
    running, environment = standing
    running.files["models/made/up"] = {}
    running.commits["models/made/up"] = REVISION
    done = run("predict", "none.jpg", environment=environment | {"MER_HUB": source})
    assert done.returncode == 2
    assert f"mer: The Hub does not give {source}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("source", ["made/up", "made/up@main", f"made@{REVISION}", "@"])
def test_a_revision_that_is_not_pinned(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setenv(store.HUB, source)
    with pytest.raises(WeightsError, match="has to be OWNER/NAME@REVISION"):
        store.fetched("cnn1")


def test_without_the_variable_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(store.HUB, raising=False)
    assert store.fetched("cnn1") is None


def test_a_name_that_is_none_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.HUB, f"made/up@{REVISION}")
    assert store.fetched("../../etc/passwd") is None


def test_a_space_goes_to_the_hub(
    standing: tuple[hub_server.Hub, dict[str, str]], measured: Path
) -> None:
    running, environment = standing
    done = run("publish", "--space", "made/page", environment=environment)
    assert done.returncode == 0, done.stderr
    assert running.made[-1]["sdk"] == "gradio"
    files = running.files["spaces/made/page"]
    assert {"app.py", "README.md", "requirements.txt", "mer/__init__.py"} <= set(files)
    assert json.loads(files["weights/cnn1.json"])["model"] == "cnn1"
    assert running.unknown == []


@pytest.mark.parametrize(
    ("change", "words"),
    [({"HF_TOKEN": "wrong"}, "The Hub refuses"), ({"HF_HUB_OFFLINE": "1"}, "cannot be reached")],
)
def test_a_push_that_fails_is_a_sentence(
    standing: tuple[hub_server.Hub, dict[str, str]],
    measured: Path,
    change: dict[str, str],
    words: str,
) -> None:
    done = run("publish", "--model", "made/up", environment=standing[1] | change)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_the_hub_would_not_take(measured: Path) -> None:
    with pytest.raises(MerError, match="OWNER/NAME"):
        hub.push("a/b/c", "model", Path.mkdir)
