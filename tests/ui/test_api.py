"""The endpoints for programs: what they say of themselves, and calls of them from another process.

The examples of docs/api.md are run here; that it says what they say is checked in
tests/test_documents.py.
"""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from benchmarks.synthetic import clips
from mer import ui
from mer.emotions import EMOTIONS
from mer.io.video import write_clip
from mer.models.registry import DEFAULT_MODEL
from tools.make_docs import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "api.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples run: with a photo.jpg and a short clip.webm of a face."""
    path = tmp_path_factory.mktemp("api")
    face = skimage.data.astronaut()
    Image.fromarray(face).save(path / "photo.jpg")
    Image.new("RGB", (90, 90)).save(path / "wall.png")
    clip = clips.Clip(face, seconds=1, fps=25, seed=0)
    write_clip(path / "clip.webm", iter(clip), clip.fps)
    return path


def endpoints(client: Client) -> dict[str, Any]:
    known = client.view_api(return_format="dict", print_info=False)
    return {name.strip("/"): one for name, one in known["named_endpoints"].items()}


def test_every_action_is_public_and_nothing_else(client: Client) -> None:
    assert set(endpoints(client)) == set(EXAMPLES)


def test_every_parameter_and_answer_has_a_type_and_is_described(client: Client) -> None:
    for name, endpoint in endpoints(client).items():
        for parameter in endpoint["parameters"]:
            assert parameter["python_type"]["type"] not in ("", "Any"), (name, parameter)
        assert len(endpoint["returns"]) == 1


def test_the_examples_run_in_another_process(url: str, folder: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1 + len(EXAMPLES)  # the connection, then a call of each
    program = "\n".join(blocks).replace("http://127.0.0.1:7860", url)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=folder,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder / "answers")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr


def test_the_examples_of_curl_run(url: str, folder: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1 + len(EXAMPLES)  # the functions, then a call of each
    program = "\n".join(blocks).replace("http://127.0.0.1:7860/", url)
    done = subprocess.run(
        ["bash", "-c", program], cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert done.stdout.count("event: complete\n") == len(EXAMPLES), done.stdout[-3000:]
    assert "event: error" not in done.stdout


@pytest.mark.parametrize("name", ["predict", "annotate", "analyse_video"])
def test_a_missing_file_is_a_sentence(client: Client, name: str) -> None:
    with pytest.raises(AppError, match="is missing. Send"):
        client.predict(None, api_name=f"/{name}")


@pytest.mark.parametrize("name", ["predict", "annotate", "explain_face"])
def test_what_is_no_picture_is_a_sentence(client: Client, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.jpg").write_text("text")
    sent = handle_file(tmp_path / "text.jpg")
    with pytest.raises(AppError, match="is not a picture"):
        client.predict(sent, api_name=f"/{name}")


def test_no_face(client: Client, folder: Path) -> None:
    wall = handle_file(folder / "wall.png")
    assert client.predict(wall, api_name="/predict")["faces"] == []
    with pytest.raises(AppError, match="There is no face 1: 0 were found"):
        client.predict(wall, api_name="/explain_face")


def test_a_network_that_is_not_there(client: Client, folder: Path) -> None:
    with pytest.raises(AppError, match="not in the list"):
        client.predict(handle_file(folder / "photo.jpg"), "vgg", api_name="/predict")


def test_predict(client: Client, folder: Path) -> None:
    files = [handle_file(folder / name) for name in ("photo.jpg", "wall.png")]
    answer = client.predict(files, "cnn2", api_name="/predict_all")
    assert (answer["network"], answer["classes"]) == ("cnn2", list(EMOTIONS))
    [face] = answer["faces"]
    assert [one["file"] for one in answer["without_face"]] == ["wall.png"]
    assert face["concerns"] == []
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert face["probability"] == max(face["probabilities"].values())


def test_annotate_and_explain_give_pictures(client: Client, folder: Path) -> None:
    photo = handle_file(folder / "photo.jpg")
    for name in ("annotate", "explain_face"):
        path = client.predict(photo, api_name=f"/{name}")
        assert np.ptp(np.asarray(Image.open(path)).astype(int)) > 100


def test_a_class_that_the_network_does_not_know(client: Client, folder: Path) -> None:
    photo = handle_file(folder / "photo.jpg")
    with pytest.raises(AppError, match=f"{DEFAULT_MODEL} knows no class 'bored': choose anger"):
        client.predict(photo, emotion="bored", api_name="/explain_face")


def test_report_is_one_page(client: Client, folder: Path) -> None:
    photo = handle_file(folder / "photo.jpg")
    assert "Expressions of 1 face in 1 picture" in client.predict([photo], api_name="/report")
    with pytest.raises(AppError, match="At most 30"):
        client.predict([photo] * 31, api_name="/report")


def test_comparison_and_evaluation_are_the_records(client: Client) -> None:
    record = json.loads((ROOT / "weights" / "cnn1.json").read_text(encoding="utf-8"))
    scores = client.predict("cnn1", "clean", api_name="/evaluation")
    assert scores["accuracy"] == record["evaluation"]["test"]["clean"]["accuracy"]
    assert scores["classes"] == list(EMOTIONS)
    compared = client.predict(api_name="/compare")
    assert {"figure", "cnn1", "cnn2"} <= set(compared["rows"][0])
    accuracies = {one["network"]: one["accuracy_clean"] for one in compared["networks"]}
    assert accuracies["cnn1"] == scores["accuracy"]
    names, matrix = (compared["significance"]["clean"][key] for key in ("networks", "matrix"))
    assert len(matrix) == len(names) == len(accuracies)


def test_a_page_with_a_password(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("MER_USER", "ana")
    monkeypatch.setenv("MER_PASSWORD", "secret")
    page = ui.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    told = "Basic " + base64.b64encode(b"ana:secret").decode()
    visitor = Client(address, headers={"Authorization": told}, verbose=False)
    answer = visitor.predict(handle_file(folder / "photo.jpg"), api_name="/predict")
    page.close()
    assert len(answer["faces"]) == 1
