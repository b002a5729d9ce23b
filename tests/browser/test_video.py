"""The Video tab in a real browser: a made clip and a faked camera's recording, to their events."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from playwright.sync_api import Page, expect

from benchmarks.synthetic import clips
from benchmarks.synthetic.timeline import Expression
from mer.io.video import Frame, Video, write_clip
from mer.ui import video
from mer.video import analysis
from mer.video.tracking.tracker import Tracker

OpenPage = Callable[..., Page]
SMILE = Expression("smile", 2500, 2900, 3500, 6.0)
PLOTS = "#people .js-plotly-plot"
PATIENCE = 300_000  # milliseconds for an analysis, on a machine that does much else


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of a real face into which a smile is warped."""
    path = tmp_path_factory.mktemp("film") / "film.webm"
    clip = clips.Clip(skimage.data.astronaut(), fps=30, seconds=6, events=[SMILE], blinks=0)
    write_clip(path, clip, clip.fps)
    return path


def _open(open_page: OpenPage, **settings: object) -> Page:
    page = open_page(**settings)
    page.get_by_role("tab", name="Video").click()
    return page


def _upload(page: Page, path: Path) -> None:
    page.set_input_files("#film input[type=file]", path)
    page.locator("#film video").wait_for()


def _analyse(page: Page) -> None:
    page.get_by_role("button", name="Analyse").click()


def _analysed(page: Page) -> None:
    """Wait until the charts and the video are there."""
    page.locator(PLOTS).nth(1).wait_for(timeout=PATIENCE)
    page.wait_for_function("document.querySelector('#player video')?.readyState >= 2")


def _seek(page: Page, seconds: float) -> None:
    page.evaluate(
        "seconds => new Promise((done) => {"
        " const film = document.querySelector('#player video');"
        " film.addEventListener('seeked', () => setTimeout(done, 50), { once: true });"
        " film.currentTime = seconds })",
        seconds,
    )


def _drawn(page: Page) -> int:
    """Pixels of the boxes over the video."""
    count: int = page.evaluate(
        "() => { const canvas = document.querySelector('#player canvas');"
        " const { data } = canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height);"
        " return data.filter((value, i) => i % 4 === 3 && value).length }"
    )
    return count


def _cursor(page: Page) -> float:
    left: float = page.evaluate(f"parseFloat(document.querySelector('{PLOTS} .cursor').style.left)")
    return left


def test_an_upload_to_an_event_seen_closely(
    open_page: OpenPage, film: Path, tmp_path: Path, screenshot: Callable[[Page, str], None]
) -> None:
    page = _open(open_page)
    _upload(page, film)
    _analyse(page)
    _analysed(page)
    expect(page.locator("#video-answer")).to_contain_text("1 person in 6.0 s of video")

    _seek(page, 0.5)
    before = _cursor(page)
    _seek(page, 3)
    assert _cursor(page) > before + 50
    assert _drawn(page) > 200

    page.locator(f"{PLOTS} .scatterlayer path.point").last.click(force=True)
    look = page.locator("#look .look")
    expect(look).to_contain_text("person 1")
    look.evaluate("look => look.remove()")

    page.get_by_role("button", name="Show event 1", exact=True).focus()
    page.keyboard.press("Enter")
    expect(look).to_contain_text("Event 1, person 1")
    expect(look.locator("img")).to_have_count(4)
    page.wait_for_function("document.querySelector('#look video')?.readyState >= 2")
    expect(page.locator("#events tr[aria-current]")).to_have_attribute("data-event", "0")
    screenshot(page, "video")

    page.locator("#events thead button").first.click()
    page.locator("#events thead button").first.click()
    numbers = page.locator("#events tbody button").all_inner_texts()
    assert numbers == sorted(numbers, key=int, reverse=True)

    with page.expect_download() as download:
        page.locator(".export summary").click()
        page.get_by_role("button", name="Download JSON").click()
    download.value.save_as(tmp_path / "video.json")
    document = json.loads((tmp_path / "video.json").read_text(encoding="utf-8"))
    assert len(document["events"]) == len(numbers)

    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name="Download annotated video").click()
    download.value.save_as(tmp_path / "annotated.webm")
    with Video(tmp_path / "annotated.webm") as kept:
        assert sum(1 for _ in kept) == 180


def _shown(page: Page) -> list[list[float]]:
    """The seconds that each chart shows."""
    ranges: list[list[float]] = page.evaluate(
        f"[...document.querySelectorAll('{PLOTS}')].map((one) => one._fullLayout.xaxis.range)"
    )
    return ranges


def _axis(page: Page, first: float, last: float) -> None:
    """Wait until all charts show these seconds."""
    page.wait_for_function(
        f"([first, last]) => [...document.querySelectorAll('{PLOTS}')].every((one) => {{"
        " const [from, to] = one._fullLayout.xaxis.range;"
        " return Math.abs(from - first) + Math.abs(to - last) < 0.05 })",
        arg=[first, last],
    )


