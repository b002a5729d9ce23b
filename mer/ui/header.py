"""The page around its tabs: look, script, preview of a link; notice, network and face detector."""

import functools
import json
import re
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio import routes
from jinja2 import FunctionLoader

from mer.errors import MerError, WeightsError
from mer.faces import detection
from mer.inference.predictor import get_predictor
from mer.models.registry import DEFAULT_MODEL, NETWORKS
from mer.results import charts, comparison, documents
from mer.ui import parts, visitor_files
from mer.weights import store

PREVIEW: Final = Path(__file__).parent / "media" / "preview.png"  # also the icon of its tab
TITLE: Final = "Which expression does a face look like?"
_OF_GRADIO: Final = re.compile(r'<meta\s[^>]*"(?:og|twitter):[^>]*>')
_SCRIPTS: Final = (
    *("storage.js", "page.js", "keys.js", "faces.js", "video.js", "timeline.js"),
    *("live.js", "live_panel.js", "live_tape.js", "live_record.js"),
)
# Gradio's own grays and its bright accent are too pale to read on white.
_SHADES: Final = {
    "primary_200": "link_text_color_hover_dark link_text_color_active_dark",
    "primary_300": "link_text_color_dark link_text_color_visited_dark",
    "primary_600": "button_primary_background_fill_hover_dark "
    "checkbox_background_color_selected_dark checkbox_border_color_selected_dark",
    "primary_700": "button_primary_background_fill button_primary_background_fill_dark "
    "checkbox_background_color_selected checkbox_border_color_selected color_accent",
    "primary_800": "button_primary_background_fill_hover link_text_color link_text_color_visited",
    "primary_900": "link_text_color_hover link_text_color_active",
    "neutral_400": "body_text_color_subdued_dark checkbox_border_color_dark",
    "neutral_500": "checkbox_border_color",
    "neutral_600": "body_text_color_subdued block_info_text_color",
}

NOTICE: Final = f"""
<h1>{TITLE}</h1>
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
    """Lay out notice and choices, which the browser keeps; return those of network and detector."""
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


def look() -> dict[str, Any]:
    """Theme, style sheet, script and icon as `launch()` takes them, of which nothing is fetched."""
    theme = gr.themes.Default(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        # The visitor's own system fonts: a named web font would have to be fetched.
        font=("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"),
        font_mono=("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"),
    )
    colors = {name: f"*{shade}" for shade, names in _SHADES.items() for name in names.split()}
    # Gradio prefixes the selectors of `css`, those inside @media so that they never match.
    head = f"<style>{_text('phone.css')}</style><script>{_text(*_SCRIPTS)}</script>"
    _show_preview()
    return {
        "theme": theme.set(**colors, block_shadow="none"),
        "css": charts.CSS + _text("page.css", "live.css"),
        "head": head,
        "favicon_path": PREVIEW,
    }


def _text(*names: str) -> str:
    return "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


@functools.cache
def _show_preview() -> None:
    """Put ours in place of what Gradio's template says of a link: crawlers run no script."""
    environment = routes.templates.env
    loader: Any = environment.loader
    sentence = "Expressions in pictures, videos and before a camera."
    ours = documents.render("preview.html", title=TITLE, sentence=sentence)

    def source(name: str) -> str:
        text, *_ = loader.get_source(environment, name)
        return _OF_GRADIO.sub("", text).replace("<head>", f"<head>{ours}", 1)

    environment.loader = FunctionLoader(source)
