"""The Webcam tab in a real browser, in front of a faked camera that shows a real face."""

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from mer.emotions import COLORS

OpenPage = Callable[..., Page]
BARS = "document.querySelector('#webcam-answer .bars').textContent"
ANSWER = re.compile(r"Face 1 .*?(\w+) \(\d+ %\)")


def _start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".camera.live").wait_for()


def _captured(page: Page) -> str:
    """Wait for a captured picture; return its address, which two like answers share."""
    page.wait_for_function(
        "() => { const image = document.querySelector('#webcam-answer .shot img');"
        " return image && image.complete && image.naturalWidth }"
    )
    source: str = page.locator("#webcam-answer .shot img").evaluate("image => image.src")
    return source


def _sent(page: Page, act: Callable[[], None]) -> list[Any]:
    """Do `act` and return what the page then asks: frame, network and detector."""
    with page.expect_request(lambda request: '"data:image/' in (request.post_data or "")) as asked:
        act()
    data: list[Any] = json.loads(asked.value.post_data or "{}")["data"]
    return data


def _has_colour(source: str, emotion: str) -> bool:
    content = base64.b64decode(source.partition(",")[2])
    picture = np.asarray(Image.open(io.BytesIO(content)), np.int16)
    colour = [int(COLORS[emotion][i : i + 2], 16) for i in (1, 3, 5)]
    return int((abs(picture - colour).max(axis=2) < 24).sum()) > 500


def test_capture_by_button_then_by_space(
    open_page: OpenPage, screenshot: Callable[[Page, str], None]
) -> None:
    page = open_page()
    _start(page)
    page.get_by_role("button", name="Capture").click()
    source = _captured(page)
    answer = page.locator("#webcam-answer")
    expect(answer).to_have_text(ANSWER)
    emotion = ANSWER.search(answer.inner_text())
    assert emotion is not None
    assert _has_colour(source, emotion[1])
    screenshot(page, "webcam")

    page.locator("body").focus()
    frame, *_ = _sent(page, lambda: page.keyboard.press("Space"))
    assert frame.startswith("data:image/")
    assert page.evaluate("scrollY") == 0  # Space did not scroll the page
    assert page.locator(".camera.live").is_visible()
    expect(answer).to_have_text(ANSWER)

    before = page.evaluate(BARS)
    page.get_by_role("button", name="Settings").click()
    again, network, _ = _sent(page, page.locator("#settings").get_by_label("cnn2").check)
    assert again == frame  # another network looks at what was captured
    assert network == "cnn2"
    page.wait_for_function(f"before => {BARS} !== before", arg=before)


def test_space_starts_the_camera_and_captures(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("Space")
    expect(page.locator("#webcam-answer")).to_have_text(ANSWER)


def test_space_waits_for_a_capture_button_that_is_not_mounted_yet(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("document.querySelector('#capture').id = 'later'")
    page.keyboard.press("Space")
    page.evaluate(
        """() => {
          const button = document.querySelector('#later'), place = button.parentElement;
          button.remove();
          button.id = 'capture';
          place.append(button);
        }"""
    )
    expect(page.locator("#webcam-answer")).to_have_text(ANSWER)


def test_space_keeps_its_meaning_on_controls_and_other_tabs(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("resnet18").first.focus()
    page.keyboard.press("Space")
    assert page.get_by_label("resnet18").first.is_checked()
    page.get_by_role("tab", name="About").click()
    page.keyboard.press("Space")
    page.wait_for_timeout(300)
    assert not page.locator(".camera.live").is_visible()


def test_camera_goes_out_when_the_tab_is_left(open_page: OpenPage) -> None:
    page = open_page()
    _start(page)
    page.evaluate("window.track = document.querySelector('video').srcObject.getTracks()[0]")
    page.get_by_role("tab", name="Upload").click()
    page.wait_for_function("window.track.readyState === 'ended'")


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("NotAllowedError", "did not allow the camera"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "in use by another program"),
        (None, "only to pages on this computer"),
    ],
)
def test_without_a_camera_a_sentence_says_why(
    open_page: OpenPage, script: str | None, sentence: str
) -> None:
    broken = (
        f"navigator.mediaDevices.getUserMedia = async () => "
        f"{{ throw new DOMException('', '{script}') }}"
        if script
        else "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    )
    page = open_page(script=broken)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#camera .trouble")).to_contain_text(sentence)
    page.get_by_role("button", name="Capture").click()
    expect(page.locator("#webcam-answer")).to_contain_text("There is no camera picture yet")
