"""Figures of the classes: probabilities of one face, quality and confusion of a network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mer.emotions import EMOTIONS, colors
from mer.results.charts.style import TEXT, figure
from mer.results.wording import percent

# Share of a row, and how thickly its cell is inked. Ink works on a light and on a dark ground;
# it grows fast at first, for the mistakes are small shares and are what one looks for.
_INK = ((0.0, 0.03), (0.05, 0.16), (0.2, 0.42), (0.6, 0.85), (0.8, 1.0), (1.0, 1.0))
_STRONG = 0.6  # share from which the count is written in white


def per_class(scores: Mapping[str, Any]) -> go.Figure:
    """F1 of each class as a bar in its colour, precision and recall as marks on it.

    Args:
        scores: figures as `mer.evaluation.metrics.evaluate` gives them.
    """
    report: Mapping[str, Mapping[str, Any]] = scores["per_class"]
    names = list(report)
    f1 = [report[name]["f1"] for name in names]
    bars = _bars(names, f1, name="F1")
    # The bars have many colours; their entry in the legend gets none of them.
    key = go.Bar(x=[None], y=names[:1], name="F1 (bar)", marker_color=TEXT)
    # Marks stand on the bars and on the page: white with a dark rim shows on all of them.
    marks = [
        go.Scatter(
            x=[report[name][mark] for name in names],
            y=names,
            name=mark,
            mode="markers",
            marker={"symbol": sign, "size": 10, "color": "white", "line": _RIM},
            hovertemplate="%{y}: " + mark + " %{x:.3f}<extra></extra>",
        )
        for mark, sign in (("precision", "circle"), ("recall", "diamond"))
    ]
    alt = "F1, precision and recall of each class"
    fig = figure(bars, key, *marks, height=330, alt=alt, bargap=0.3, barmode="overlay")
    return _share_axis(fig)


_RIM = {"color": "#30363d", "width": 1.5}


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str] = EMOTIONS) -> go.Figure:
    """The confusion matrix: counts and shares of the row (the true class), which colour it.

    Args:
        counts: a row and a column for each class; rows are the truth.
        names: the classes, the seven unless a network has others.
    """
    matrix = np.asarray(counts, dtype=np.int64)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    right = np.trace(matrix) / max(int(matrix.sum()), 1)
    strong = shares >= _STRONG
    places = [[(i, j) for j in range(len(matrix))] for i in range(len(matrix))]
    told = {
        cell: f"{matrix[cell]}<br>{percent(float(shares[cell]))}" if matrix[cell] else "0"
        for row in places
        for cell in row
    }
    cells = go.Heatmap(
        x=names,
        y=names,
        z=shares.tolist(),
        customdata=matrix.tolist(),
        text=[[told[cell] if strong[cell] else "" for cell in row] for row in places],
        texttemplate="%{text}",
        textfont={"color": "white", "size": 12},
        zmin=0,
        zmax=1,
        colorscale=[[share, f"rgba(24, 108, 118, {ink})"] for share, ink in _INK],
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{customdata} pictures of %{y} (%{z:.0%}) look like %{x}<extra></extra>",
    )
    # Counts on pale cells are a trace of their own, so that they take the page's text colour.
    pale = [(i, j) for i, j in np.argwhere(~strong)]
    rest = go.Scatter(
        x=[names[j] for _, j in pale],
        y=[names[i] for i, _ in pale],
        text=[told[cell] for cell in pale],
        mode="text",
        textfont={"size": 11},
        hoverinfo="skip",
    )
    alt = f"Confusion matrix of {matrix.sum()} pictures, {percent(float(right))} of them right"
    fig = figure(cells, rest, height=480, alt=alt, showlegend=False, margin_r=8)
    fig.update_xaxes(title_text="looks like, to the network", showgrid=False, tickangle=-45)
    return fig.update_yaxes(
        title_text="true class", showgrid=False, autorange="reversed", ticksuffix=" "
    )


def _bars(names: Sequence[str], values: Sequence[float], name: str) -> go.Bar:
    return go.Bar(
        x=list(values),
        y=list(names),
        name=name,
        showlegend=False,
        orientation="h",
        marker_color=list(colors(names).values()),
        hovertemplate="%{y}: " + name + " %{x:.3f}<extra></extra>",
    )


def _share_axis(fig: go.Figure) -> go.Figure:
    """Classes from the top down, shares from 0 to 1 across."""
    fig.update_yaxes(autorange="reversed", showgrid=False, ticksuffix=" ")
    return fig.update_xaxes(range=[0, 1], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
