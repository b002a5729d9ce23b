"""The live view in a real browser, in front of a faked camera that shows a real face."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, Request, expect

from benchmarks.live import Visitor
from mer.emotions import EMOTIONS
from mer.live import session
from mer.live.session import LONG_SIDE
from mer.live.session_pool import PLACES, Visitors

OpenPage = Callable[..., Page]
KEPT = (  # while the camera runs: its track, to see later whether it was released
    "() => { const { srcObject } = document.querySelector('#camera video');"
    " window.track ??= srcObject?.getTracks()[0]; return window.track }"
)
# The frames that are on their way: the most at a time, and the last one.
WATCHED = (
    "const send = window.fetch; window.most = 0; let now = 0;"
    "window.fetch = async (...asked) => {"
    " if (!String(asked[0]).startsWith('live/frame')) return send(...asked);"
    " window.most = Math.max(window.most, ++now); window.last = asked[1].body;"
    " try { return await send(...asked) } finally { now -= 1 } };"
)
RELEASED = "window.track.readyState === 'ended'"


def _frames(page: Page) -> list[Request]:
    """The frames that the page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda one: sent.append(one) if "/live/frame" in one.url else None)
    return sent


def _keys(sent: list[Request]) -> set[str]:
    return {one.headers["x-live-key"] for one in sent}


def _start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(KEPT)


def _person(page: Page) -> None:
    """Wait until a face is read."""
    expect(page.locator(".people .person").first).to_contain_text(re.compile(r"Face 1 .*\d+ %"))


def _drawn(page: Page, selector: str) -> int:
    count: int = page.evaluate(
        "selector => { const canvas = document.querySelector(selector);"
        " const { data } = canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height);"
        " return data.filter((value, i) => i % 4 === 3 && value).length }",
        selector,
    )
    return count


def test_boxes_numbers_and_trails_until_it_is_stopped(
    open_page: OpenPage, screenshot: Callable[[Page, str], None]
) -> None:
    page = open_page()
    _start(page)
    _person(page)
    assert _drawn(page, "#camera canvas") > 200
    expect(page.locator("#live .rate")).to_have_text(
        re.compile(r"(Busy: )?[\d.]+ frames a second, answered after \d+ ms")
    )
    page.wait_for_function("document.querySelectorAll('.people li').length === 7")
    assert _drawn(page, ".people .trail canvas") > 100
    screenshot(page, "live")

    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function(RELEASED)
    expect(page.locator(".people .person")).to_have_count(0)
    assert _drawn(page, "#camera canvas") == 0
    assert not page.locator(".camera.live").is_visible()


def test_who_is_out_of_sight_is_said_to_be_so_and_then_forgotten(open_page: OpenPage) -> None:
    page = open_page()
    _start(page)
    _person(page)
    nobody = {"size": [640, 360], "people": [], "timings": {"busy": False}}
    page.route("**/live/frame*", lambda route: route.fulfill(json=nobody))
    expect(page.locator(".people .person h3")).to_have_text("Face 1 is out of sight")
    expect(page.locator(".people .person")).to_have_count(0)


def test_one_frame_is_on_its_way_at_a_time(open_page: OpenPage) -> None:
    page = open_page(script=WATCHED)
    _start(page)
    _person(page)
    assert page.evaluate("window.most") == 1


