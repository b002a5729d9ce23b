"""Every tab in a real browser, light and dark, wide and as narrow as a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

TABS = ("Webcam", "Upload", "Video", "Comparison", "Report", "About")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_tab(
    open_page: Callable[..., Page],
    screenshot: Callable[[Page, str], None],
    width: int,
    theme: str,
) -> None:
    page = open_page(width=width, theme=theme)
    assert page.locator("body.dark").count() == (theme == "dark")
    lefts = set()
    for name in TABS:
        page.get_by_role("tab", name=name).click()
        expect(page.get_by_role("tabpanel").locator("visible=true").first).to_be_visible()
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        lefts.add(page.locator("#notice").evaluate("one => one.getBoundingClientRect().left"))
        screenshot(page, f"{name.lower()}-{theme}-{width}")
    assert len(lefts) == 1  # the page keeps its width from tab to tab


def test_first_screen_says_what_happens_to_a_picture(open_page: Callable[..., Page]) -> None:
    notice = open_page().locator("#notice")
    for words in ("not what someone feels", "deleted within 6 minutes", "not for decisions"):
        expect(notice).to_contain_text(words)


def test_tabs_are_reached_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_role("tab", name="Webcam").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Upload")).to_have_attribute("aria-selected", "true")


def test_the_address_names_the_tab_and_back_goes_back(open_page: Callable[..., Page]) -> None:
    page = open_page()
    for name in ("Video", "Report"):
        page.get_by_role("tab", name=name).click()
    assert "tab=report" in page.url
    page.go_back()
    expect(page.get_by_role("tab", name="Video")).to_have_attribute("aria-selected", "true")
    assert "tab=video" in page.url
    page.reload()
    expect(page.get_by_role("tab", name="Video")).to_have_attribute("aria-selected", "true")
    page.locator("#notice a").click()
    expect(page.get_by_role("tab", name="About")).to_have_attribute("aria-selected", "true")


def test_a_press_on_a_small_picture_takes_the_example(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_role("tab", name="Upload").click()
    example = page.get_by_role("button", name="Example: unsure faces")
    assert example.locator("img").evaluate("image => image.naturalWidth") > 50
    example.click()
    strip = page.locator("#upload-answer .strip")
    expect(strip).to_contain_text("4 faces in 1 picture")
    expect(strip).to_contain_text(" unsure")
    box = page.locator("#upload-answer .shot.chosen img").bounding_box()
    face = page.locator("#upload-answer .box[aria-pressed=true]").bounding_box()
    assert box is not None
    assert face is not None
    assert face["y"] + face["height"] < box["y"] + box["height"]


def test_the_comparison_is_told_in_few_words(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_role("tab", name="Comparison").click()
    page.locator("#leaderboard table").first.wait_for()
    words = (
        "() => [...document.querySelectorAll('[role=tabpanel] :is(p, li)')]"
        ".filter((one) => one.offsetParent && !one.closest('table'))"
        ".map((one) => one.innerText).join(' ').split(/\\s+/).length"
    )
    assert page.evaluate(words) <= 400


def test_model_cards_are_at_hand(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_role("tab", name="About").click()
    with page.expect_download() as download:
        page.locator("#cards a", has_text="faceres").click()
    assert download.value.suggested_filename == "model-card-faceres.md"
