"""Other sites' pages, and false words about who asks: neither gets in, nor changes an answer."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mer import ui
from mer.errors import MerError
from mer.ui.origin import Origins
from tests.security.conftest import Served, serve

EVIL = "evil.example"
FALSE: tuple[dict[str, str], ...] = (
    {"X-Forwarded-Host": EVIL},
    {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"},
    {"X-Forwarded-Host": f"{EVIL}, other.example"},
    {"Forwarded": f"host={EVIL};proto=https"},
    {"X-Gradio-Server": f"http://{EVIL}"},
    {"Host": EVIL},
)
TOLD = (
    *("", "config", "config?page=", "gradio_api/info", "gradio_api/info/", "gradio_api/info?page="),
    *("gradio_api/info?page=x", "gradio_api/info?all_endpoints=True", "gradio_api/openapi.json"),
)


def start(monkeypatch: pytest.MonkeyPatch, folder: Path, **variables: str) -> Iterator[Served]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder / "temporary"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    pages = serve()
    page = next(pages)
    for name in variables:  # it has read them
        monkeypatch.delenv(name)
    yield page
    assert list(pages) == []


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page whose operator has named a proxy and other sites."""
    told = {"MER_PROXY": "127.0.0.1", "MER_ORIGINS": "https://lab.example, http://localhost:8080"}
    with pytest.MonkeyPatch.context() as patch:
        yield from start(patch, tmp_path_factory.mktemp("behind"), **told)


@pytest.mark.parametrize("headers", FALSE, ids=str)
def test_no_visitor_is_told_what_another_said_of_the_address(
    shared: Served, headers: dict[str, str]
) -> None:
    for name in ("api_info", "all_app_info"):  # as if nobody had asked before
        setattr(shared.page.app, name, None)
    shared.page.app.page_api_info.clear()
    false = {name: value for name, value in headers.items() if name != "Host"}
    for path in TOLD:
        answer = httpx.get(shared.url + path, headers=headers, timeout=60)
        assert answer.status_code == (200 if false else 403), path
        assert EVIL not in answer.text, path
    body = {"picture": None}
    httpx.post(f"{shared.url}gradio_api/call/v2/predict", headers=headers, json=body)
    for path in TOLD:
        answer = httpx.get(shared.url + path, timeout=60)
        assert answer.status_code == 200, path
        assert EVIL not in answer.text, path
    known = httpx.get(f"{shared.url}gradio_api/info", timeout=60).text
    assert "/predict" in known
    assert shared.url.rstrip("/") in known


def test_a_named_proxy_is_believed_and_each_asker_told_their_own(behind: Served) -> None:
    for host in ("one.example", "two.example"):
        headers = {"X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
        for path in ("config", "gradio_api/info"):
            told = httpx.get(behind.url + path, headers=headers, timeout=60).text
            assert f"https://{host}" in told
            assert {"one.example": "two.example"}.get(host, "one.example") not in told
    there = httpx.HTTPTransport(local_address="127.0.1.1")
    with httpx.Client(transport=there, timeout=60) as other:
        told = other.get(f"{behind.url}config", headers={"X-Forwarded-Host": EVIL}).text
    assert EVIL not in told


# Origin, what else a browser says, and whether such a request may be answered.
ORIGINS: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("http://{host}", {}, True),
    ("https://{host}", {}, True),  # the proxy speaks TLS
    ("https://lab.example", {}, True),
    ("http://localhost:8080", {}, True),
    ("https://odd.example", {"Sec-Fetch-Site": "same-origin"}, True),  # a proxy hides the host
    ("https://lab.example:444", {}, False),
    ("http://lab.example", {}, False),
    ("https://sub.lab.example", {}, False),
    ("https://lab.example.evil.example", {}, False),
    ("http://evil.{host}", {}, False),
    ("http://sibling.example", {"Sec-Fetch-Site": "same-site"}, False),
    ("https://evil.example", {"Sec-Fetch-Site": "cross-site"}, False),
    ("http://127.0.0.1:1", {}, False),
    ("null", {}, False),
    ("", {}, False),
)


