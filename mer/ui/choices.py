"""The choice of network and of face detector, the same on each tab."""

import json
from typing import Final

import gradio as gr

from mer.errors import MerError
from mer.faces import detection
from mer.models.registry import DEFAULT_MODEL, NETWORKS
from mer.results import comparison
from mer.weights import store


def check(network: str, detector: str) -> None:
    """Look whether a visitor may choose these, before anything is loaded or fetched for a name.

    Raises:
        MerError: the page offers no such network, or no detector has this name.
    """
    offered = store.available()
    if network not in offered:
        raise MerError(f"There is no network {network!r}: choose {', '.join(offered)}.")
    detection.check_name(detector)


def build(page: gr.Blocks) -> tuple[gr.Radio, gr.Radio]:
    """Lay out both, folded; the browser keeps the choice. Return the network's, the detector's."""
    names = store.available() or list(NETWORKS)
    first = DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]
    networks = [(f"{name}: {comparison.purpose(name)}", name) for name in names]
    detectors = [(f"{name}: {hint}", name) for name, hint in _DETECTORS.items()]
    gr.HTML(_FOLD, elem_id="fold", js_on_load=None)
    with gr.Row(elem_id="settings"):
        network = gr.Radio(networks, value=first, label="Network")
        detector = gr.Radio(detectors, value="yunet", label="Face detector")
    kept = gr.BrowserState([first, "yunet"], storage_key="mer-settings", secret="mer")
    gr.on(
        [network.input, detector.input],
        fn=None,
        inputs=[network, detector],
        outputs=kept,
        js="(...chosen) => [chosen]",
        api_visibility="private",
    )
    # In the browser, at once: an answer of the server could undo a choice made meanwhile.
    page.load(
        fn=None,
        inputs=kept,
        outputs=[network, detector],
        js=_RESTORE.format(json.dumps(names), json.dumps(list(_DETECTORS)), json.dumps(first)),
        api_visibility="private",
    )
    return network, detector


# An accordion leaves out of the page what is folded, and the live view reads the choice there.
_FOLD: Final = (
    '<button type="button" aria-expanded="false" aria-controls="settings">Settings</button>'
)
_DETECTORS: Final = {
    "yunet": "recommended",
    "haar": "older, upright faces from the front",
    "none": "each picture is a cut-out face",
}
# The choice of an earlier visit, or the first ones where that cannot be any more.
_RESTORE: Final = """(kept) => {{
  const [network, detector] = kept || [];
  return {0}.includes(network) && {1}.includes(detector) ? kept : [{2}, "yunet"];
}}"""
