"""The page behind a proxy, inside a page of another site, and asked by pages of others."""

import functools
import http.server
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Page, expect

from mer import ui
from mer.ui import visitor_files
from tests.browser.conftest import Watch
from tests.browser.proxy import proxy

PREFIX = "/some/faces"
OTHERS = pytest.mark.parametrize("other", ["sibling.localhost", "localhost", "127.0.0.1"])


def serve(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Iterator[str]:
    """A page with these variables in its surroundings."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    page = ui.build()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    for name in variables:
        monkeypatch.delenv(name)
    yield url
    page.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """A site whose one page holds a frame with the address that it is given."""
    monkey = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": _nothing})
    handler = functools.partial(monkey, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def address(embedded: str) -> str:
        frame = f'<iframe src="{embedded}" allow="camera" width="1200" height="2000"></iframe>'
        (tmp_path / "index.html").write_text(
            f"<!doctype html><link rel='icon' href='data:,'>{frame}"
        )
        return f"localhost:{server.server_address[1]}"

    yield address
    server.shutdown()
    server.server_close()


def _nothing(*_: Any) -> None: ...


@pytest.fixture
def own(address: str) -> str:
    """The page by a name whose siblings other sites may have."""
    return address.replace("127.0.0.1", "page.localhost")


@pytest.fixture
def photograph(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "photograph.png"
    Image.fromarray(astronaut).save(path)
    return path


def _live(page: Page | FrameLocator) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    face = page.locator(".people .person").first
    expect(face).to_contain_text(re.compile(r"Face 1 .*\d+ %"))
    page.get_by_role("button", name="Stop", exact=True).click()


def _upload(page: Page | FrameLocator, photograph: Path) -> None:
    page.get_by_role("tab", name="Upload").click()
    page.locator("#files input[type=file]").set_input_files(photograph)
    expect(page.locator("#upload-answer")).to_contain_text("Face 1 ")
    expect(page.locator("#upload-answer .shot img").first).to_be_visible()
    loaded = "image => image.decode().then(() => image.naturalWidth)"
    assert page.locator("#upload-answer .shot img").first.evaluate(loaded) > 0


def test_behind_a_proxy_with_tls_and_a_path(
    browser: Browser, photograph: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine")
    for inside in serve(monkeypatch, GRADIO_ROOT_PATH=PREFIX, MER_PROXY="127.0.0.1"):
        with proxy(inside, PREFIX, tmp_path) as outside:
            context = browser.new_context(ignore_https_errors=True)
            page = context.new_page()
            page.set_default_timeout(60_000)
            watch = Watch(page)
            page.goto(outside)
            page.locator("#camera .start").wait_for()
            _live(page)
            _upload(page, photograph)
            page.locator("#upload-answer summary").click()  # Export
            for name in ("CSV", "JSON"):
                with page.expect_download() as download:
                    page.get_by_role("link", name=re.compile(name)).first.click()
                assert b"happiness" in download.value.path().read_bytes()
            with page.expect_download() as download:
                page.get_by_role("button", name="Download report").click()
            assert b"<html" in download.value.path().read_bytes()
            inner = page.evaluate("fetch('gradio_api/info').then(one => one.text())")
            assert outside.rstrip("/") in inner
            context.close()
            own = (outside, "data:", "blob:")
            assert [url for url in watch.requests if not url.startswith(own)] == []
            assert watch.errors == []


ASK = """async address => {
  const told = [];
  const json = { "Content-Type": "application/json", "X-Live-Key": "x" };
  for (const [path, options] of [
    ["config", {}], ["gradio_api/info", {}], ["", { credentials: "include" }],
    ["live/start", { method: "POST" }], ["live/start", { method: "POST", headers: json }],
    ["gradio_api/queue/join", { method: "POST", headers: json, body: "{}" }],
  ]) {
    try { told.push(await (await fetch(address + path, options)).text()) } catch { }
  }
  const form = new FormData();
  form.append("files", new Blob(["a face"]), "stranger.png");
  for (const credentials of ["omit", "include"]) {
    const options = { method: "POST", mode: "no-cors", body: form, credentials };
    await fetch(address + "gradio_api/upload", options);
  }
  return told;
}"""


@OTHERS
def test_pages_of_other_sites_get_nothing(
    browser: Browser, own: str, site: Callable[[str], str], other: str
) -> None:
    page = browser.new_page()
    page.goto(f"http://{site('').replace('localhost', other)}")
    assert page.evaluate(ASK, own) == []
    page.close()
    assert list(visitor_files.take_folder().rglob("stranger.png")) == []
    page = browser.new_page()
    page.goto(own)
    assert page.evaluate("fetch('config').then(one => one.status)") == 200
    page.close()


@OTHERS
def test_frames_of_other_sites_stay_empty(
    browser: Browser, own: str, site: Callable[[str], str], other: str
) -> None:
    page = browser.new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(f"http://{site(own).replace('localhost', other)}")
    expect(page.frame_locator("iframe").locator("#camera")).to_have_count(0)
    assert [frame.url for frame in page.frames if frame.url.startswith(own)] == []
    page.close()


def test_a_frame_of_a_site_that_is_allowed_has_all_that_a_page_has(
    browser: Browser,
    site: Callable[[str], str],
    photograph: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed = f"http://{site('')}"
    for inside in serve(monkeypatch, MER_ORIGINS=allowed):
        site(inside)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        watch = Watch(page)
        page.goto(allowed)
        frame = page.frame_locator("iframe")
        frame.locator("#camera .start").wait_for()
        _live(frame)
        _upload(frame, photograph)
        assert watch.errors == []
        assert page.evaluate(ASK, inside) != []  # it may ask from outside of the frame, too
        page.close()
