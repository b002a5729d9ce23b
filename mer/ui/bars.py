"""The probabilities of one face as bars, with a choice of face where there are several."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from mer.inference.predictor import Prediction
from mer.results import charts

Face = tuple[str, tuple[float, ...], tuple[str, ...]]  # its name, probabilities, classes


def build() -> tuple[gr.Dropdown, gr.Plot, gr.State]:
    """Lay out the choice and the bars, hidden until there is a face; return what `show` fills."""
    choice = gr.Dropdown(label="Probabilities of", type="index", visible=False, interactive=True)
    plot = gr.Plot(show_label=False, container=False, visible=False)
    faces = gr.State([], time_to_live=600)
    choice.input(_bars, [choice, faces], plot, show_progress="hidden", api_visibility="private")
    return choice, plot, faces


def show(named: Sequence[tuple[str, Prediction]], first: int = 0) -> tuple[Any, Any, list[Face]]:
    """Updates of what `build` returned: the bars of face `first`, a choice if there are others."""
    if not named:
        return gr.Dropdown(visible=False), gr.Plot(visible=False), []
    names = [name for name, _ in named]
    choice = gr.Dropdown(names, value=names[first], visible=len(names) > 1)
    faces = [(name, one.probabilities, one.classes) for name, one in named]
    return choice, gr.Plot(charts.probabilities(*faces[first][1:]), visible=True), faces


def _bars(index: int | None, faces: list[Face]) -> go.Figure | None:
    return charts.probabilities(*faces[index][1:]) if index is not None and faces else None
