"""What all figures share: ground, type, axes, and the two colours that belong to no class."""

from typing import Any, Final

import plotly.graph_objects as go

TEXT: Final = "#7f8790"  # 3.6 : 1 on white, 4.9 : 1 on near-black
# Named here and not in CSS: plotly measures its texts with the font that it was told.
FONT: Final = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif"
GRID: Final = "rgba(127, 135, 144, 0.25)"
ACCENT: Final = "#16858c"  # teal: none of the seven classes has it

CSS: Final = """
.js-plotly-plot .modebar-container { display: none; }
.js-plotly-plot .infolayer text, .js-plotly-plot [class$="tick"] text,
.js-plotly-plot .bartext, .js-plotly-plot .textpoint text {
  fill: var(--body-text-color) !important;
}
"""

_AXIS: Final = {
    "fixedrange": True,
    "automargin": True,
    "showline": False,
    "zeroline": False,
    "gridcolor": GRID,
    "ticks": "",
    "title_font_size": 13,
}


def figure(*traces: Any, height: int, alt: str, **layout: Any) -> go.Figure:
    """A figure in the house style; `layout` is plotly's own, underscores for nesting.

    Who cannot see it is told `alt`, which page and reports find in the figure's `meta`.
    """
    # No template: plotly's default would add 6 kB and its own grounds to every figure.
    fig = go.Figure(traces, layout={"template": "none"})
    fig.update_layout(
        height=height,
        meta={"alt": alt},
        autosize=True,
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        font={"family": FONT, "size": 13, "color": TEXT},
        margin={"l": 8, "r": 24, "t": 8, "b": 8},  # r: half of the last label on the axis
        dragmode=False,  # a finger that scrolls the page must not zoom the chart
        legend={"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top"},
        hoverlabel={"namelength": -1},
        modebar={"remove": ["zoom", "pan", "select", "lasso", "zoomin", "zoomout"]},
        xaxis=_AXIS,
        yaxis=_AXIS,
    )
    return fig.update_layout(**layout)