def test_a_large_picture_is_sent_small(open_page: OpenPage) -> None:
    camera = (
        "navigator.mediaDevices.getUserMedia = async () => {"
        " const canvas = document.createElement('canvas');"
        " [canvas.width, canvas.height] = [1280, 720];"
        " const pen = canvas.getContext('2d');"
        " setInterval(() => pen.fillRect(0, 0, 9, 9), 50);"
        " return canvas.captureStream(20) };"
    )
    page = open_page(script=WATCHED + camera)
    _start(page)
    page.wait_for_function("window.last")
    size = page.evaluate("createImageBitmap(window.last).then((it) => [it.width, it.height])")
    assert size == [LONG_SIDE, LONG_SIDE * 9 // 16]


def test_pause_stops_the_frames_and_live_goes_on(open_page: OpenPage) -> None:
    # Packing a picture takes a while, so that pausing falls into it.
    page = open_page(
        script="const pack = HTMLCanvasElement.prototype.toBlob;"
        "HTMLCanvasElement.prototype.toBlob = function (done, ...how) {"
        " pack.call(this, (it) => setTimeout(done, 300, it), ...how) };"
    )
    sent = _frames(page)
    _start(page)
    _person(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live .said")).to_contain_text("Paused")
    paused = len(sent)
    page.wait_for_timeout(1000)
    assert len(sent) == paused
    assert not page.evaluate(RELEASED)
    with page.expect_request("**/live/frame*"):
        page.keyboard.press("Enter")  # the focus is on Resume
    assert len(_keys(sent)) == 1  # the same place, the same numbers


def test_after_a_long_pause_live_takes_another_place(open_page: OpenPage, address: str) -> None:
    page = open_page()
    sent = _frames(page)
    _start(page)
    _person(page)
    page.get_by_role("button", name="Pause").click()
    page.request.post(f"{address}live/stop", headers={"x-live-key": _keys(sent).pop()})
    page.keyboard.press("Enter")
    expect(page.locator("#live .said")).to_contain_text("counted anew")
    _person(page)
    assert len(_keys(sent)) == 2


def test_the_keyboard_alone_is_enough(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#camera .start").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(KEPT)
    _person(page)
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.locator("#live .end").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(RELEASED)
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_focused()


@pytest.mark.parametrize("tab", ["Upload", "About"])
def test_leaving_the_tab_ends_it(open_page: OpenPage, tab: str) -> None:
    page = open_page()
    _start(page)
    _person(page)
    with page.expect_request("**/live/stop"):
        page.get_by_role("tab", name=tab).click()
    page.wait_for_function(RELEASED)
    page.get_by_role("tab", name="Webcam").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()


def test_leaving_the_page_gives_up_the_place(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = threading.Event()
    monkeypatch.setattr(Visitors, "leave", lambda *_: left.set())
    page = open_page()
    _start(page)
    _person(page)
    page.reload()
    assert left.wait(timeout=60)


def test_a_grin_is_no_resting_face_unless_one_insists(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LEAST_LOOKS", 1)  # a busy machine may be in time for no more
    page = open_page()
    _start(page)
    _person(page)
    page.get_by_role("button", name="My resting face").click()
    expect(page.locator("#camera .count")).to_have_text(re.compile("[321]"))
    expect(page.locator("#camera .count")).to_have_text("")
    expect(page.locator("#live .said")).to_contain_text("that is no resting face")
    page.get_by_role("button", name="Use that face all the same").click()
    expect(page.locator("#live .said")).to_contain_text("shown against the resting face")
    expect(page.locator(".people .by")).to_have_text([re.compile(r"[+−]?\d+")] * 7)


def test_the_network_is_the_one_chosen(open_page: OpenPage) -> None:
    page = open_page()
    _start(page)
    with page.expect_request(re.compile(r"/live/frame.*network=cnn2&detector=haar")):
        page.get_by_role("button", name="Settings").click()
        page.locator("#settings").get_by_label("cnn2").check()
        page.locator("#settings").get_by_label("haar").check()


def test_the_last_seconds_land_on_the_video_tab(open_page: OpenPage) -> None:
    page = open_page()
    for _ in range(2):  # the second time, something lies there already
        page.get_by_role("tab", name="Webcam").click()
        page.evaluate("window.track = undefined")
        _start(page)
        _person(page)
        page.wait_for_timeout(1000)
        page.get_by_role("button", name="Send the last seconds to Video").click()
        page.locator("#film video").wait_for()
        page.wait_for_function("document.querySelector('#film video').readyState >= 2")
        page.wait_for_function(RELEASED)
        expect(page.get_by_role("button", name="Analyse")).to_be_focused()


def test_the_eleventh_is_told_and_may_try_again(open_page: OpenPage, address: str) -> None:
    page = open_page()
    sent = _frames(page)
    visitors = [Visitor(address) for _ in range(PLACES)]
    while not visitors[-1].problem:  # places that earlier tests gave up may be counted yet
        visitors.append(Visitor(address))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#live .said.problem")).to_contain_text("places of the live view are taken")
    assert sent == []
    for visitor in visitors:
        visitor.__exit__()
    page.get_by_role("button", name="Resume").click()
    _person(page)


def test_a_camera_that_is_not_allowed_leaves_no_place_taken(open_page: OpenPage) -> None:
    page = open_page(
        script="navigator.mediaDevices.getUserMedia = async () => "
        "{ throw new DOMException('', 'NotAllowedError') }"
    )
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#camera .trouble")).to_contain_text("did not allow the camera")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()


def test_on_a_phone_the_camera_stays_above_what_is_said_of_it(open_page: OpenPage) -> None:
    page = open_page(390)
    _start(page)
    _person(page)
    places = ("#camera .camera", ".people .person", "#webcam-answer")
    top = "element => element.getBoundingClientRect().top"
    tops = [page.locator(place).evaluate(top) for place in places]
    assert tops == sorted(tops)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("#camera .camera")).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "dark"), (390, "light")])
def test_it_fits_its_width(
    open_page: OpenPage, width: int, theme: str, screenshot: Callable[[Page, str], None]
) -> None:
    page = open_page(width, theme)
    _start(page)
    _person(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    screenshot(page, f"live-{width}-{theme}")


def test_nobody_in_view_is_said_and_recorded_as_an_empty_row(
    open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page()
    _start(page)
    _person(page)
    page.get_by_role("button", name="Record to CSV").click()
    page.wait_for_timeout(2000)
    nobody = {"size": [640, 360], "people": [], "timings": {"busy": False}}
    page.route("**/live/frame*", lambda route: route.fulfill(json=nobody))
    expect(page.locator("#live .said")).to_contain_text("No face in view")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the recording").click()
    download.value.save_as(tmp_path / "live.csv")
    table = pd.read_csv(tmp_path / "live.csv")
    assert list(table)[:10] == [
        *("frame", "time_s", "person", "x", "y", "width", "height", "emotion"),
        *("probability", "sure"),
    ]
    assert list(table)[10:] == list(EMOTIONS)
    assert table["person"].iloc[0] == 1
    assert table["person"].isna().iloc[-1]
    assert table["frame"].is_monotonic_increasing
    assert table["time_s"].is_monotonic_increasing
