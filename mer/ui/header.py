"""The top of the page: a notice, and the choice of network and face detector for each tab."""

import json
from typing import Final

import gradio as gr

from mer.errors import MerError, WeightsError
from mer.faces import detection
from mer.inference.predictor import get_predictor
from mer.models.registry import DEFAULT_MODEL, NETWORKS
from mer.results import comparison
from mer.ui import parts, theme, visitor_files
from mer.weights import store

NOTICE: Final = f"""
<h1>{theme.TITLE}</h1>
<p>What it <em>looks like</em>, not what someone feels; not for decisions about people. Files are
deleted within {visitor_files.MINUTES} minutes of their last use: see
<a href="?tab=about">About</a>.</p>
"""
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


def build(page: gr.Blocks) -> tuple[gr.Radio, gr.Radio]:
    """Lay out notice and choices; return those of the network and the detector.

    A sentence is added for each network that does not load; the others are then ready to answer.
    The browser keeps what is chosen.
    """
    gr.HTML(NOTICE, elem_id="notice")
    problems = []
    for name in store.names():
        try:
            get_predictor(name)
        except WeightsError as error:
            problems.append(str(error))
    if problems:
        gr.HTML(parts.lines("Start the page again when that is mended.", problems=problems))
    gr.HTML(_FOLD, elem_id="fold", js_on_load=None)
    names = networks()
    with gr.Row(elem_id="settings"):
        named = [(f"{name}: {comparison.purpose(name)}", name) for name in names]
        network = gr.Radio(named, value=first(names), label="Network")
        detectors = [(f"{name}: {hint}", name) for name, hint in _DETECTORS.items()]
        detector = gr.Radio(detectors, value="yunet", label="Face detector")
    chosen = [network, detector]
    kept = gr.BrowserState([first(names), "yunet"], storage_key="mer-settings", secret="mer")
    keep = "(...chosen) => [chosen]"
    gr.on([one.input for one in chosen], None, chosen, kept, js=keep, api_visibility="private")
    # In the browser, at once: an answer of the server could undo a choice made meanwhile.
    restore = _RESTORE.format(*map(json.dumps, (names, list(_DETECTORS), first(names))))
    page.load(None, kept, chosen, js=restore, api_visibility="private")
    return network, detector


def networks() -> list[str]:
    """The networks to choose from."""
    return store.available() or list(NETWORKS)


def first(names: list[str]) -> str:
    """The one of these networks that is chosen at first."""
    return DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]


def check(network: str, detector: str) -> None:
    """Raise MerError for names that the page does not offer, before anything is loaded for them."""
    offered = store.available()
    if network not in offered:
        raise MerError(f"There is no network {network!r}: choose {', '.join(offered)}.")
    detection.check_name(detector)
