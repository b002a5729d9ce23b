"""Tests of serving the page: ports, missing weights, and what is left of a picture."""

import io
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import gradio.networking
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from mer import ui
from mer.errors import MerError
from mer.inference.predictor import get_predictor
from mer.models.registry import MODELS
from mer.ui import visitor_files
from mer.weights import store


def test_uploads_are_deleted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, astronaut: np.ndarray
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(visitor_files, "AGE_S", 1.0)
    monkeypatch.setattr(visitor_files, "EVERY_S", 0.5)
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    page = ui.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    visitor = Client(address, verbose=False, download_files=False)
    files = [handle_file(tmp_path / "a.png")]
    answer = visitor.submit(files, "cnn1", "yunet", False, api_name="/upload").result(timeout=120)[
        0
    ]
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
    monkeypatch.setattr(store, "FOLDER", tmp_path)
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


def test_a_busy_port_names_a_free_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(MerError, match="Address already in use") as refused:
            ui.launch(port=taken)
        free = re.search(r"PORT=(\d+) or --port \1", str(refused.value))
        assert free
        assert int(free[1]) > taken
        with socket.socket() as ours:
            ours.bind(("127.0.0.1", int(free[1])))


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-name.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(MerError, match="Stop the program that listens there, or choose another"):
        ui.launch(host=host)


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


def test_no_variable_of_gradio_turns_on_what_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where `mcp` is not installed, the page would not even start."""
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True")
    page = ui.build()
    page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    page.close()
    assert not page.mcp_server


def _own_address() -> str:
    """An address of this machine that is not the loopback one; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but the loopback one")
        return str(probe.getsockname()[0])


def test_a_space_is_reached_from_outside(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("0.0.0.0", 0))
        port = free.getsockname()[1]
    inherited = {k: v for k, v in os.environ.items() if k not in ("HOST", "PORT")}
    space = {
        **{"SYSTEM": "spaces", "SPACE_ID": "ada/faces", "SPACE_HOST": "ada-faces.hf.space"},
        **{"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": str(port)},
        **{"GRADIO_TEMP_DIR": str(tmp_path)},
    }
    command = [sys.executable, "app.py"]
    root = Path(ui.__file__).resolve().parents[2]
    with subprocess.Popen(command, env=inherited | space, cwd=root) as page:
        try:
            text = _awaited(f"http://{_own_address()}:{port}/")
        finally:
            page.terminate()
    assert "Facial expressions" in text


def _awaited(address: str) -> str:
    deadline = time.monotonic() + 120
    while True:
        try:
            return httpx.get(address).text
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def test_a_link_to_the_page_is_shown_with_a_title_and_a_picture(url: str) -> None:
    page = httpx.get(url)
    assert len(re.findall('property="og:title"', page.text)) == 1
    assert "Click to try out the app" not in page.text
    picture = re.search('property="og:image" content="([^"]+)"', page.text)
    assert picture is not None
    shown = httpx.get(picture[1])
    assert shown.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(shown.content)).size == (256, 256)
