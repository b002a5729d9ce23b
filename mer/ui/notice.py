"""The notice at the top of the page, and what is wrong with the weights where something is."""

from typing import Final

import gradio as gr

from mer.errors import WeightsError
from mer.inference.predictor import get_predictor
from mer.ui import notes, preview, retention
from mer.weights import store

TEXT: Final = f"""
<h1>{preview.TITLE}</h1>
<p>What it <em>looks like</em>, not what someone feels; not for decisions about people. Files are
deleted within {retention.MINUTES} minutes of their last use: see
<a href="?tab=about">About</a>.</p>
"""


def build() -> None:
    """Lay out the notice, and below it one sentence for each network that cannot be used."""
    gr.HTML(TEXT, elem_id="notice")
    problems = broken_weights()
    if problems:
        gr.HTML(notes.lines(["Start the page again when that is mended."], problems=problems))


def broken_weights() -> list[str]:
    """A sentence for each network that does not load. Those that do are then ready to answer."""
    problems = []
    for name in store.names():
        try:
            get_predictor(name)
        except WeightsError as error:
            problems.append(str(error))
    return problems
