"""The part of the Report tab on worse pictures: small, leaning, blurred, dark, covered faces."""

from collections.abc import Mapping
from typing import Any, Final

import gradio as gr

from mer.evaluation import robustness
from mer.evaluation.robustness import SWEEPS
from mer.results import charts

_ABOUT: Final = (
    "## On worse pictures\n**{sentence}**\n\nFirst, whether faces are found: {faces} boxed faces "
    "of group photographs, each photograph changed as a whole. Then, whether a network is right: "
    "{pictures} pictures that training held out, changed and given as the crop, so that finding "
    "has no part in it. Thin bars are 95 % intervals. Heads turned to the side were not measured: "
    "no data set at hand says how far a head is turned."
)
_NOT_MEASURED: Final = (
    "## On worse pictures\nThe networks in use were not measured on them yet: "
    "`python -m benchmarks robustness --faces DIR --data DIR --save`."
)


def build(network: gr.Radio, first: str) -> None:
    """Lay out the charts inside the current tab; `network` chooses whose line stands out."""
    result = robustness.read()
    if not result or first not in result["networks"]:
        gr.Markdown(_NOT_MEASURED)
        return
    text = gr.Markdown(_text(result, first))
    choices = [(sweep.title, name) for name, sweep in SWEEPS.items()]
    change = gr.Radio(choices, value="height", label="What changes")
    with gr.Row():
        with gr.Column(min_width=320):
            found = _plot(charts.found(result, "height"))
        with gr.Column(min_width=320):
            right = _plot(charts.right(result, "height", first))

    def show(chosen: str, name: str) -> list[Any]:
        if chosen not in result["networks"]:
            return [gr.skip()] * 3
        return [
            _text(result, chosen),
            charts.found(result, name),
            charts.right(result, name, chosen),
        ]

    gr.on(
        [network.change, change.change],
        show,
        [network, change],
        [text, found, right],
        api_visibility="private",
        show_progress="hidden",
    )


def _plot(figure: Any) -> gr.Plot:
    return gr.Plot(figure, show_label=False, container=False)


def _text(result: Mapping[str, Any], network: str) -> str:
    counts = {key: result[key] for key in ("faces", "pictures")}
    return _ABOUT.format(sentence=robustness.sentence(result, network), **counts)
