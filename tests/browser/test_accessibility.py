"""What axe, the accessibility checker, finds on each tab with results: nothing serious."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]
AXE = resources.files("axe_playwright_python") / "axe.min.js"


_ARE_OPAQUE = """() => {
  const opaque = (one) =>
    !one || (getComputedStyle(one).opacity === "1" && opaque(one.parentElement));
  const shown = [...document.querySelectorAll("figcaption")].filter((one) => one.offsetParent);
  return shown.every(opaque);
}"""


def _found(page: Page) -> list[str]:
    """What is serious or worse, and headings out of order, with the elements."""
    page.wait_for_function(_ARE_OPAQUE)  # Gradio fades in what is new
    page.evaluate(AXE.read_text(encoding="utf-8"))
    # Gradio puts a button into the button that adds files, which is not ours to mend.
    results: dict[str, Any] = page.evaluate("axe.run({ exclude: [['.icon-button']] })")
    return [
        f"{one['id']}: {node['html'][:150]} {node.get('failureSummary', '')}"
        for one in results["violations"]
        if one["impact"] in ("serious", "critical") or one["id"] == "heading-order"
        for node in one["nodes"]
    ]


def _upload(page: Page, tmp_path: Path, astronaut: np.ndarray) -> None:
    Image.fromarray(np.hstack([astronaut, astronaut])).save(tmp_path / "two.png")
    Image.new("RGB", (300, 200), "gray").save(tmp_path / "wall.png")
    page.set_input_files("#files input[type=file]", [tmp_path / "two.png", tmp_path / "wall.png"])
    expect(page.locator("#upload-answer .strip")).to_contain_text("2 faces in 2 pictures")
    page.locator(".export summary").click()
    page.get_by_role("button", name="Why? Where the network looks").click()
    page.locator("#maps img").first.wait_for()


def _video(page: Page) -> None:
    page.get_by_role("button", name="Example: expressions").click()
    page.locator("#film video").wait_for()
    page.get_by_role("button", name="Analyse").click()
    page.locator("#people .js-plotly-plot").first.wait_for(timeout=300_000)
    page.get_by_role("button", name="Show event 1", exact=True).click()
    page.locator("#look .look").wait_for()


def _webcam(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".people .person").first).to_contain_text("%")
    page.get_by_role("button", name="Capture").click()
    page.locator("#webcam-answer .shot img").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_tab_with_results(
    open_page: OpenPage, tmp_path: Path, astronaut: np.ndarray, theme: str
) -> None:
    page = open_page(theme=theme)
    page.get_by_role("button", name="Settings").click()
    found: dict[str, list[str]] = {}
    for name in ("Upload", "Video", "Comparison", "Report", "About", "Webcam"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(500)
        if name == "Upload":
            _upload(page, tmp_path, astronaut)
        elif name == "Video":
            _video(page)
        elif name == "Webcam":
            _webcam(page)
        found[name] = _found(page)
    assert {name: problems for name, problems in found.items() if problems} == {}
