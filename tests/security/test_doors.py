"""Who asks for files, the source or other addresses gets nothing, on any route there is."""

import http.client
import http.server
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from mer.ui import guard
from mer.weights import store
from tests.security.conftest import Served

ROOT = Path(__file__).resolve().parents[2]
MARK = "this stands in a file that nobody may read"
# What is open: all else that Gradio registers is answered by the guard.
OPEN = {
    *("GET /", "HEAD /", "GET /config", "GET /config/", "GET /theme.css", "GET /favicon.ico"),
    *("GET /manifest.json", "GET /robots.txt", "GET /pwa_icon", "GET /pwa_icon/{size}"),
    *("GET /svelte/{path:path}", "GET /static/{path:path}", "GET /assets/{path:path}"),
    *("POST /live/start", "POST /live/frame", "POST /live/stop"),
    *("GET /gradio_api/theme.css", "GET /gradio_api/info", "GET /gradio_api/info/"),
    *("GET /gradio_api/openapi.json", "GET /gradio_api/app_id", "GET /gradio_api/queue/data"),
    *("GET /gradio_api/queue/status", "GET /gradio_api/upload_progress"),
    *("GET /gradio_api/startup-events", "GET /gradio_api/heartbeat/{session_hash}"),
    "GET /gradio_api/file={path_or_url:path}",
    "HEAD /gradio_api/file={path_or_url:path}",
    *(
        "GET /gradio_api/call/{api_name}/{event_id}",
        "GET /gradio_api/call/v2/{api_name}/{event_id}",
    ),
    *("POST /gradio_api/queue/join", "POST /gradio_api/cancel", "POST /gradio_api/reset"),
    *("POST /gradio_api/upload", "POST /gradio_api/run/{api_name}"),
    *("POST /gradio_api/call/{api_name}", "POST /gradio_api/call/v2/{api_name}"),
    "POST /gradio_api/run/{api_name}/",
    *("POST /gradio_api/call/{api_name}/", "POST /gradio_api/call/v2/{api_name}/"),
}


def routes(served: Served) -> Iterator[tuple[str, str]]:
    """Method and template of every route that the server knows, by its own word."""
    waiting: list[Any] = list(served.page.app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)  # of a router that was included
        if inner is not None:
            waiting += inner.routes
        for method in getattr(route, "methods", None) or ():
            yield method, route.path


def ask(
    served: Served, method: str, path: str, body: bytes = b"", kind: str = "application/json"
) -> tuple[int, bytes]:
    """Status and beginning of the answer; the path goes out as it is, dots and all."""
    line = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=30)
    try:
        line.request(method, path, body, {"Content-Type": kind})
        answer = line.getresponse()
        endless = answer.getheader("content-type", "").startswith("text/event-stream")
        return answer.status, b"" if endless else answer.read(100_000)
    finally:
        line.close()


def filled(template: str, value: str) -> str:
    """A route's template with `value` in the place of everything that may vary."""
    head, brace, rest = template.partition("{")
    if not brace:
        return head
    return head + value + filled(rest.partition("}")[2], value)


def test_there_are_routes_to_try(shared: Served) -> None:
    found = set(routes(shared))
    assert len(found) > 80
    assert ("POST", "/live/frame") in found
    assert ("GET", "/gradio_api/file={path_or_url:path}") in found


def test_what_the_page_does_not_need_is_closed(shared: Served) -> None:
    closed = 0
    for method, template in sorted(set(routes(shared))):
        if f"{method} {template}" in OPEN:
            continue
        status, answer = ask(shared, method, filled(template, "x"))
        assert status == 403, (method, template)
        assert method == "HEAD" or b"nothing here" in answer, (method, template)
        closed += 1
    print(f"{closed} routes closed")
    assert closed > 40