@pytest.mark.parametrize(("origin", "more", "answered"), ORIGINS)
def test_other_sites(behind: Served, origin: str, more: dict[str, str], *, answered: bool) -> None:
    origin = origin.format(host=behind.url.split("/")[2])
    headers = {"Origin": origin, **more}
    named = origin in ("https://lab.example", "http://localhost:8080")
    for method, path in (
        *(("GET", ""), ("GET", "config"), ("GET", "gradio_api/heartbeat"), ("POST", "live/start")),
        *(("POST", "gradio_api/upload"), ("POST", "gradio_api/queue/join")),
    ):
        answer = httpx.request(method, behind.url + path, headers=headers, timeout=60)
        refused = answer.status_code == 403 and "answers no other site" in answer.text
        assert refused != answered, (path, answer.text[:200])
        assert answer.headers.get("access-control-allow-origin") == (origin if named else None)
    asked = {**headers, "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{behind.url}gradio_api/queue/join", headers=asked)
    assert answer.headers.get("access-control-allow-origin") == (origin if named else None)
    assert (answer.status_code == 204) == answered


def test_preflights_come_after_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {"Authorization": "Basic " + base64.b64encode(b"ada:word").decode()}
    asked = {"Origin": "https://lab.example", "Access-Control-Request-Method": "POST"}
    variables = {"MER_USER": "ada", "MER_PASSWORD": "word", "MER_ORIGINS": "https://lab.example"}
    for locked in start(monkeypatch, tmp_path, **variables):
        for path in ("", "config", "gradio_api/upload"):
            assert httpx.options(locked.url + path, headers=asked).status_code == 401
            assert httpx.options(locked.url + path, headers=asked | given).status_code == 204


def test_every_answer_tells_browsers_what_they_may(behind: Served) -> None:
    for method, path, status in (
        ("GET", "", 200),
        ("GET", "config", 200),
        ("GET", "gradio_api/monitoring", 403),
        ("GET", "gradio_api/file=/etc/passwd", 403),
        ("POST", "live/start", 200),
        ("POST", "gradio_api/upload", 400),
        ("POST", "gradio_api/queue/join", 422),
        ("OPTIONS", "", 403),
    ):
        answer = httpx.request(method, behind.url + path, timeout=60)
        assert answer.status_code == status, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        policy = answer.headers["content-security-policy"]
        embedders = policy.partition("frame-ancestors ")[2]
        assert embedders == "'self' http://localhost:8080 https://lab.example"


@pytest.mark.parametrize(
    "wrong", ["example.com", "https://", "https://a.example/", "*", "https://a.example/x", "null"]
)
def test_an_origin_that_is_none(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("MER_ORIGINS", f"https://lab.example {wrong}")
    with pytest.raises(MerError, match="which is no origin"):
        ui.settings()


def test_a_space_is_shown_by_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MER_PROXY", raising=False)
    assert Origins.configured().proxies == []
    monkeypatch.setenv("SPACE_HOST", "ada-faces.hf.space")
    space = Origins.configured()
    answer: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
    space.mark(answer, {"type": "http", "headers": []})
    policy = dict(answer["headers"])[b"content-security-policy"].decode()
    embedders = policy.partition("frame-ancestors ")[2]
    assert embedders == "'self' https://ada-faces.hf.space https://huggingface.co"
    asked = [(b"origin", b"https://ada-faces.hf.space"), (b"host", b"10.0.0.2:7860")]
    assert not space.is_foreign({"type": "http", "headers": asked})
    assert "10.0.0.0/8" in space.proxies


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("localhost:7860", 200),
        ("page.localhost", 200),
        ("127.0.0.1", 200),
        ("[::1]:7860", 200),
        ("attacker.example", 403),
        ("127.0.0.1.attacker.example:80", 403),
        ("", 403),
    ],
)
def test_a_page_of_this_machine_answers_to_no_other_name(
    shared: Served, name: str, status: int
) -> None:
    answer = httpx.get(shared.url, headers={"Host": name})
    assert answer.status_code == status
    assert status == 200 or "MER_PROXY" in answer.text


def test_names_that_the_operator_allows_and_proxies_named_by_him_are_answered() -> None:
    scope = {"server": ("127.0.0.1", 80), "headers": [(b"host", b"faces.example")]}
    asked = {**scope, "client": ("127.0.0.1", 5000)}
    assert Origins().is_misnamed(asked)
    assert not Origins(["https://faces.example"]).is_misnamed(asked)
    assert not Origins(proxies=["127.0.0.1"]).is_misnamed(asked)
    assert not Origins().is_misnamed(asked | {"server": ("192.0.2.1", 80)})
