"""The live view's routes, as a stranger may call them: keys, frames, and what goes wrong."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from mer import ui
from mer.live import session_pool
from mer.live.session import Live
from mer.live.session_pool import PLACES
from mer.ui import webcam
from mer.ui.errors import UNEXPECTED


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    page = ui.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    with httpx.Client(base_url=address, timeout=120) as client:
        yield client
    page.close()


def jpeg(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "jpeg")
    return content.getvalue()


def start(client: httpx.Client, number: int) -> dict[str, Any]:
    """What somebody at another address of this machine is told who wants a place."""
    there = httpx.HTTPTransport(local_address=f"127.0.1.{number}")
    with httpx.Client(base_url=client.base_url, transport=there, timeout=60) as visitor:
        told: dict[str, Any] = visitor.post("live/start").json()
    return told


def enter(client: httpx.Client, number: int = 1) -> str:
    key: str = start(client, number)["key"]
    return key


def sent(client: httpx.Client, key: str, content: bytes, **asked: Any) -> httpx.Response:
    asked = {"time": 0} | asked
    return client.post("live/frame", params=asked, headers={"x-live-key": key}, content=content)


def test_bad_frames_get_a_sentence_and_the_visit_goes_on(
    client: httpx.Client, astronaut: np.ndarray
) -> None:
    key, frame = enter(client), jpeg(astronaut)
    for content, asked, sentence in (
        (b"", {}, "is empty"),
        (b"no picture", {}, "is not a picture"),
        (frame[:5000], {}, "damaged or incomplete"),
        (bytes(webcam.MAX_BYTES + 1), {}, "Send smaller ones"),
        (frame, {"time": "noon"}, "sent no number as time"),
        (frame, {"network": "../cnn1"}, "There is no network '../cnn1': choose"),
        (frame, {"detector": "retina"}, "no detector 'retina'"),
    ):
        answer = sent(client, key, content, **asked)
        assert sentence in answer.json()["problem"]
        assert answer.json()["kind"] == "frame"
    for time in range(300, 1500, 300):
        answer = sent(client, key, frame, time=time)
    (person,) = answer.json()["people"]
    assert person["number"] == 1
    assert answer.json()["timings"].keys() >= {"work_ms", "waited_ms", "frames_per_second", "busy"}


def test_without_a_key_nothing_is_told(client: httpx.Client, astronaut: np.ndarray) -> None:
    key = enter(client)
    for wrong in ("", key[:-1], key + "a"):
        answer = sent(client, wrong, jpeg(astronaut)).json()
        assert answer.keys() == {"problem", "kind"}
        assert "Press Live to begin again" in answer["problem"]
    assert client.get("live/frame").status_code != 200


def test_the_eleventh_gets_a_sentence_until_somebody_stops(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_pool, "IDLE_S", 600)  # on a slow machine, too
    keys = [enter(client, number) for number in range(1, 1 + PLACES)]
    eleventh = start(client, 11)
    assert eleventh.keys() == {"problem", "kind"}
    assert "All 10 places of the live view are taken" in eleventh["problem"]
    assert client.post("live/stop", headers={"x-live-key": keys[0]}).status_code == 204
    assert enter(client) not in keys


def test_a_stopped_view_has_ended(client: httpx.Client, astronaut: np.ndarray) -> None:
    key = enter(client)
    client.post("live/stop", headers={"x-live-key": key})
    assert sent(client, key, jpeg(astronaut)).json()["kind"] == "ended"


def test_an_unexpected_error_is_one_sentence(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Live, "see", lambda *_, **__: 1 / 0)
    answer = sent(client, enter(client), jpeg(np.zeros((9, 9, 3), np.uint8)))
    assert answer.status_code == 500
    assert answer.json()["problem"] == UNEXPECTED
    assert "ZeroDivisionError" in caplog.text
