"""What visitors leave behind: nothing. And what About and SECURITY.md say of it."""

import base64
import contextlib
import http.client
import io
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from mer.io.video import Frame, write_clip
from mer.ui import header, visitor_files
from tests.security.conftest import Served, files, serve

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0  # for a busy machine to notice that somebody has gone


def until(true: Callable[[], object]) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + SECONDS
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(true())


@pytest.fixture
def photograph(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """A face like no other, for other programs may have the same one."""
    path = tmp_path / "photograph.png"
    noise = np.random.default_rng().integers(0, 8, astronaut.shape, dtype=np.uint8)
    Image.fromarray(astronaut // 2 + noise).save(path)
    return path


@pytest.fixture
def film(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """A second of a face that hardly moves."""
    path = tmp_path / "film.webm"
    moved = (np.roll(astronaut, shift, axis=0)[:360] for shift in range(8))
    write_clip(path, (Frame(n, 40.0 * n, image) for n, image in enumerate(moved)), 25)
    return path


def full(folder: Path) -> list[Path]:
    """Its files but for the empty ones that Gradio makes with each upload; they go as old ones."""
    found = []
    for path in files(folder):
        with contextlib.suppress(FileNotFoundError):  # the page deletes them while we look
            if path.stat().st_size:
                found.append(path)
    return found


def _sent(folder: Path) -> list[Path]:
    return [path for path in full(folder) if path.name == "photograph.png"]


def places() -> list[Path]:
    """Where programs leave things behind."""
    home = Path.home()
    caches = [home / ".cache", home / ".gradio", home / ".config", home / ".local"]
    return [Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), *caches, ROOT]


def fresh(since: float, ours: Path) -> Iterator[Path]:
    """Files outside `ours` that have changed since then."""
    skipped = {
        ".git",
        ".venv",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        "runs",
    }
    for place in places():
        for folder, inner, names in os.walk(place):
            inner[:] = [name for name in inner if name not in skipped]
            for path in (Path(folder) / name for name in names):
                with contextlib.suppress(OSError):
                    if path.stat().st_ctime >= since and not path.is_relative_to(ours):
                        yield path


def faces(photograph: Path) -> list[bytes]:
    """Pieces of a photograph that would betray a copy: of its file, and of its pixels."""
    with Image.open(photograph) as image:
        pixels = np.asarray(image.convert("RGB"))
    return [photograph.read_bytes()[4000:4100], pixels[200, 200:240].tobytes()]


def holds(path: Path, pieces: list[bytes]) -> bool:
    """Whether a file has one of the pieces in it; nobody can read a file that is gone."""
    with contextlib.suppress(OSError):
        if path.is_file() and path.stat().st_size < 50_000_000:
            content = path.read_bytes()
            return any(piece in content for piece in pieces)
    return False


def data_url(photograph: Path) -> str:
    content = io.BytesIO()
    with Image.open(photograph) as image:
        image.save(content, "jpeg")
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def test_whoever_closes_the_page_leaves_no_trace(
    served: Served, photograph: Path, film: Path, tmp_path: Path
) -> None:
    since = time.time()
    visitor = Client(served.url, verbose=False, download_files=False)
    answers = visitor.predict([handle_file(photograph)], "cnn1", "yunet", False, api_name="/upload")
    assert "Face 1 " in answers[0]
    assert "Face 1 " in visitor.predict(data_url(photograph), "cnn1", "yunet", api_name="/webcam")
    told = visitor.predict(handle_file(film), "cnn1", "yunet", 0, 0, 1, False, api_name="/video")
    assert "film.webm" in str(told)
    left = files(served.folder)
    assert {path.name for path in left} >= {"photograph.png", "film.webm"}
    assert served.page.app.state_holder.session_data
    visitor.close()
    assert until(lambda: not full(served.folder))
    assert until(lambda: not served.page.app.state_holder.session_data)
    pieces = faces(photograph)
    assert [path for path in fresh(since, tmp_path) if holds(path, pieces)] == []
    assert not (ROOT / ".gradio").exists()


def test_a_visitor_takes_nothing_from_another(served: Served, photograph: Path) -> None:
    """The same picture, sent by two, is two files."""
    first, second = (Client(served.url, verbose=False, download_files=False) for _ in range(2))
    for visitor in (first, second):
        visitor.predict([handle_file(photograph)], "cnn1", "yunet", False, api_name="/upload")
    both = _sent(served.folder)
    assert len(both) == len({path.parent for path in both}) == 2
    first.close()
    assert until(lambda: len(_sent(served.folder)) == 1)
    assert _sent(served.folder)[0].read_bytes() == photograph.read_bytes()
    second.close()
    assert until(lambda: not full(served.folder))


def test_an_upload_that_breaks_off_is_deleted(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=30)
    line.putrequest("POST", "/gradio_api/upload")
    line.putheader("Content-Type", "multipart/form-data; boundary=x")
    line.putheader("Content-Length", "1000000")
    line.endheaders()
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    line.send(head + b"half a face" * 10_000)
    assert until(lambda: files(served.folder))
    line.close()
    assert until(lambda: not files(served.folder))


def test_the_sweeper_goes_on_after_whatever_went_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    looks = itertools.count()
    found = visitor_files._files

    def broken(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
        if next(looks) < 3:
            raise FileNotFoundError
        return found(folder)

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(visitor_files, "EVERY_S", 0.1)
    monkeypatch.setattr(visitor_files, "AGE_S", 0.2)
    monkeypatch.setattr(visitor_files, "_files", broken)
    pages = serve()
    folder = next(pages).folder
    (folder / "old.png").write_bytes(b"face")
    assert until(lambda: not (folder / "old.png").exists())
    assert "FileNotFoundError" in caplog.text
    assert list(pages) == []


def test_folders_that_vanish_while_it_looks(served: Served) -> None:
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for number in range(50):
                folder = served.folder / f"x{number}"
                (folder / "deep").mkdir(parents=True, exist_ok=True)
                (folder / "deep" / "a.png").write_bytes(b"a")
            for number in range(50):
                visitor_files.remove(served.folder / f"x{number}")

    churning = threading.Thread(target=churn)
    churning.start()
    for _ in range(100):
        visitor_files.set_aside(served.folder / "coming", 0)
        visitor_files.sweep(served.page, 60)
    stop.set()
    churning.join()


def test_what_is_in_use_stays(served: Served, photograph: Path) -> None:
    name = served.folder / ("a" * 64) / "a.png"
    name.parent.mkdir()
    name.write_bytes(photograph.read_bytes())
    visitor_files.sweep(served.page, 60)
    assert name.exists()
    visitor_files.sweep(served.page, -1)
    assert not name.exists()
    visitor_files.sweep(served.page, -1)
    assert not name.parent.exists()


def test_callers_of_the_api_are_forgotten(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"data": ["", "cnn1", "yunet"]}
    httpx.post(f"{served.url}gradio_api/call/webcam", json=body)
    holder: Any = served.page.app.state_holder
    assert until(lambda: holder.session_data)
    monkeypatch.setattr(visitor_files, "REMEMBERED_S", -1)
    holder.tidy(served.page._queue)
    assert not holder.session_data


def test_the_folder_is_private_and_ends_with_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    folder = visitor_files.take_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    assert visitor_files.take_folder() == folder


_PROGRAM = """
import os, signal, sys
from mer.ui import visitor_files
folder = visitor_files.take_folder()
(folder / "face.png").write_bytes(b"face")
print(folder, flush=True)
signal.pause()
"""


def test_what_a_killed_page_left_goes_with_the_next_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    command = [sys.executable, "-c", _PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        visitor_files.take_folder()
        assert (left / "face.png").exists()  # it still runs
        other.kill()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    visitor_files.take_folder()
    assert not left.exists()


_WATCH = """
import sys
asked = []
def watch(event, values):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        asked.append(values[1] if event == "socket.connect" else values[0])
sys.addaudithook(watch)
import time, httpx
from mer import ui
page = ui.build()
_, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
httpx.get(url); httpx.get(url + "config")
time.sleep(2)
page.close()
hosts = {str(one[0] if isinstance(one, tuple) else one) for one in asked}
print(hosts - {"127.0.0.1", "localhost", "0.0.0.0", "b'127.0.0.1'"})
"""


def test_the_page_reports_to_nobody(tmp_path: Path) -> None:
    """Every connection and every name that it looks up; analytics are not switched off here."""
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith(("GRADIO_", "HF_"))}
    surroundings["HOME"] = surroundings["GRADIO_TEMP_DIR"] = str(tmp_path)
    command = [sys.executable, "-c", _WATCH]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=surroundings, cwd=ROOT
    )
    assert done.stdout.strip().splitlines()[-1] == "set()"
    assert files(tmp_path) == []


def test_the_table_stands_in_the_document() -> None:
    assert visitor_files.table() in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_all_name_the_same_minutes() -> None:
    api = " ".join((ROOT / "docs" / "api.md").read_text(encoding="utf-8").split())
    words = f"deleted within {visitor_files.MINUTES} minutes of its last use"
    assert words in api
    assert words.replace("its", "their") in " ".join(header.NOTICE.split())
