"""Figures of how far a network's probabilities can be trusted."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from mer.evaluation.calibration import BINS
from mer.results.charts.style import ACCENT, TEXT, figure


def reliability(confidence: Mapping[str, Any]) -> go.Figure:
    """Accuracy of the answers against their confidence; a perfect network lies on the diagonal.

    Args:
        confidence: as `mer.evaluation.calibration.confidence` gives it.
    """
    bins = confidence["bins"]
    bars = go.Bar(
        x=[one["low"] + 0.5 / BINS for one in bins],
        y=[one["accuracy"] for one in bins],
        width=0.9 / BINS,
        name="accuracy",
        marker_color=ACCENT,
        customdata=[[one["n"], one["confidence"]] for one in bins],
        hovertemplate="confidence %{customdata[1]:.0%}: %{y:.0%} of %{customdata[0]} right"
        "<extra></extra>",
    )
    ideal = go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="ideal", line={"color": TEXT, "dash": "dot"}
    )
    fig = figure(bars, ideal, height=320, alt="Share of right answers at each confidence")
    return _shares(fig, "confidence", "right")


def coverage(confidence: Mapping[str, Any]) -> go.Figure:
    """Accuracy among the surest share of the faces, and where the network begins to be sure.

    Args:
        confidence: as `mer.evaluation.calibration.confidence` gives it.
    """
    points, sure = confidence["coverage"], confidence["sure"]
    line = go.Scatter(
        x=[one["coverage"] for one in points],
        y=[one["accuracy"] for one in points],
        mode="lines",
        name="accuracy",
        line={"color": ACCENT, "width": 3},
        hovertemplate="surest %{x:.0%} of faces: %{y:.1%} right<extra></extra>",
    )
    mark = go.Scatter(
        x=[sure["coverage"]],
        y=[sure["accuracy"]],
        mode="markers",
        name="not called unsure",
        marker={"size": 12, "symbol": "diamond", "color": ACCENT},
        hovertemplate="sure about %{x:.0%} of faces: %{y:.1%} right<extra></extra>",
    )
    fig = figure(line, mark, height=320, alt="Selective accuracy at each coverage")
    return _shares(fig, "share of the faces, the surest first", "right", lowest=0.5)


def _shares(fig: go.Figure, across: str, up: str, lowest: float = 0.0) -> go.Figure:
    fig.update_xaxes(title_text=across, range=[0, 1], tickformat=".0%")
    fig.update_yaxes(title_text=up, range=[lowest, 1.005], tickformat=".0%")
    return fig.update_layout(legend={"y": -0.28})