def test_what_the_page_needs_is_there(shared: Served) -> None:
    known = {f"{method} {template}" for method, template in routes(shared)}
    assert known >= OPEN - {"HEAD /"}
    for path in ("/", "/config", "/theme.css", "/gradio_api/info", "/gradio_api/queue/status"):
        assert ask(shared, "GET", path)[0] == 200, path


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, bytes]]:
    """Files that are there and nobody's business, each with a piece of what stands in it."""
    folder = tmp_path_factory.mktemp("secrets")
    made = [folder / ".env", folder / "face.png"]
    for path in made:
        path.write_text(MARK)
    shipped = [store.FOLDER / "cnn1.safetensors", store.FOLDER / "cnn1.json"]
    sources = [ROOT / "app.py", ROOT / "mer" / "ui" / "guard.py", ROOT / "pyproject.toml"]
    others = [Path("/etc/passwd"), Path("/proc/self/environ")]
    paths = [*made, *shipped, *sources, *others]
    return [(path, path.read_bytes()[:60]) for path in paths]


def disguises(path: Path, folder: Path) -> list[str]:
    """Ways to write the path of a file, some through a folder that is served."""
    plain, up = str(path), "../" * 12
    climbing = up + plain.lstrip("/")
    nested = "....//" * 12 + plain.lstrip("/")
    written = [
        *(plain, f"/{plain}", climbing, f"/{climbing}", nested, f"/{nested}"),
        *(f"{folder}/{climbing}", f"{folder}{plain}", f"file://{plain}", f"/./{plain}"),
        *(climbing.replace("/", "\\"), climbing.replace("../", "..;/"), path.name),
        f"{plain}/../{path.name}",
    ]
    once = [quote(one, safe="") for one in written]
    twice = [quote(one, safe="") for one in once]
    dotted = [climbing.replace("..", "%2e%2e"), climbing.replace("..", "%c0%ae%c0%ae")]
    cut = [f"{plain}%00", f"{plain}%00.png", f"{plain}%20", f"{plain}?x", f"{plain}%23"]
    return [*(one.replace(" ", "%20") for one in written), *once, *twice, *dotted, *cut]


def test_no_route_gives_a_file_away(shared: Served, secrets: list[tuple[Path, bytes]]) -> None:
    templates = sorted({path for method, path in routes(shared) if method == "GET" and "{" in path})
    assert len(templates) >= 15
    tried = 0
    for path, content in secrets:
        for disguise in disguises(path, shared.folder):
            for template in templates:
                _, answer = ask(shared, "GET", filled(template, disguise))
                assert content not in answer, (template, disguise)
                tried += 1
            status, _ = ask(shared, "GET", f"/gradio_api/file={disguise}")
            assert 400 <= status < 500, disguise
    print(f"{tried} requests for files, none answered with one")


