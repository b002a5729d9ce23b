"""Tables to read: plain HTML, which wraps on a phone and which a screen reader can walk."""

from html import escape
from typing import Final

import gradio as gr
import pandas as pd

_NBSP: Final = "\N{NO-BREAK SPACE}"

CSS: Final = """
max-width: 100%; overflow-x: auto;
table { width: 100%; border-collapse: collapse; margin: 0; color: var(--body-text-color); }
th, td {
  padding: 6px 8px; text-align: right; vertical-align: top; font-variant-numeric: tabular-nums;
  border: 0; border-bottom: 1px solid var(--border-color-primary);
}
th:first-child { text-align: left; padding-left: 0; }
td:last-child, th:last-child { padding-right: 0; }
thead th { font-weight: 600; border-bottom-width: 2px; }
tbody th { font-weight: 400; }
@media (max-width: 640px) {
  table { font-size: 0.8rem; }
  th, td { padding: 5px 4px; }
}
"""


def show(frame: pd.DataFrame, name: str) -> gr.HTML:
    """The table on the page; update it with `html`. `name` is what a screen reader calls it."""
    return gr.HTML(html(frame, name), css_template=CSS, apply_default_css=False)


def html(frame: pd.DataFrame, name: str) -> str:
    """`frame` as HTML, escaped; its first column heads the rows."""
    first = str(frame.columns[0])
    heads = frame.set_index(first).rename_axis(index=None, columns=first)
    # Numbers keep their units; a cell breaks, if it must, only before an interval in brackets.
    heads = heads.map(lambda cell: str(cell).replace(" ", _NBSP).replace(f"{_NBSP}(", " ("))
    table: str = heads.to_html(border=0)
    # pandas sets the alignment of the head inline, where a style sheet could not reach it.
    table = table.replace(' style="text-align: right;"', "")
    return table.replace("<table", f'<table aria-label="{escape(name, quote=True)}"', 1)
