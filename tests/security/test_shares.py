"""Nobody takes all: places, memory, disk and connections, by visitor and by address."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from gradio.components import State
from gradio.routes import file_upload_statuses
from gradio_client import Client, handle_file

from mer.inference.predictor import get_predictor
from mer.io.video import Frame, write_clip
from mer.ui import guard, visitor_files, visitors
from tests.security.conftest import Served, files
from tools.security import process

NOTHING = {"data": ["", "cnn1", "yunet"]}  # a call that costs nothing


@contextmanager
def at(served: Served, number: int) -> Iterator[httpx.Client]:
    """Somebody at an address of this machine of their own."""
    there = httpx.HTTPTransport(local_address=f"127.0.3.{number}")
    with httpx.Client(base_url=served.url, transport=there, timeout=120) as client:
        yield client


def until(true: Any) -> bool:
    deadline = time.monotonic() + 60
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(true())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"data": [' + b"[]," * 7_900_000 + b"[]]}", 413),
        (b'{"data": [' + b"{}," * 10_000 + b"{}]}", 413),
        (b'{"data": ' + b"[" * 900 + b"]" * 900 + b"}", 413),
        (b'{"data": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}", 413),
        (b'{"data": [], "session_hash": "' + b"x" * 20_000_000 + b'"}', 400),
        (b'{"data": [], "session_hash": "' + b"x" * 65 + b'"}', 400),
        (b'{"data": [], "event_id": "' + b"x" * 65 + b'"}', 400),
    ],
    ids=["lists", "objects", "deep", "deep objects", "20 MB name", "name", "call"],
)
def test_values_that_would_stop_everybody(shared: Served, body: bytes, status: int) -> None:
    for path in ("queue/join", "call/webcam", "run/webcam", "cancel"):
        answer = httpx.post(f"{shared.url}gradio_api/{path}", content=body, timeout=60)
        assert answer.status_code == status, path
        assert answer.json()["detail"] == (guard._MANY if status == 413 else guard._LONG)


@pytest.mark.parametrize(
    "path",
    ["heartbeat/" + "x" * 300, "queue/data?session_hash=" + "x" * 300, "call/a/" + "x" * 300],
)
def test_long_names_in_addresses(shared: Served, path: str) -> None:
    assert httpx.get(f"{shared.url}gradio_api/{path}{'x' * 300}").status_code == 400


def test_captured_frames_do_not_stay_in_memory(shared: Served) -> None:
    before = 0
    for number in range(30):
        if number == 14:  # what the first ones make the process take, thread by thread, stays
            before = process.resident(os.getpid())
        body = {"data": ["x" * 8_000_000, "cnn1", "yunet"], "session_hash": f"frames{number}"}
        answer = httpx.post(f"{shared.url}gradio_api/call/webcam", json=body, timeout=60)
        assert answer.status_code == 200
        assert until(lambda: not shared.page._queue.event_ids_to_events)
    assert process.resident(os.getpid()) - before < 60_000_000  # of 128 million characters
    for one in shared.page.app.state_holder.session_data.values():
        assert not one.config_values
        assert visitors.weight(one.state_data) < 10_000


def test_unknown_names_leave_nothing(shared: Served, tmp_path: Path, astronaut: Any) -> None:
    path = tmp_path / "film.webm"
    write_clip(path, (Frame(n, 40.0 * n, astronaut[:64, :64]) for n in range(3)), 25)
    visitor = Client(shared.url, verbose=False, download_files=False)
    known = get_predictor.cache_info().currsize
    for network, detector in [("cnn1", f"none{n}") for n in range(5)] + [("../cnn1", "yunet")]:
        told = visitor.predict(
            handle_file(path), network, detector, 0, 0, 1, False, api_name="/video"
        )
        assert "There is no " in told[0]
    visitor.close()
    assert get_predictor.cache_info().currsize == known


def test_who_has_most_loses_first(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    held = visitors.Sessions(shared.page)
    state = next(key for key, one in shared.page.blocks.items() if isinstance(one, State))

    def put(session: str, owner: str, size: int) -> None:
        held.owners[session] = owner
        held[session][state] = bytes(size)
        assert held[session]

    monkeypatch.setattr(visitors, "MAX_BYTES", 10_000)
    put("small", "quiet", 3000)
    for number in range(300):
        put(f"greedy{number}", "loud", 3000)
    assert "small" in held
    assert sum(one.bytes for one in held.session_data.values()) <= 13_100
    monkeypatch.setattr(visitors, "MOST", 5)
    for number in range(300):
        put(f"many{number}", "loud", 0)
    assert "small" in held
    assert len(held.session_data) <= 5
    held.here["many0"] += 1
    put("many0", "loud", 0)
    for number in range(20):
        put(f"more{number}", "loud", 0)
    assert "many0" in held  # their page is open
    shared.page.app.state_holder.set_blocks(shared.page)


def test_an_analysis_outlasts_three_hundred_calls_of_somebody_else(shared: Served) -> None:
    holder = shared.page.app.state_holder
    with at(shared, 1) as one, at(shared, 2) as other:
        mine = dict(NOTHING, session_hash="mine")
        assert one.post("gradio_api/call/webcam", json=mine).status_code == 200
        assert until(lambda: "mine" in holder)
        sent = 0
        while sent < 310:
            sent += other.post("gradio_api/call/webcam", json=NOTHING).status_code == 200
        assert until(lambda: not shared.page._queue.event_ids_to_events)
    assert "mine" in holder
    assert len(holder.session_data) <= visitors.MOST


def test_answers_that_nobody_fetches_are_forgotten(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at(shared, 3) as one:
        for _ in range(5):
            one.post("gradio_api/call/webcam", json=NOTHING)
    unread = shared.page._queue.pending_messages_per_session
    assert until(lambda: not shared.page._queue.event_ids_to_events)
    assert len(unread) >= 5
    monkeypatch.setattr(visitors, "UNREAD_BYTES", 0)
    holder: Any = shared.page.app.state_holder
    holder.tidy(shared.page._queue)
    assert sum(one.qsize() for one in unread.values()) == 0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Calls of the Webcam tab wait for this event."""
    event = threading.Event()

    def lines(*_: Any, **__: Any) -> str:
        event.wait(120)
        return "done"

    monkeypatch.setattr("mer.ui.parts.lines", lines)
    yield event
    event.set()


