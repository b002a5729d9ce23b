"""The About tab: what happens to a picture, what the networks learned from, what is barred."""

import contextlib
import os
from collections.abc import Iterator
from html import escape
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Final

import gradio as gr

from mer import hub
from mer.models.registry import NETWORKS
from mer.results import comparison, html_document, methods, paper
from mer.ui import downloads, retention
from mer.version import __version__

_LIBRARIES: Final = ("torch", "torchvision", "opencv-python-headless", "gradio", "plotly")


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    records, _ = comparison.read_records()
    tests = [record["evaluation"]["test"] for record in records.values()]
    test = next((one for one in tests if one.get("clean")), None)
    with gr.Row():
        with gr.Column(min_width=320):
            gr.Markdown(html_document.render("about.md", kept=retention.table()))
        with gr.Column(min_width=320):
            text = html_document.render(
                "sources.md",
                paper=paper.SOURCE,
                pictures=test["n"] if test else 0,
                twins=test["n"] - test["clean"]["n"] if test else 0,
                test_reads=comparison.test_reads(records),
                networks=NETWORKS,
                learned=dict.fromkeys(one for r in records.values() for one in methods.sources(r)),
                versions=_versions(),
            )
            gr.Markdown(text)
            gr.HTML(_cards(), elem_id="cards", js_on_load=None)


def _cards() -> str:
    """Links to each network's model card, and to the program's source where that is known."""
    cards = []
    for name in comparison.read_records()[0]:
        with contextlib.suppress(LookupError, TypeError):  # a record may say too little for a card
            cards.append(downloads.links(f"model-card-{name}", {"md": hub.card(name)}, name))
    space = os.environ.get("SPACE_ID", "")
    source = f'<p><a href="https://huggingface.co/spaces/{escape(space)}/tree/main">Source</a></p>'
    return f"<h2>Model cards</h2>{''.join(cards)}{source if space else ''}"


def _versions() -> Iterator[str]:
    yield f"mer {__version__}"
    yield f"Python {python_version()}"
    for library in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            yield f"{library} {version(library)}"