def test_all_charts_share_one_time_axis_with_the_player(open_page: OpenPage, film: Path) -> None:
    page = _open(open_page)
    _upload(page, film)
    _analyse(page)
    _analysed(page)
    ((_, end), *_) = _shown(page)
    assert len(_shown(page)) == 2

    _seek(page, 3)
    page.get_by_role("button", name="Zoom in").focus()
    page.keyboard.press("Enter")
    _axis(page, 1.5, 1.5 + end / 2)
    expect(page.locator("#player output")).to_have_text("1.5 to 4.5 s")

    # A press in the middle of a chart, zoomed as it is, brings the player there.
    page.locator(f"{PLOTS} .nsewdrag").first.click(position={"x": 5, "y": 100})
    page.wait_for_function(
        "Math.abs(document.querySelector('#player video').currentTime - 1.5) < 0.2"
    )
    lines = page.locator(f"{PLOTS} .cursor")
    expect(lines).to_have_count(2)
    lefts = lines.evaluate_all("all => all.map((one) => parseFloat(one.style.left))")
    assert abs(lefts[0] - lefts[1]) < 1

    _seek(page, 5.5)  # the charts follow the player out of what they show
    _axis(page, end - end / 2, end)
    page.get_by_label("A line for each class").check()  # which draws them anew
    page.wait_for_function(
        f"document.querySelector('{PLOTS}')._fullData.every((one) => !one.stackgroup)"
    )
    _axis(page, end - end / 2, end)
    page.get_by_role("button", name="Whole video").click()
    _axis(page, 0, end)
    expect(page.get_by_role("button", name="Zoom out")).to_be_disabled()


def _film(page: Page) -> None:
    """Switch the camera on in the tab."""
    page.locator("#film button[aria-label='Capture from camera']").click()
    page.locator("#film").get_by_title("grant webcam access").click()
    page.locator("#film button").get_by_text("Record").wait_for()


def test_a_recording_of_the_camera(open_page: OpenPage) -> None:
    page = _open(open_page)
    _film(page)
    page.locator("#film button").get_by_text("Record").click()
    page.wait_for_timeout(2500)
    page.locator("#film button").get_by_text("Stop").click()
    page.locator("#film button[aria-label=Clear]").first.wait_for()
    _analyse(page)
    _analysed(page)
    expect(page.locator("#video-answer")).to_contain_text("of video")
    page.wait_for_function("Number.isFinite(document.querySelector('#player video').duration)")


def test_the_camera_goes_out_when_the_tab_is_left(open_page: OpenPage) -> None:
    page = _open(open_page)
    _film(page)
    page.wait_for_function("document.querySelector('#film video').srcObject")
    page.evaluate("window.track = document.querySelector('#film video').srcObject.getTracks()[0]")
    page.get_by_role("tab", name="Upload").click()
    page.wait_for_function("window.track.readyState === 'ended'")


def test_cancel_shows_what_was_read(
    open_page: OpenPage, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow, reached, released = Tracker.follow, threading.Event(), threading.Event()

    def held(self: Tracker, frame: Frame) -> object:
        if frame.time_ms > 1200:
            reached.set()
            assert released.wait(PATIENCE / 1000)
        return follow(self, frame)

    monkeypatch.setattr(Tracker, "follow", held)
    monkeypatch.setattr(analysis, "REPORT_S", 0.0)
    page = _open(open_page)
    _upload(page, film)
    _analyse(page)
    page.get_by_text("0:01 of 0:06 read, about").first.wait_for()
    (stop,) = video._stops.values()
    assert reached.wait(PATIENCE / 1000)
    page.get_by_role("button", name="Cancel").last.click()
    assert stop.wait(PATIENCE / 1000)
    released.set()
    _analysed(page)
    read = re.compile(r"only the first 0:01\.[123] were read")  # a frame or two were on their way
    expect(page.locator("#video-answer")).to_contain_text(read)
    expect(page.locator("#stop")).to_be_hidden()


def test_a_real_smile_is_one_event_of_the_mouth(open_page: OpenPage, mer_data: Path) -> None:
    page = _open(open_page)
    _upload(page, mer_data / "videos" / "single_face.mp4")
    page.get_by_role("button", name="Options: a part of the video, measures").click()
    page.locator("#measure-video input").check()
    _analyse(page)
    _analysed(page)
    events = page.locator("#events tbody tr").all_inner_texts()
    (smile,) = [event for event in events if "blink" not in event]
    assert "mouth up" in smile
    _seek(page, 2)
    expect(page.locator("#player .measured")).to_contain_text("mouthSmileLeft (AU12)")


def test_what_is_no_video_gets_a_sentence(open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "letter.mp4"
    path.write_text("Dear reader, this is no video.")
    page = _open(open_page)
    _analyse(page)
    expect(page.locator("#video-answer")).to_contain_text("There is no video yet")
    page.set_input_files("#film input[type=file]", path)
    page.locator("#film button[aria-label=Clear]").first.wait_for()
    _analyse(page)
    expect(page.locator("#video-answer .problem")).to_contain_text("letter.mp4")


def test_a_video_that_browsers_do_not_play_is_copied(
    open_page: OpenPage, tmp_path: Path, astronaut: np.ndarray
) -> None:
    import cv2

    path = tmp_path / "old.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (512, 512))
    for _ in range(15):
        writer.write(astronaut[..., ::-1].copy())
    writer.release()
    page = _open(open_page)
    page.set_input_files("#film input[type=file]", path)
    page.locator("#film button[aria-label=Clear]").first.wait_for()
    _analyse(page)
    _analysed(page)
    assert page.locator("#player .player").get_attribute("data-kind") == "copy"
