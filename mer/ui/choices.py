"""The choice of network and of face detector, the same on each tab."""

from typing import Final

import gradio as gr

from mer.errors import MerError
from mer.faces import detection
from mer.models.registry import DEFAULT_MODEL, MODELS
from mer.weights import store

_LABELS: Final = {"none": "none: a cut-out face"}


def check(network: str, detector: str) -> None:
    """Look whether a visitor may choose these, before anything is loaded or fetched for a name.

    Raises:
        MerError: the page offers no such network, or no detector has this name.
    """
    offered = store.available()
    if network not in offered:
        raise MerError(f"There is no network {network!r}: choose {', '.join(offered)}.")
    detection.check_name(detector)


def build() -> tuple[gr.Radio, gr.Radio]:
    """Lay out both; return the network's and the detector's."""
    names = store.available() or list(MODELS)
    first = DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]
    with gr.Row():
        network = gr.Radio(names, value=first, label="Network", scale=3, min_width=300)
        detector = gr.Radio(
            [(_LABELS.get(name, name), name) for name in detection.DETECTORS],
            value="yunet",
            label="Face detector",
            scale=2,
            min_width=180,
        )
    return network, detector
