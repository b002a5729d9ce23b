"""The Upload tab in a real browser: choosing, dropping, pasting, reading, downloading."""

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from mer.emotions import EMOTIONS
from mer.io import images
from mer.models.registry import DEFAULT_MODEL

OpenPage = Callable[..., Page]
INPUT = "#files input[type=file]"


@pytest.fixture
def face(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "astronaut.png"
    Image.fromarray(astronaut).save(path)
    return path


def _open(open_page: OpenPage) -> Page:
    page = open_page()
    page.get_by_role("tab", name="Upload").click()
    page.locator(INPUT).wait_for(state="attached")
    return page


def _choose(page: Page, *paths: Path) -> None:
    page.set_input_files(INPUT, list(paths))


def _download(page: Page, kind: str, folder: Path) -> Path:
    export = page.locator(".export summary").locator("visible=true")
    link = page.get_by_role("link", name=f"Download {kind}", exact=True)
    if not link.is_visible():
        export.click()
    with page.expect_download() as download:
        link.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def _transfer(page: Page, selector: str, event: str, field: str, path: Path) -> None:
    """Dispatch a drop or a paste of the file at `path`."""
    page.evaluate(
        """([selector, event, field, name, content]) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type: "image/png" }));
          const kind = event === "drop" ? DragEvent : ClipboardEvent;
          document.querySelector(selector).dispatchEvent(
            new kind(event, { [field]: transfer, bubbles: true, cancelable: true }));
        }""",
        [selector, event, field, path.name, base64.b64encode(path.read_bytes()).decode()],
    )


def test_several_faces_in_several_pictures(
    open_page: OpenPage,
    mer_data: Path,
    face: Path,
    tmp_path: Path,
    screenshot: Callable[[Page, str], None],
) -> None:
    page = _open(open_page)
    _choose(page, mer_data / "photos" / "multi_face.jpg", face)
    expect(page.locator("#upload-answer .strip")).to_contain_text("6 faces in 2 pictures")
    screenshot(page, "upload")
    table = pd.read_csv(_download(page, "CSV", tmp_path))
    document = json.loads(_download(page, "JSON", tmp_path).read_text(encoding="utf-8"))
    assert table["file"].tolist() == ["multi_face.jpg"] * 5 + ["astronaut.png"]
    assert table["face"].tolist() == [1, 2, 3, 4, 5, 1]
    assert table[list(EMOTIONS)].sum(axis=1).tolist() == pytest.approx([1] * 6, abs=1e-3)
    assert [one["emotion"] for one in document["faces"]] == table["emotion"].tolist()
    assert document["network"] == DEFAULT_MODEL


def test_another_network_reads_the_pictures_again(
    open_page: OpenPage, face: Path, tmp_path: Path
) -> None:
    page = _open(open_page)
    _choose(page, face)
    expect(page.locator("#upload-answer")).to_contain_text("Face 1 ")
    first = page.locator(".export a").first.get_attribute("href")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("resnet18").locator("visible=true").check()
    page.wait_for_function(
        "before => document.querySelector('.export a')?.href !== before", arg=first
    )
    assert pd.read_csv(_download(page, "CSV", tmp_path)).loc[0, "network"] == "resnet18"


def test_bad_files_are_named_beside_a_good_one(
    open_page: OpenPage, face: Path, tmp_path: Path, screenshot: Callable[[Page, str], None]
) -> None:
    empty, text, wall = (tmp_path / name for name in ("empty.jpg", "text.jpg", "wall.png"))
    empty.touch()
    text.write_text("no picture")
    Image.new("RGB", (300, 200), "gray").save(wall)
    page = _open(open_page)
    _choose(page, empty, text, wall, face)
    answer = page.locator("#upload-answer")
    expect(answer.locator(".strip")).to_contain_text("1 face in 2 pictures")
    for sentence in ("'empty.jpg' is empty", "'text.jpg' is not", "No face found in wall.png"):
        expect(answer).to_contain_text(sentence)
    for count in ("1 without a face", "2 unreadable"):
        expect(answer.locator(".strip")).to_contain_text(count)
    expect(answer.locator(".sortable tbody tr")).to_have_count(4)
    screenshot(page, "upload-bad-files")


@pytest.mark.parametrize(
    ("selector", "event", "field"),
    [
        ("#files button", "drop", "dataTransfer"),
        ("body", "paste", "clipboardData"),
    ],
)
def test_dropped_and_pasted_pictures(
    open_page: OpenPage, face: Path, selector: str, event: str, field: str
) -> None:
    page = _open(open_page)
    _transfer(page, selector, event, field, face)
    expect(page.locator("#upload-answer")).to_contain_text("Face 1 ")


def test_a_second_paste_joins_the_first(open_page: OpenPage, face: Path, tmp_path: Path) -> None:
    page = _open(open_page)
    _transfer(page, "body", "paste", "clipboardData", face)
    expect(page.locator("#upload-answer")).to_contain_text("Face 1 ")
    wall = tmp_path / "wall.png"
    Image.new("RGB", (300, 200), "gray").save(wall)
    _transfer(page, "body", "paste", "clipboardData", wall)
    expect(page.locator("#upload-answer")).to_contain_text("No face found in wall.png")
    expect(page.locator("#upload-answer")).to_contain_text("1 face in 2 pictures")


def test_cancel(open_page: OpenPage, face: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = images.read

    def slowly(source: str) -> np.ndarray:
        time.sleep(1)
        return read(source)

    monkeypatch.setattr("mer.ui.upload.images.read", slowly)
    page = _open(open_page)
    _choose(page, *[face] * 12)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#upload-answer")).to_contain_text("Cancelled.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_clearing_brings_the_empty_page_back(open_page: OpenPage, face: Path) -> None:
    page = _open(open_page)
    _choose(page, face)
    expect(page.locator("#upload-answer")).to_contain_text("Face 1 ")
    page.locator("#files button[aria-label=Clear]").click()
    expect(page.locator("#upload-answer")).to_contain_text("Choose up to 30 pictures")
    expect(page.locator(".faces")).to_have_count(0)


def test_why_shows_where_two_networks_look(
    open_page: OpenPage, face: Path, screenshot: Callable[[Page, str], None]
) -> None:
    page = _open(open_page)
    expect(page.get_by_text("Why? Where the network looks")).to_be_hidden()
    _choose(page, face)
    page.get_by_role("button", name="Why? Where the network looks").click()
    maps = page.locator("#maps img")
    expect(maps.first).to_be_visible()
    shape = (
        "image => image.complete && [image.naturalWidth / image.naturalHeight,"
        " image.clientWidth / image.clientHeight, getComputedStyle(image).objectFit]"
    )
    page.wait_for_function("document.querySelector('#maps img').complete")
    natural, shown, fit = maps.first.evaluate(shape)
    assert (shown, fit) == (pytest.approx(natural, rel=0.02), "fill")  # the whole face
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    screenshot(page, "why")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_report_to_hand_on_opens_without_a_network(
    open_page: OpenPage,
    browser: Browser,
    face: Path,
    tmp_path: Path,
    screenshot: Callable[[Page, str], None],
    width: int,
    theme: Literal["light", "dark"],
) -> None:
    page = open_page(width, theme)
    page.get_by_role("tab", name="Upload").click()
    page.locator(INPUT).wait_for(state="attached")
    _choose(page, face)
    page.locator(".export summary").click()
    button = page.get_by_role("button", name="Download report")
    button.focus()  # by the keyboard
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    screenshot(page, f"upload-report-button-{width}-{theme}")

    alone = browser.new_context(
        offline=True, color_scheme=theme, viewport={"width": width, "height": 900}
    )
    asked: list[str] = []
    alone.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    reader = alone.new_page()
    reader.goto(path.as_uri())
    expect(reader.get_by_role("heading", level=1)).to_have_text(
        "Expressions of 1 face in 1 picture"
    )
    image = reader.get_by_role("img", name="astronaut.png, with a numbered box around each face")
    assert image.evaluate("image => image.complete && image.naturalWidth") == 640
    assert reader.evaluate("document.documentElement.scrollWidth") <= width
    assert set(asked) <= {"file", "data"}
    screenshot(reader, f"report-{width}-{theme}")
    alone.close()


def test_box_row_and_small_picture_select_one_face(
    open_page: OpenPage, mer_data: Path, face: Path
) -> None:
    page = _open(open_page)
    _choose(page, mer_data / "photos" / "multi_face.jpg", face)
    answer = page.locator("#upload-answer")
    expect(answer.locator(".strip")).to_contain_text("6 faces in 2 pictures")

    def selected() -> list[int]:
        """The face that the box, the row, the bars and the explanation are of."""
        found: list[int] = page.evaluate(
            "() => { const find = (what) => Number(document.querySelector(what).dataset.face);"
            " return [find('.box[aria-pressed=true]'), find('tr[aria-current]'),"
            " find('.details section:not([hidden])'), window.mer.face()] }"
        )
        return found

    page.get_by_role("button", name="multi_face.jpg, face 2:").click()
    assert selected() == [1] * 4
    answer.locator(".sortable tbody tr").nth(3).click()
    assert selected() == [3] * 4
    page.get_by_role("button", name="Show astronaut.png", exact=True).press("Enter")
    assert selected() == [5] * 4
    expect(answer.locator(".shot.chosen figcaption")).to_have_text("astronaut.png")

    page.get_by_role("button", name="Why? Where the network looks").click()
    image = page.locator("#maps img").first
    expect(image).to_have_attribute("alt", re.compile("astronaut.png, face 1: happiness"))
    page.get_by_role("button", name="Show multi_face.jpg, face 1").press("Enter")
    expect(image).to_have_attribute("alt", re.compile("multi_face.jpg, face 1: "))


def test_the_choice_of_network_outlasts_the_page_and_holds_on_each_tab(
    open_page: OpenPage,
) -> None:
    page = _open(open_page)
    page.get_by_role("button", name="Settings").click()
    kept = "localStorage.getItem('mer-settings')"
    before = page.evaluate(kept)
    page.get_by_label("cnn2: the paper's CNN Model 2").check()
    page.wait_for_function(f"before => {kept} !== before", arg=before)
    later = page.context.new_page()  # a reload would cut off what the tabs ask, with an error
    later.goto(page.url)
    later.get_by_role("tab", name="Video").click()
    later.get_by_role("button", name="Settings").click()
    expect(later.get_by_label("cnn2: the paper's CNN Model 2")).to_be_checked()
