"""The choice of network and of face detector, the same on each tab."""

import gradio as gr

from mer.faces.detection import DETECTORS
from mer.inference.predictor import DEFAULT_MODEL
from mer.models.registry import MODELS
from mer.weights import store


def build() -> tuple[gr.Radio, gr.Radio]:
    """Lay out both; return the network's and the detector's."""
    names = store.available() or list(MODELS)
    first = DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]
    with gr.Row():
        network = gr.Radio(names, value=first, label="Network", scale=3, min_width=300)
        detector = gr.Radio(
            list(DETECTORS), value="yunet", label="Face detector", scale=2, min_width=180
        )
    return network, detector
