"""What becomes of the work when something breaks: as SECURITY.md states it."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from mer import ui
from mer.errors import MerError, VideoError, WeightsError
from mer.inference import camera
from mer.inference.predictor import get_predictor
from mer.io.video import Frame, write_clip
from mer.results import comparison
from mer.ui import errors, visitor_files
from mer.ui.errors import UNEXPECTED
from mer.weights import store
from tests.security.conftest import Served

FULL = OSError(errno.ENOSPC, "No space left on device")


def with_a_full_disk(work: Callable[[], None]) -> None:
    """Do the work in a process whose files may have 1000 bytes."""
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def raising(error: BaseException) -> Callable[..., Any]:
    def broken(*_: Any, **__: Any) -> Any:
        raise error

    return broken


def test_an_upload_to_a_full_disk_is_a_sentence(
    shared: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gradio.route_utils.GradioUploadFile.write", raising(FULL))
    answer = httpx.post(f"{shared.url}gradio_api/upload", files={"files": b"face"})
    assert (answer.status_code, answer.text) == (507, errors.FULL)
    assert "No space left" in caplog.text


def test_an_upload_that_cannot_even_be_closed_keeps_no_room(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is still in memory is written when a file is closed, which fails on a full disk, too."""

    def temporary(**options: Any) -> Any:
        file = NamedTemporaryFile(**options)  # noqa: SIM115 -- the upload closes it
        monkeypatch.setattr(file, "close", raising(FULL))
        return file

    monkeypatch.setattr("gradio.route_utils.NamedTemporaryFile", temporary)
    monkeypatch.setattr("gradio.route_utils.GradioUploadFile.write", raising(FULL))
    before = {path.name for path in shared.folder.iterdir()}
    answer = httpx.post(f"{shared.url}gradio_api/upload", files={"files": b"face"})
    assert (answer.status_code, answer.text) == (507, errors.FULL)
    assert not visitor_files._room
    assert {path.name for path in shared.folder.iterdir()} == before


def test_any_other_fault_of_the_server_is_a_sentence(
    shared: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mer.ui.visitor_files._placed", raising(ZeroDivisionError("inside")))
    answer = httpx.post(f"{shared.url}gradio_api/upload", files={"files": b"face"})
    assert (answer.status_code, answer.text) == (500, UNEXPECTED)
    assert "ZeroDivisionError" in caplog.text
    assert "inside" not in answer.text


def test_a_copy_of_a_video_on_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3), dtype=np.uint8)

    def work() -> None:
        with pytest.raises(VideoError, match="cannot be written"):
            write_clip(tmp_path / "a.webm", (Frame(n, 40.0 * n, noise[n]) for n in range(9)), 25)

    with_a_full_disk(work)


def test_weights_and_records_are_the_old_ones_after_a_full_disk(tmp_path: Path) -> None:
    store.write_record("cnn1", {"model": "cnn1", "version": "1"}, folder=tmp_path)

    def work() -> None:
        with pytest.raises(OSError, match="File too large"):
            store.write_record("cnn1", {"model": "cnn1", "more": "x" * 5000}, folder=tmp_path)

    with_a_full_disk(work)
    assert store.read_record("cnn1", folder=tmp_path)["version"] == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["cnn1.json"]


def test_a_command_on_a_full_disk_ends_with_a_sentence(tmp_path: Path) -> None:
    Image.new("RGB", (99, 99)).save(tmp_path / "a.png")
    picture = str(tmp_path / "a.png")
    command = [sys.executable, "-m", "mer", "predict", picture, "--csv", "/dev/full"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_weights_that_vanish_while_the_page_runs(
    stand_in_weights: Path, served: Served, tmp_path: Path, astronaut: np.ndarray
) -> None:
    """A network that was in use goes on; one that was not says what is missing."""
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    visitor = Client(served.url, verbose=False, download_files=False)
    get_predictor("cnn1", "yunet")
    get_predictor.cache_clear()
    visitor.predict([handle_file(tmp_path / "a.png")], "cnn1", "yunet", False, api_name="/upload")
    for path in stand_in_weights.glob("cnn*.*"):
        path.unlink()
    for network, sentence in (("cnn1", "Face 1 "), ("cnn2", "is missing. Restore it with")):
        answer = visitor.predict(
            [handle_file(tmp_path / "a.png")], network, "yunet", False, api_name="/upload"
        )[0]
        assert sentence in answer
    visitor.close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": "cnn2"}', "\x00" * 50])
def test_a_corrupt_record_is_named_and_the_rest_goes_on(stand_in_weights: Path, text: str) -> None:
    (stand_in_weights / "cnn1.json").write_text(text)
    get_predictor.cache_clear()
    with pytest.raises(WeightsError, match=r"cnn1\.json is (damaged|not one of cnn1)"):
        get_predictor("cnn1")
    assert get_predictor("cnn2").model == "cnn2"
    _, problems = comparison.read_records()
    assert any("cnn1.json" in problem for problem in problems)
    told = " ".join(
        str(block.value) for block in ui.build().blocks.values() if hasattr(block, "value")
    )
    assert "cnn1.json is" in told


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(MerError, match="Camera 63 cannot be opened. Check that it is plugged in"):
        camera.capture_image(63)


def test_a_network_that_fails_is_a_sentence_and_the_next_call_works(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of the queue that meets an error is there for the next call."""
    visitor = Client(shared.url, verbose=False, download_files=False)
    with monkeypatch.context() as patch:
        patch.setattr("mer.ui.webcam.get_predictor", raising(MemoryError()))
        for _ in range(4):
            with pytest.raises(Exception, match="Something went wrong on our side"):
                visitor.predict(
                    "data:image/bmp;base64," + _bmp(), "cnn1", "yunet", api_name="/webcam"
                )
    told = visitor.predict("data:image/bmp;base64," + _bmp(), "cnn1", "yunet", api_name="/webcam")
    visitor.close()
    assert "No face found" in told


def _bmp() -> str:
    import base64
    import io

    content = io.BytesIO()
    Image.new("RGB", (300, 300)).save(content, "bmp")
    return base64.b64encode(content.getvalue()).decode()
