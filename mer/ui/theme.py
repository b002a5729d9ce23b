"""The look of the page: theme, style sheet, script, icon, and what a link to it shows elsewhere."""

import functools
import re
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio import routes
from jinja2 import FunctionLoader

from mer.results import charts, documents

PREVIEW: Final = Path(__file__).parent / "media" / "preview.png"  # also the icon of its tab
TITLE: Final = "Which expression does a face look like?"
_SENTENCE: Final = "Expressions in pictures, videos and before a camera."
_OF_GRADIO: Final = re.compile(r'<meta\s[^>]*"(?:og|twitter):[^>]*>')
_SCRIPTS: Final = (
    *("storage.js", "page.js", "keys.js", "faces.js", "video.js", "timeline.js"),
    *("live.js", "live_panel.js", "live_tape.js", "live_record.js"),
)
# The visitor's own system fonts: a named web font would have to be fetched.
_FONTS: Final = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO: Final = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
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


def look() -> dict[str, Any]:
    """Theme, style sheet, script and icon as `launch()` takes them, of which nothing is fetched.

    The theme is quiet: gray grounds and one teal, so that only the classes are colourful.
    """
    theme = gr.themes.Default(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=_FONTS,
        font_mono=_MONO,
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
    ours = documents.render("preview.html", title=TITLE, sentence=_SENTENCE)

    def source(name: str) -> str:
        text, *_ = loader.get_source(environment, name)
        return _OF_GRADIO.sub("", text).replace("<head>", f"<head>{ours}", 1)

    environment.loader = FunctionLoader(source)
