"""One HTML file that opens offline, and what goes into it: tables, charts and pictures."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import cv2
import numpy as np
from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs

from mer.results.charts import CSS

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --body-text-color: CanvasText; }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto;
  padding: 0 1rem; }}
table {{ border-collapse: collapse; font-size: 13px; }}
th, td {{ text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid #7f879055;
  vertical-align: top; }}
.wide {{ overflow-x: auto; }}
.faces {{ display: flex; flex-wrap: wrap; gap: 1rem; }}
figure {{ margin: 0; }}
figcaption {{ font-size: 12px; max-width: 330px; }}
img {{ max-width: 100%; height: auto; }}
.note {{ border-left: 3px solid #16858c; padding-left: .7rem; }}
.bars td {{ padding: .1rem .7rem .1rem 0; border: 0; }}
.bars td:nth-child(2) {{ width: min(14rem, 40vw); }}
.bars td:last-child {{ white-space: nowrap; }}
.bars i {{ display: block; height: .8rem; min-width: 1px; }}
{css}
</style>
{script}
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def page(title: str, body: str, *, plotly: bool = False) -> str:
    """The whole file; `plotly` puts the script into it that `chart` needs, of 4 MB."""
    script = f"<script>{get_plotlyjs()}</script>" if plotly else ""
    return _PAGE.format(title=escape(title), css=CSS if plotly else "", script=script, body=body)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of text below a head, which may be empty; all is escaped."""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    top = f"<thead><tr>{names}</tr></thead>" if head else ""
    # It can be scrolled, and so has to be reached by the keyboard.
    return (
        f'<div class="wide" tabindex="0"><table>{top}<tbody>{"".join(lines)}</tbody></table></div>'
    )


def bars(shares: Sequence[tuple[str, float, str]]) -> str:
    """A bar for each name, share (0..1) and colour: a chart that needs no script."""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td><i style="width:{share:.1%};background:{color}"></i></td>'
        f"<td>{100 * share:.1f} %</td></tr>"
        for name, share, color in shares
    )
    return f'<table class="bars"><tbody>{rows}</tbody></table>'


def chart(figure: Figure) -> str:
    """A plotly figure, for a page that has plotly's script."""
    settings = {"displayModeBar": False, "responsive": True}
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, config=settings)
    return text


def jpeg(image: np.ndarray) -> bytes:
    """An RGB uint8 picture as the content of a JPEG file."""
    _, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return content.tobytes()


def picture(image: np.ndarray | bytes, alt: str, caption: str = "") -> str:
    """An RGB uint8 picture, or a JPEG file's content, inside the page itself."""
    content = image if isinstance(image, bytes) else jpeg(image)
    data = base64.b64encode(content).decode()
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" alt="{escape(alt, quote=True)}">'
        f"{told}</figure>"
    )


def limits(sentences: Iterable[str]) -> str:
    """The last section of a report: what its figures do not say."""
    listed = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    return f"<h2>How far to trust this</h2><ul>{listed}</ul>"
