"""The page's actions for programs: named endpoints beside the tabs, not shown in the page.

docs/api.md is written from what they say of themselves, and shows a call of each.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import gradio as gr

from mer.errors import MerError
from mer.faces.detection import DETECTORS
from mer.models.registry import DEFAULT_MODEL
from mer.ui import actions
from mer.ui.errors import in_words
from mer.weights import store

WORKERS: Final = 2  # calls in work at once, of all programs; others wait

Make = Callable[..., gr.components.Component]


def build() -> None:
    """Add the endpoints to the page; they are not shown in it."""
    names = store.available() or [DEFAULT_MODEL]
    first = DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]
    formats = "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF"
    picture: Make = functools.partial(gr.File, label=f"Picture: {formats}")
    pictures: Make = functools.partial(picture, file_count="multiple")
    film: Make = functools.partial(gr.File, label="Video")
    network: Make = functools.partial(gr.Radio, names, value=first, label="Network")
    detector: Make = functools.partial(
        gr.Radio, list(DETECTORS), value="yunet", label="Face detector"
    )
    which: Make = functools.partial(gr.Radio, actions.PROTOCOLS, value="all", label="Test pictures")
    number: Make = functools.partial(gr.Number, value=1, precision=0, label="Face, from 1")
    start: Make = functools.partial(gr.Number, value=0, label="From, seconds")
    end: Make = functools.partial(gr.Number, value=0, label="To, seconds; 0 for the end")
    every: Make = functools.partial(gr.Number, value=1, precision=0, label="One of so many frames")
    measured: Make = functools.partial(gr.Checkbox, value=False, label="Measure faces")
    emotion: Make = functools.partial(gr.Textbox, value="", label="Class, or empty")
    document: Make = functools.partial(gr.JSON, label="Document")
    page: Make = functools.partial(gr.Textbox, label="HTML")
    drawn: Make = functools.partial(gr.Image, label="Picture", format="jpeg")
    time: Make = functools.partial(gr.Number, label="Milliseconds")
    asked = [picture, network, detector]
    of_video = [film, network, detector]
    _add(actions.predict, asked, document)
    _add(actions.predict_all, [pictures, network, detector], document)
    _add(actions.annotate, asked, drawn)
    _add(actions.explain_face, [*asked, number, emotion], drawn)
    _add(actions.report, [pictures, network, detector], page)
    _add(actions.analyse_video, of_video, document)
    _add(actions.analyse_part, [*of_video, start, end, every, measured], document)
    _add(actions.report_video, of_video, page)
    _add(actions.compare, [], document)
    _add(actions.evaluation, [network, which], document)
    _add(actions.measure, [network], time)
    _add(actions.about, [], document)


def _add(action: Callable[..., Any], inputs: Sequence[Make], output: Make) -> None:
    """Make a public endpoint of `action`, called like it; its docstring is the description."""

    @functools.wraps(action)
    def answered(*given: Any) -> Any:
        with in_words():
            if any(one is None for one in given):
                raise MerError("A file, a network or another value is missing. Send them all.")
            return action(*given)

    gr.Button(visible=False).click(
        answered,
        [make(visible=False) for make in inputs],
        output(visible=False),
        api_name=action.__name__,
        api_visibility="public",
        concurrency_id="api",
        concurrency_limit=WORKERS,
    )
