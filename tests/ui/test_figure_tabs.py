"""The tabs that show figures, laid out and answering, without a browser."""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd
import pytest

from benchmarks import robustness
from mer.errors import WeightsError
from mer.evaluation.calibration import confidence
from mer.evaluation.robustness import SWEEPS
from mer.inference import speed
from mer.io import files
from mer.results import comparison, documents
from mer.ui import parts, records
from mer.weights import store
from tests.benchmarks.test_robustness import result
from tests.records import record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder with the records of two networks."""
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    for name in ("cnn1", "resnet18"):
        (tmp_path / f"{name}.json").write_text(json.dumps(record(name)))
    return tmp_path


def page(build: Callable[[], None]) -> gr.Blocks:
    async def lay_out() -> gr.Blocks:
        blocks = gr.Blocks(analytics_enabled=False)
        with blocks:
            build()
        return blocks

    # Where no event loop runs, gradio makes some of its own and never closes them.
    return asyncio.run(lay_out())


def text(blocks: gr.Blocks) -> str:
    """All the words of a page, with the spaces that do not break as plain ones."""
    shown = [block for block in blocks.blocks.values() if isinstance(block, gr.Markdown | gr.HTML)]
    return "\n".join(str(block.value) for block in shown).replace("\N{NO-BREAK SPACE}", " ")


def count(blocks: gr.Blocks, kind: type[gr.components.Component]) -> int:
    return sum(isinstance(block, kind) for block in blocks.blocks.values())


@pytest.mark.parametrize("build", [records.build_comparison, records.build_report])
def test_without_records_a_tab_says_what_to_do(folder: Path, build: Callable[[], None]) -> None:
    for path in folder.glob("*.json"):
        path.unlink()
    blocks = page(build)
    assert "No network has a record yet" in text(blocks)
    assert "cnn1.json is missing" in text(blocks)
    assert count(blocks, gr.Plot) == 0


@pytest.mark.parametrize("build", [records.build_comparison, records.build_report])
def test_a_broken_record_is_named_and_the_rest_is_shown(
    folder: Path, build: Callable[[], None]
) -> None:
    (folder / "cnn1.json").write_text("{")
    blocks = page(build)
    assert "cnn1.json" in text(blocks)
    assert "resnet18" in text(blocks)
    assert count(blocks, gr.Plot) > 0


def test_the_comparison_shows_both_protocols_and_marks_what_is_the_papers(folder: Path) -> None:
    words = text(page(records.build_comparison))
    for piece in (
        "all 1400",
        "clean 700",
        "More than chance, clean pictures",
        "s Table 1",
        "82.53 %",
        "82.20 %",
    ):
        assert piece in words


def test_measuring_fills_the_table_and_goes_on_after_a_network_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(name: str) -> float:
        if name == "cnn1":
            raise WeightsError("cnn1.safetensors is missing.")
        return 4.25

    monkeypatch.setattr(speed, "face_milliseconds", measured)
    monkeypatch.setattr(gr, "Warning", lambda message: None)
    table = function(page(records.build_comparison))()
    first, second = re.findall(
        r"<tr>\n<td data-value=\"(?:cnn1|resnet18)\">.*?</tr>", table, re.DOTALL
    )
    assert {'data-value="4.25">4.2</td>' in row for row in (first, second)} == {True, False}


def test_the_report_changes_with_the_network_and_the_protocol(folder: Path) -> None:
    shown = function(page(records.build_report))("resnet18", "clean")
    head, table, matrix, mistakes, links, trust, *plots = shown
    assert head.startswith("### resnet18, clean 700 pictures\nAccuracy 80.0 %")
    assert '<th scope="row">neutral</th>' in table
    assert sum(map(sum, matrix.data[0].customdata)) == 700
    assert "anger as disgust: 20 of 100 (20 %)" in mistakes
    assert 'download="report-resnet18-clean.csv"' in links
    assert trust == ""  # a record from before there was a calibration
    assert plots == [None, None]


def test_the_report_says_how_far_probabilities_can_be_trusted(folder: Path) -> None:
    chances = np.full((100, 7), 0.01) + 0.93 * np.eye(7)[np.arange(100) % 7]
    labels = np.arange(100) % 7
    labels[:10] = (labels[:10] + 1) % 7  # ten wrong answers at a confidence of 94 %
    made = record("cnn1")
    made["evaluation"]["test"]["confidence"] = confidence(chances, labels, 0.6)
    (folder / "cnn1.json").write_text(json.dumps(made))
    *_, trust, reliability, coverage = function(page(records.build_report))("cnn1", "all")
    assert "calibration error 0.040" in trust
    assert "sure about 100 % of these faces" in trust
    assert "right on 90.0 % of them" in trust
    assert list(reliability.data[0].y) == [0.9]
    assert list(coverage.data[1].x) == [1.0]


def test_the_report_of_a_network_without_clean_figures_says_that_it_is_on_all(
    folder: Path,
) -> None:
    (folder / "cnn1.json").write_text(json.dumps(record("cnn1", clean=False)))
    head, *_ = function(page(records.build_report))("cnn1", "clean")
    assert head.startswith("### cnn1, all 1400 pictures")


def test_the_report_says_how_far_each_network_works(folder: Path) -> None:
    assert "were not measured on them yet" in text(page(records.build_report))
    robustness.save(result({36: 70}) | {"networks": {"cnn1": "ab" * 32}})
    blocks = page(records.build_report)
    assert "until a face is 48 pixels high cost the detector and cnn1 at most 8 points" in text(
        blocks
    )
    assert "Heads are turned to the side by the mesh" in text(blocks)
    show, *_ = [one.fn for one in blocks.fns.values()]
    assert show is not None
    said, found, right = show("cnn1", "blur")
    assert "48 pixels high" in said
    assert list(found.data[0].x) == list(right.data[0].x) == SWEEPS["blur"].labels()
    assert show("resnet18", "blur") == [gr.skip()] * 3  # it was not measured


def test_the_downloads_hold_the_figures_of_the_choice_alone(folder: Path) -> None:
    links = function(page(records.build_report))("cnn1", "all")[4]
    csv, content = (
        base64.b64decode(part).decode() for part in re.findall(r"base64,([^\"]+)", links)
    )
    held = json.loads(content)
    assert held["n"] == 1400
    assert held["network"] == "cnn1"
    assert held["version"] == "0.1.0"
    assert "clean" not in held
    assert csv == files.csv_text(comparison.report(record()["evaluation"]["test"]))


def test_about_says_what_it_must_not_be_used_for_and_how_much_leaks(folder: Path) -> None:
    words = text(page(records.build_about))
    for piece in ("detect lies", "hiring", "schools", "Article 5(1)(f)", "Article 50(3)"):
        assert piece in words
    assert "700 of 1400, that is 50 %" in words
    assert "pictures were scored: cnn1 2" in words
    assert "6 minutes" in words


def test_about_stands_without_any_record(folder: Path) -> None:
    for path in folder.glob("*.json"):
        path.unlink()
    assert "learned from. Hence two figures" in text(page(records.build_about))


def test_an_empty_table_is_a_table() -> None:
    assert "<th>class</th>" in documents.table(pd.DataFrame(columns=["class", "F1"]), "empty")


def test_a_table_is_escaped() -> None:
    html = documents.table(pd.DataFrame({"<b>": ["<i>"], "x": ["<script>"]}), '"<name>"')
    assert not re.search(r"<(b|i|script|name)>", html)
    assert 'aria-label="&#34;&lt;name&gt;&#34;"' in html


def test_what_is_for_excel_begins_with_its_mark() -> None:
    both = parts.links("faces", {"csv": "a\n1\n", "excel.csv": "a\n1\n"})
    plain, excel = (base64.b64decode(part) for part in re.findall(r"base64,([^\"]+)", both))
    assert plain == b"a\n1\n"
    assert excel == b"\xef\xbb\xbf" + plain


def test_no_files_give_no_links() -> None:
    assert parts.links("report", {}) == ""


def function(blocks: gr.Blocks) -> Callable[..., Any]:
    """What the page's one event calls."""
    (event,) = {id(fn.fn): fn.fn for fn in blocks.fns.values()}.values()
    assert event is not None
    return event