def test_places_in_the_queue_by_address_and_by_visitor(
    shared: Served, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "CALLS_OF_ADDRESS", 5)
    monkeypatch.setattr(visitors, "CALLS_OF_VISITOR", 2)
    ahead: Any = shared.page._queue
    assert until(lambda: not len(ahead) and not any(ahead.active_jobs))
    with at(shared, 4) as greedy, at(shared, 5) as modest:
        told = [greedy.post("gradio_api/call/webcam", json=NOTHING) for _ in range(7)]
        assert [one.status_code for one in told] == [200] * 5 + [503] * 2
        assert told[-1].json()["detail"] == visitors._ADDRESS
        visitor = {**NOTHING, "session_hash": "modest"}
        told = [modest.post("gradio_api/call/webcam", json=visitor) for _ in range(3)]
        assert [one.status_code for one in told] == [200, 200, 503]
        assert told[-1].json()["detail"] == visitors._VISITOR
        assert until(lambda: sum(job is not None for job in ahead.active_jobs) == visitors.WORKERS)
        assert ahead.get_events() is None  # for two are in work, both of the other address
        waiting = ahead.event_queue_per_concurrency_id.values()
        first = next(one.queue[0] for one in waiting if one.queue)
        assert first.session_hash == "modest"
        slow.set()
    assert until(lambda: not len(ahead) and not any(ahead.active_jobs))


def test_values_that_wait(
    shared: Served, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "CALL_BYTES_OF_ADDRESS", 25_000)
    monkeypatch.setattr(visitors, "CALL_BYTES", 45_000)
    large = {"data": ["x" * 10_000, "cnn1", "yunet"]}
    told = []
    for number in (6, 6, 6, 7, 7, 8):
        with at(shared, number) as one:
            told.append(one.post("gradio_api/call/webcam", json=large))
    assert [one.status_code for one in told] == [200, 200, 503, 200, 200, 503]
    assert told[-1].json()["detail"] == visitors._LARGE
    slow.set()
    assert until(lambda: not shared.page._queue.event_ids_to_events)


def test_requests_at_once(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "AT_ONCE_OF_ADDRESS", 3)
    with at(shared, 9) as greedy, at(shared, 10) as modest, ExitStack() as stack:
        for number in range(3):
            stream = greedy.stream("GET", f"gradio_api/heartbeat/s{number}")
            assert stack.enter_context(stream).status_code == 200
        answer = greedy.get("config")
        assert (answer.status_code, answer.json()["detail"]) == (503, guard._CROWDED)
        assert modest.get("config").status_code == 200
    with at(shared, 9) as greedy:
        assert until(lambda: greedy.get("config").status_code == 200)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("", ""),
        ("x" * 9000, "x" * 64),
    ],
)
def test_what_counts_as_one_address(address: str, group: str) -> None:
    assert guard._group(address) == group


def form(size: int) -> dict[str, Any]:
    return {"files": ("a.bin", bytes(size))}