class _Listener(http.server.BaseHTTPRequestHandler):
    """An address inside: whoever is made to ask it is remembered."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(MARK.encode())

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def inside() -> Iterator[tuple[str, list[str]]]:
    """A server on a loopback address, and what it has been asked."""
    asked: list[str] = []
    handler = type("Handler", (_Listener,), {"asked": asked})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def addresses(netloc: str) -> list[str]:
    port = netloc.rpartition(":")[2]
    hosts = (netloc, f"localhost:{port}", f"[::1]:{port}", f"2130706433:{port}", f"0:{port}")
    more = (f"0x7f.1:{port}", f"[::ffff:127.0.0.1]:{port}", f"user@{netloc}", "169.254.169.254")
    loopback = [f"{scheme}://{host}/x.png" for scheme in ("http", "https") for host in hosts + more]
    schemes = [f"HTTP://{netloc}/x", f"ftp://{netloc}/x", f"gopher://{netloc}/x", f"//{netloc}/x"]
    return [*loopback, *schemes, "file:///etc/passwd", "https://example.com/x.png"]


def test_no_route_asks_another_address(shared: Served, inside: tuple[str, list[str]]) -> None:
    netloc, asked = inside
    templates = sorted({path for method, path in routes(shared) if method == "GET" and "{" in path})
    written = [form for one in addresses(netloc) for form in (one, quote(one, safe=""))]
    for address in written:
        for template in templates:
            _, answer = ask(shared, "GET", filled(template, address))
            assert MARK.encode() not in answer
        status, _ = ask(shared, "GET", f"/gradio_api/file={address}")
        assert 400 <= status < 500, address
    assert asked == []


def endpoints(served: Served) -> dict[str, int]:
    """How many values each endpoint with a name takes, whether it is shown to programs or not."""
    calls = httpx.get(f"{served.url}config", timeout=60).json()["dependencies"]
    return {one["api_name"]: len(one["inputs"]) for one in calls if one["backend_fn"]}


def disguised_values(path: str) -> Iterator[Any]:
    """Values that may make the server open a path or an address."""
    meta = {"_type": "gradio.FileData"}
    yield path
    for more in ({"meta": meta}, {"meta": meta, "is_stream": True}, {}):
        yield {"path": path, "url": path, "orig_name": "a.png", **more}
    yield [{"path": path, "meta": meta}]
    yield {"path": "/x", "url": path, "meta": meta}
    yield {"deep": [{"er": {"path": path, "meta": meta}}]}


def call(served: Served, name: str, values: list[Any]) -> str:
    """All that the server says to a call of an endpoint."""
    base = f"{served.url}gradio_api/call/{name}"
    begun = httpx.post(base, json={"data": values}, timeout=120)
    if begun.status_code != 200:
        return begun.text
    return httpx.get(f"{base}/{begun.json()['event_id']}", timeout=120).text


def test_no_value_opens_a_file_or_an_address(
    shared: Served, inside: tuple[str, list[str]], secrets: list[tuple[Path, bytes]]
) -> None:
    netloc, asked = inside
    chosen = [secrets[0], secrets[2]]
    paths = [*(str(path) for path, _ in chosen), addresses(netloc)[0], "file:///etc/passwd"]
    calls = [
        (name, [value, "cnn1", "yunet", 1, ""][:count])
        for name, count in endpoints(shared).items()
        if count  # others are told nothing
        for path in paths
        for value in disguised_values(path)
    ]
    with ThreadPoolExecutor(8) as pool:
        for (_, values), told in zip(
            calls, pool.map(lambda one: call(shared, *one), calls), strict=True
        ):
            assert not any(content.decode("latin-1") in told for _, content in chosen), values
            assert "Traceback" not in told
    assert asked == []
    print(f"{len(calls)} values, none opened")


@pytest.mark.parametrize("way", ["queue/join", "run/upload", "call/upload", "call/v2/upload"])
def test_a_file_of_another_address_is_refused_with_a_sentence(shared: Served, way: str) -> None:
    body = {"data": [[{"path": "http://example.com/a.png"}]], "session_hash": "x", "fn_index": 0}
    answer = httpx.post(f"{shared.url}gradio_api/{way}", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"] == guard._NO_FETCH


def test_values_past_the_queue_are_refused(shared: Served) -> None:
    counts = endpoints(shared)
    for name in counts.keys() - {"cancel"}:  # which is for the one that the queue keeps busy
        body = json.dumps({"data": [None] * counts[name]}).encode()
        status, _ = ask(shared, "POST", f"/gradio_api/run/{name}", body)
        assert status == 404, name


NAMES = (
    *("../../evil.png", "..\\..\\evil.png", "/etc/cron.d/evil", "....//evil.png", ".", "..", ""),
    *(".env", "a" * 400 + ".png", "a\x00b.png", "%2e%2e%2fevil.png", "~/evil.png", "evil.png/"),
    *("C:\\evil.png", "con", "evil\r\nX-Evil: 1", "‮gnp.evil", "$(touch evil)", "<b>evil</b>.png"),
)


def test_odd_names_stay_in_the_folder(shared: Served) -> None:
    parent = shared.folder.parent
    before = {path for path in parent.rglob("*") if shared.folder not in path.parents}
    for name in NAMES:
        head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + b"evil\r\n--x--\r\n"
        kind = "multipart/form-data; boundary=x"
        status, answer = ask(shared, "POST", "/gradio_api/upload", body, kind)
        if status == 200:
            for path in json.loads(answer):
                assert Path(path).resolve().is_relative_to(shared.folder), name
        else:
            assert 400 <= status <= 500, name
    after = {path for path in parent.rglob("*") if shared.folder not in path.parents}
    assert after == before
    assert not (ROOT / "evil.png").exists()


def test_other_methods_are_refused(shared: Served) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"):
        assert ask(shared, method, "/gradio_api/upload")[0] in (400, 403, 405), method
