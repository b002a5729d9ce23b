"""Tests of serving the page: ports, missing weights, and what is left of a picture."""

import socket
import threading
import time
from pathlib import Path

import gradio.networking
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from mer import ui, weights
from mer.errors import MerError
from mer.models import MODELS
from mer.predictor import get_predictor
from mer.ui import kept


def test_uploads_are_deleted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, astronaut: np.ndarray
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "AGE_S", 1.0)
    monkeypatch.setattr(kept, "EVERY_S", 0.5)
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    page = ui.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    visitor = Client(address, verbose=False, download_files=False)
    files = [handle_file(tmp_path / "a.png")]
    answer = visitor.submit(files, "cnn1", "yunet", api_name="/upload").result(timeout=120)[0]
    assert "Face 1 " in answer
    deadline = time.monotonic() + 20
    while _pictures(tmp_path / "cache") and time.monotonic() < deadline:
        time.sleep(0.2)
    page.close()
    assert _pictures(tmp_path / "cache") == []


def test_a_busy_machine_serves_the_page_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradio.networking, "url_ok", lambda _: False)  # it did not answer in time
    page = ui.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    status = httpx.get(address).status_code
    page.close()
    assert status == 200


def _pictures(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in (".png", ".jpeg", ".jpg")]


def test_page_opens_without_weights_and_names_the_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    get_predictor.cache_clear()
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    page = ui.build()
    get_predictor.cache_clear()
    told = " ".join(str(block.value) for block in page.blocks.values() if hasattr(block, "value"))
    for name in MODELS:
        assert f"{name}.safetensors is missing" in told
    assert "git checkout -- weights" in told


@pytest.mark.parametrize("port", ["", "web", "0", "70000", "-1"])
def test_port_that_is_none(port: str) -> None:
    with pytest.raises(MerError, match="a number from 1 to 65535"):
        ui.launch(port=port)


def test_port_in_use() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(MerError, match=r"choose another port"):
            ui.launch(port=other.getsockname()[1])


def test_launch_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = ui.build()
    serving = threading.Thread(target=ui.launch, args=[page], kwargs={"port": port}, daemon=True)
    monkeypatch.setattr(page, "block_thread", lambda: None)
    serving.start()
    serving.join(timeout=60)
    text = httpx.get(f"http://127.0.0.1:{port}/").text
    page.close()
    assert "Facial expressions" in text