def test_the_disk_while_uploads_arrive(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor_files, "MAX_BYTES", 10_000_000)
    most, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            sizes = [
                size for _, size in ((p, s.st_size) for p, s in visitor_files._files(served.folder))
            ]
            most[0] = max(most[0], sum(sizes))

    def send(number: int) -> int:
        with at(served, number) as one:
            return one.post("gradio_api/upload", files=form(4_000_000)).status_code

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(send, range(1, 9)))
    stop.set()
    watcher.join()
    assert sorted(told) == [200] * 2 + [507] * 6  # of ten million bytes, each four
    assert most[0] <= 10_000_000
    assert until(lambda: len(files(served.folder)) == told.count(200))  # no part of another


def test_the_disk_by_address(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor_files, "OWNER_BYTES", 1_000_000)
    with at(served, 1) as greedy, at(served, 2) as modest:
        assert greedy.post("gradio_api/upload", files=form(900_000)).status_code == 200
        told = greedy.post("gradio_api/upload", files=form(200_000))
        assert (told.status_code, told.text) == (507, visitor_files._MUCH)
        assert modest.post("gradio_api/upload", files=form(10)).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"{}", "application/json"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + bytes(9_000_000), ""),
        (b"--x\r\n\r\nhalf", ""),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--\r\n", ""),
    ],
    ids=["empty", "no boundary", "JSON", "text", "no name", "nothing"],
)
def test_forms_that_are_no_files(shared: Served, body: bytes, kind: str) -> None:
    kind = kind or "multipart/form-data; boundary=x"
    url = f"{shared.url}gradio_api/upload?upload_id=x"
    answer = httpx.post(url, content=body, headers={"Content-Type": kind}, timeout=60)
    assert (answer.status_code, answer.text) == (400, visitor_files._NO_FORM) or (
        (answer.status_code, answer.json()) == (200, []) and not body
    )


def ended(line: socket.socket) -> bool:
    """Whether the page hangs up."""
    line.settimeout(60)
    try:
        while line.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


HEAD = b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
HALF: tuple[bytes, ...] = (
    *(b"", b"GET / HT", HEAD, b"GET /config HTTP/1.1\r\nHost: localhost\r\n\r\nGET /con"),
    HEAD + FORM + b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx',
    HEAD.replace(b"upload", b"queue/join") + b"\r\n[",
    HEAD.replace(b"gradio_api/upload", b"live/frame") + b"\r\nx",
)


def test_half_open_connections_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert guard.IDLE_S + guard.WATCH_S + guard._VANISHED_MS / 1000 <= 65
    assert guard.PATIENCE_S <= 60
    monkeypatch.setattr(guard, "WATCH_S", 0.2)
    monkeypatch.setattr(guard, "IDLE_S", 1.0)
    monkeypatch.setattr(guard, "PATIENCE_S", 1.0)
    served: Served = request.getfixturevalue("served")
    place = urlsplit(served.url)
    lines = [socket.create_connection((place.hostname, place.port)) for _ in HALF]
    for line, half in zip(lines, HALF, strict=True):
        line.sendall(half)
    for line, half in zip(lines, HALF, strict=True):
        assert ended(line), half
        line.close()
    assert until(lambda: not served.page.server.server_state.connections)
    answer = httpx.get(f"{served.url}config")
    assert json.loads(answer.text)["title"] == "Facial expressions"


def test_connections_of_one_address_that_wait(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(guard, "WATCH_S", 0.2)
    monkeypatch.setattr(guard, "WAITING_OF_ADDRESS", 10)
    served: Served = request.getfixturevalue("served")
    place = (urlsplit(served.url).hostname, urlsplit(served.url).port)
    lines = [socket.create_connection(place) for _ in range(40)]
    assert until(lambda: len(served.page.server.server_state.connections) <= 10)
    assert httpx.get(f"{served.url}config").status_code == 200
    for line in lines:
        line.close()


def test_uploads_and_calls_that_nobody_asks_after_leave_nothing(
    shared: Served, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        url = f"{shared.url}gradio_api/upload?upload_id=up{number}"
        assert httpx.post(url, files=form(10)).status_code == 200
        httpx.get(f"{shared.url}gradio_api/call/webcam/unknown{number}")
    with httpx.Client(timeout=10) as client:
        assert client.get(f"{shared.url}gradio_api/upload_progress?upload_id=no").status_code == 404
    holder: Any = shared.page.app.state_holder
    holder.tidy(shared.page._queue)
    assert not file_upload_statuses._statuses
    assert not file_upload_statuses._signals
    assert "Traceback" not in caplog.text


def test_what_trickles_in_ends_too(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PATIENCE_S", 1.0)
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname, place.port)) as line:
        line.sendall(HALF[4])
        began, told = time.monotonic(), b""
        line.settimeout(0.1)
        while b"did not arrive" not in told and time.monotonic() - began < 60:
            try:
                line.sendall(b"x")
                told += line.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
    assert b"408" in told
    assert b"did not arrive" in told
