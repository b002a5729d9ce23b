"""The page on a phone's screen with the keyboard alone: all is reached, and the focus seen."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

STOPS = 90  # of the Tab key, more than any tab of the page has
ANALYSED = 300_000  # milliseconds for an example to be made and analysed, on a busy machine


def test_a_walk_through_the_page_with_the_keyboard_alone(open_page: Callable[..., Page]) -> None:
    page = open_page(390)
    page.set_viewport_size({"width": 390, "height": 844})
    _upload(page)
    _another_network(page)
    _why(page)
    _download(page)
    _video(page)
    _live(page)
    for name in ("Comparison", "Report", "About"):
        _open(page, name)
        expect(page.get_by_role("tabpanel").locator("visible=true").first).to_be_visible()


def _upload(page: Page) -> None:
    _open(page, "Upload")
    example = page.get_by_role("button", name="Example: a photograph")
    _press(page, example, page.locator("#files .file-preview"))
    expect(page.locator("#upload-answer")).to_contain_text("Face 1 ")


def _another_network(page: Page) -> None:
    link = page.locator(".export a").first
    before = link.get_attribute("href") or ""
    settings = page.get_by_role("button", name="Settings")
    networks = page.get_by_role("radiogroup", name="Network").locator("visible=true")
    _tab_to(page, settings, "Shift+Tab")
    page.keyboard.press("Enter")
    _tab_to(page, networks.get_by_role("radio", checked=True))  # one stop for all of them
    page.keyboard.press("ArrowLeft")
    expect(link).not_to_have_attribute("href", before)


def _why(page: Page) -> None:
    why = page.get_by_role("button", name="Why? Where the network looks")
    image = page.locator("#maps img").first
    strength = page.get_by_label("range slider for Opacity")
    _press(page, why, strength)
    before = image.get_attribute("src") or ""
    _tab_to(page, strength)
    expect(page.get_by_role("option")).to_have_count(0)  # those passed on the way are closed
    page.keyboard.press("ArrowRight")
    expect(image).not_to_have_attribute("src", before)


def _download(page: Page) -> None:
    link = page.get_by_role("link", name="Download CSV", exact=True).locator("visible=true")
    _tab_to(page, page.locator("#upload-answer summary"), "Shift+Tab")
    page.keyboard.press("Enter")
    _tab_to(page, link)
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.startswith("faces-astronaut-20")


def _video(page: Page) -> None:
    _open(page, "Video")
    analyse = page.locator("#analyse")
    example = page.get_by_role("button", name="Example: expressions")
    _press(page, example, page.locator("#film video"))
    _press(page, analyse, page.locator("#people .js-plotly-plot"))
    expect(analyse).to_be_focused()  # as before it was disabled
    _tab_to(page, page.get_by_role("button", name="Zoom in"))
    page.keyboard.press("Enter")
    expect(page.locator("#player output")).to_have_text("0.0 to 4.5 s")
    _press(page, page.get_by_role("button", name="Show event 1"), page.locator("#look .look"))


def _live(page: Page) -> None:
    _open(page, "Webcam")
    live = page.get_by_role("button", name="Start", exact=True)
    _press(page, live, page.locator(".people .person"))
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    _tab_to(page, page.locator("#live .end"))
    page.keyboard.press("Space")
    expect(live).to_be_focused()
    expect(page.locator("#camera .start")).to_be_visible()


def _open(page: Page, name: str) -> None:
    tab = page.get_by_role("tab", name=name)
    first = page.get_by_role("tab", name="Webcam")
    _tab_to(page, first)
    while not tab.evaluate("tab => tab === document.activeElement"):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(tab).to_have_attribute("aria-selected", "true")


def _press(page: Page, button: Locator, outcome: Locator) -> None:
    """Press a button until something comes of it: what it does may not be bound at first."""
    _tab_to(page, button)
    for turn in range(200):
        if outcome.first.is_visible() or not _focused(button):
            break
        if turn % 20 == 0:
            page.keyboard.press("Enter")
        page.wait_for_timeout(500)
    expect(outcome.first).to_be_visible(timeout=ANALYSED)


def _tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Go there by the Tab key; then it must be seen, and that the focus is there."""
    expect(target).to_be_visible()
    for _ in range(STOPS):
        if _focused(target):
            break
        page.keyboard.press(key)
    expect(target).to_be_focused()
    expect(target).to_be_in_viewport()
    radio = target.get_attribute("type") == "radio"
    expect(target.locator("xpath=..") if radio else target).to_have_css("outline-width", "3px")


def _focused(target: Locator) -> bool:
    there = target.count() > 0  # what was pressed may be gone
    return there and bool(target.evaluate("target => target === document.activeElement"))
