"""The look of the page: theme, style sheet and script, of which nothing is fetched."""

from pathlib import Path
from typing import Any, Final

import gradio as gr

from mer.results import charts
from mer.ui import preview

_HERE: Final = Path(__file__).parent
_SCRIPTS: Final = (
    *("storage.js", "page.js", "keys.js", "faces.js", "video.js", "timeline.js"),
    *("live.js", "live_panel.js", "live_tape.js", "live_record.js"),
)
_STYLES: Final = ("page.css", "live.css")
# The visitor's own system fonts: a named web font would have to be fetched.
_FONTS: Final = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO: Final = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """A quiet theme: gray grounds and one teal, so that only the classes are colourful."""
    base = gr.themes.Default(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=_FONTS,
        font_mono=_MONO,
    )
    return base.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        # Gradio's own grays and its bright accent are too pale to read on white.
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        link_text_color="*primary_800",
        link_text_color_hover="*primary_900",
        link_text_color_visited="*primary_800",
        link_text_color_active="*primary_900",
        link_text_color_dark="*primary_300",
        link_text_color_hover_dark="*primary_200",
        link_text_color_visited_dark="*primary_300",
        link_text_color_active_dark="*primary_200",
        color_accent="*primary_700",
        checkbox_background_color_selected="*primary_700",
        checkbox_background_color_selected_dark="*primary_600",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
        checkbox_border_color_selected="*primary_700",
        checkbox_border_color_selected_dark="*primary_600",
        block_shadow="none",
    )


def look() -> dict[str, Any]:
    """Theme, style sheet, script and icon as `launch()` takes them."""
    scripts = [(_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    style = "".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES)
    # Gradio prefixes the selectors of `css`, those inside @media so that they never match.
    phone = (_HERE / "phone.css").read_text(encoding="utf-8")
    head = f"<style>{phone}</style><script>{''.join(scripts)}</script>"
    preview.use()
    return {
        "theme": theme(),
        "css": charts.CSS + style,
        "head": head,
        "favicon_path": preview.PICTURE,
    }
