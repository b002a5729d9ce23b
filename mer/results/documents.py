"""Documents from the templates beside this module, and what goes into them; Markdown tables."""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from plotly.graph_objects import Figure

from mer.emotions import colors
from mer.results.wording import percent

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["base64"] = lambda content: base64.b64encode(content).decode()
_TEMPLATES.globals.update(colors=colors, percent=percent, zip=zip)


def render(template: str, **values: Any) -> str:
    """A template with its values; in HTML all text among them is escaped."""
    return _TEMPLATES.get_template(template).render(values)


def table(frame: pd.DataFrame, name: str) -> str:
    """A DataFrame as HTML, called `name` by screen readers; its first column heads the rows."""
    parts: Any = _TEMPLATES.get_template("parts.html").module
    return str(parts.figures(list(frame.columns), frame.to_numpy().tolist(), name))


def chart(figure: Figure) -> Markup:
    """A plotly figure as HTML, for a page with plotly's script of 4 MB."""
    settings = {"displayModeBar": False, "responsive": True}
    drawn = Markup(figure.to_html(full_html=False, include_plotlyjs=False, config=settings))
    image = Markup('<div role="img" aria-label="{}">{}</div>')
    return image.format(figure.layout.meta["alt"], drawn)


def jpeg(image: np.ndarray) -> bytes:
    """An RGB uint8 picture as the content of a JPEG file."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def markdown(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown; cells become text by `str`, and must not hold a `|`."""
    names = list(head)
    lines: tuple[Iterable[object], ...] = (names, ["---"] * len(names), *rows)
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def markdown_frame(given: pd.DataFrame) -> str:
    """A DataFrame, without its index, as a table in Markdown."""
    return markdown(given.columns, given.to_numpy().tolist())
