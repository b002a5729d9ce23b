"""What is too much is refused with a sentence that says how much is not; and the password."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from mer import ui
from mer.errors import ImageError, MerError, VideoError
from mer.inference.predictor import get_predictor
from mer.io import images
from mer.io.video import Frame, Video, write_clip
from mer.ui import errors, guard, origin, upload, video, visitor_files, visitors
from mer.video import analysis
from tests.security.conftest import Served, files, serve


def send(served: Served, path: str, parts: list[bytes], headers: dict[str, str]) -> tuple[int, str]:
    """Status and answer, also where it comes before all has been sent."""
    line = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)
    line.putrequest("POST", path)
    for name, value in headers.items():
        line.putheader(name, value)
    line.endheaders()
    try:
        for part in parts:
            line.send(part)
    except (BrokenPipeError, ConnectionResetError):
        pass
    answer = line.getresponse()
    told = answer.status, answer.read().decode()
    line.close()
    return told


def test_an_upload_that_says_it_is_too_large(shared: Served) -> None:
    head = {"Content-Type": "multipart/form-data; boundary=x"}
    length = {"Content-Length": str(guard.MAX_UPLOAD_MB * 1_000_000 + 1)}
    status, told = send(shared, "/gradio_api/upload", [], head | length)
    assert status == 413
    assert told == "At most 200 MB can be sent at a time. Send fewer or smaller files."


def test_an_upload_that_does_not_say_so(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_UPLOAD_MB", 1)
    head = {"Content-Type": "multipart/form-data; boundary=x", "Transfer-Encoding": "chunked"}
    start = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    pieces = [start, *[bytes(100_000)] * 12]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
    status, told = send(served, "/gradio_api/upload", chunks, head)
    assert (status, told.partition(" can")[0]) == (413, "At most 1 MB")
    visitor_files.sweep(served.page, -1)
    assert files(served.folder) == []


def test_values_that_are_too_large(shared: Served) -> None:
    length = {"Content-Length": str(guard.MAX_JSON_MB * 1_000_000 + 1)}
    status, told = send(shared, "/gradio_api/call/webcam", [], length)
    assert status == 413
    assert "At most 24 MB" in json.loads(told)["detail"]


def test_values_of_all_visitors_together(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "HELD_MB", 0.001)
    answer = httpx.post(f"{shared.url}gradio_api/call/webcam", json={"data": ["x" * 5000]})
    assert answer.status_code == 503
    assert answer.json()["detail"] == guard._BUSY


def test_values_that_do_not_arrive(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PATIENCE_S", 0.5)
    status, told = send(served, "/gradio_api/call/webcam", [b"{"], {"Content-Length": "9"})
    assert status == 408
    assert "did not arrive" in json.loads(told)["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b'{"data": 1e999}'])
def test_values_that_are_none(shared: Served, body: bytes) -> None:
    answer = httpx.post(f"{shared.url}gradio_api/call/webcam", content=body)
    assert 400 <= answer.status_code < 500
    assert "detail" in answer.json()


def test_a_full_disk_takes_no_uploads(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("FREE_BYTES", 1 << 60), ("MAX_BYTES", -1)):
        with monkeypatch.context() as patch:
            patch.setattr(visitor_files, name, value)
            answer = httpx.post(f"{shared.url}gradio_api/upload", files={"files": b"x"})
        assert answer.status_code == 507
        assert answer.text == errors.FULL


def test_a_picture_of_too_many_pixels_and_a_file_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("1", (10_000, 5_001)).save(tmp_path / "large.png")
    with pytest.raises(ImageError, match="10000 x 5001 pixels, and at most 50 million are read"):
        images.read(tmp_path / "large.png")
    monkeypatch.setattr(upload, "MAX_FILE_MB", 0.0001)
    shot, _ = upload.read_one(str(tmp_path / "large.png"), "large.png", get_predictor("cnn1"), {})
    assert shot.problem == "large.png is larger than 0.0001 MB. Save it smaller, as a JPEG."


@pytest.fixture
def film(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "film.webm"
    write_clip(path, (Frame(n, 500.0 * n, astronaut[:64, :64]) for n in range(9)), 2)
    return path


def test_a_video_that_is_too_long(film: Path) -> None:
    with pytest.raises(VideoError, match="longer than 0:02, which is as much as is read here"):
        analysis.analyse(film, longest_s=2)


def test_a_video_that_hides_its_length(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Video, "duration_ms", property(lambda _: None, lambda *_: None), raising=False
    )
    with pytest.raises(VideoError, match="longer than 0:02"):
        analysis.analyse(film, longest_s=2)


def test_the_video_tab_says_the_limit(
    shared: Served, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "MAX_MINUTES", 0.03)
    visitor = Client(shared.url, verbose=False, download_files=False)
    told = visitor.predict(handle_file(film), "cnn1", "yunet", 0, 0, 1, False, api_name="/video")
    visitor.close()
    assert "longer than 0:02" in told[0]


def test_a_full_queue_says_how_long_it_is(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "CALLS", 0)
    data = {"data": ["", "cnn1", "yunet"]}
    answer = httpx.post(f"{shared.url}gradio_api/call/webcam", json=data)
    assert answer.status_code == 503
    assert answer.json()["detail"] == visitors._FULL


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("MER_USER", "ada")
    monkeypatch.setenv("MER_PASSWORD", "grüner Löwe")
    monkeypatch.setattr(guard, "_WRONG_S", 0.1)
    yield from serve()


def authorization(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


PATHS = ("", "config", "assets/x", "gradio_api/info", "gradio_api/heartbeat/x", "live/start", "x")
WRONG: tuple[dict[str, str], ...] = (
    {},
    authorization("ada:"),
    authorization("ada:grüner Löwe "),
    authorization("eve:grüner Löwe"),
    {"Authorization": "Basic ####"},
    {"Authorization": "Bearer YWRhOg=="},
)


def test_without_the_password_nothing_is_open(locked: Served) -> None:
    for path in PATHS:
        for wrong in WRONG:
            for method in ("GET", "POST"):
                answer = httpx.request(method, locked.url + path, headers=wrong)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Basic")
                assert answer.text == "This page asks for a name and a password."


def test_with_the_password_it_works(locked: Served) -> None:
    given = authorization("ada:grüner Löwe")
    assert "Facial expressions" in httpx.get(locked.url, headers=given).text
    assert "key" in httpx.post(f"{locked.url}live/start", headers=given).json()
    visitor = Client(locked.url, verbose=False, headers=given)
    assert "no camera picture" in visitor.predict("", "cnn1", "yunet", api_name="/webcam")
    visitor.close()


def test_wrong_passwords_wait_for_one_another(
    locked: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_WRONG_S", 0.3)
    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: httpx.get(locked.url, headers=authorization(f"ada:{n}")), range(6)))
    assert time.monotonic() - began >= 6 * 0.3


def test_a_name_without_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MER_PASSWORD", raising=False)
    monkeypatch.setenv("MER_USER", "ada")
    with pytest.raises(MerError, match="Set both, or none"):
        ui.settings()
    monkeypatch.delenv("MER_USER")
    assert origin.password() is None
    monkeypatch.setenv("MER_PASSWORD", "word")
    assert origin.password() == ("mer", "word")


class _Page:
    def launch(self, **_: Any) -> None: ...


@pytest.mark.parametrize("word", ["", "secret"])
def test_sharing_without_a_password_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    monkeypatch.setenv("MER_PASSWORD", word)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ui.launch(_Page(), port=port, share=True)  # type: ignore[arg-type]
    assert ("Set MER_USER and MER_PASSWORD" in capsys.readouterr().err) == (not word)


def test_a_page_that_is_told_to_end_removes_its_files(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    surroundings = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "mer", "app", "--port", str(port)]
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL) as page:
        for _ in range(600):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.2)
        httpx.post(f"http://127.0.0.1:{port}/gradio_api/upload", files={"files": b"face"})
        assert files(tmp_path)
        page.terminate()
        assert page.wait(60) == 0
    assert files(tmp_path) == []
    assert list(tmp_path.glob("mer-page-*")) == []
