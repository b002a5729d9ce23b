"""A real Chromium with a faked camera that shows a real face, and the page served to it."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mer import ui

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
expect.set_options(timeout=60_000)  # milliseconds; a busy machine of two cores is slow
SIZE = (640, 360)  # of the camera's frames
FRAMES = 45

Screenshot = Callable[[Page, str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that passes when it is run again is reported as rerun, one that fails twice fails."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    page = ui.build()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    yield url
    page.close()


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the faked camera shows, as y4m: the real video where MER_DATA has it."""
    path = tmp_path_factory.mktemp("camera") / "face.y4m"
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F30:1 Ip A1:1 C420jpeg\n" % SIZE)
        for frame in _video() or _panned():
            yuv = cv2.cvtColor(cv2.resize(frame, SIZE), cv2.COLOR_RGB2YUV_I420)
            file.write(b"FRAME\n" + yuv.tobytes())
    return path


def _video() -> list[np.ndarray]:
    video = cv2.VideoCapture(f"{os.environ.get('MER_DATA', '')}/videos/single_face.mp4")
    frames = [video.read() for _ in range(FRAMES)] if video.isOpened() else []
    return [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for received, frame in frames if received]


def _panned() -> list[np.ndarray]:
    """The astronaut, as by a camera that moves a little."""
    picture = skimage.data.astronaut()
    return [picture[: 512 * 9 // 16 + 2 * FRAMES][2 * i : 2 * i + 288] for i in range(FRAMES)]


@pytest.fixture(scope="package")  # while it runs, no other test can start an event loop
def browser(camera: Path) -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium,
            args=[*_FLAGS, f"--use-file-for-fake-video-capture={camera}"],
        )
        yield running
        running.close()


class Watch:
    """What a page should not do: ask another host for anything, or report an error."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )

    def foreign(self) -> list[str]:
        own = re.compile(r"(http|ws)://127\.0\.0\.1:|data:|blob:")
        return [url for url in self.requests if not own.match(url)]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page at a width, light or dark; in the end it must have kept to itself."""
    watched: list[tuple[Page, Watch]] = []

    def open_(width: int = 1280, theme: str = "light", script: str = "") -> Page:
        page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        watched.append((page, Watch(page)))
        if script:
            page.add_init_script(script)
        page.goto(f"{address}?__theme={theme}")
        page.locator("#camera .start").wait_for()
        return page

    yield open_
    for page, watch in watched:
        page.context.close()
        assert watch.foreign() == []
        assert watch.errors == []


@pytest.fixture(scope="session")
def screenshot() -> Screenshot:
    """Writes a picture of the whole page into the folder that MER_SCREENSHOTS names, if any."""
    folder = os.environ.get("MER_SCREENSHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.wait_for_timeout(1000)  # charts and pictures fade in
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return take
