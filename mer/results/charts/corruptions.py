"""Figures of what becomes of detector and networks when pictures get worse in one way."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from mer.evaluation.robustness import SWEEPS
from mer.evaluation.statistics import wilson
from mer.results.charts.style import ACCENT, TEXT, figure

DASHES: Final = ("dash", "dot", "dashdot", "longdash")


def found(result: Mapping[str, Any], name: str) -> go.Figure:
    """Share of the boxed faces that the detector finds at each level, with 95 % intervals.

    Levels stand evenly, in the order of SWEEPS, here and in `right`.

    Args:
        result: as `mer.evaluation.robustness.read` gives it.
        name: a key of SWEEPS.
    """
    counts = [entry["found"] for entry in result["sweeps"][name]]
    return _figure(name, _chosen(name, counts, result["faces"], "detector"), up="faces found")


def right(result: Mapping[str, Any], name: str, chosen: str) -> go.Figure:
    """Share of the pictures that each network names right at each level.

    Args:
        result: as `mer.evaluation.robustness.read` gives it.
        name: a key of SWEEPS.
        chosen: the network that stands out and has its 95 % intervals.
    """
    entries, n = result["sweeps"][name], result["pictures"]
    others = [network for network in result["networks"] if network != chosen]
    lines = [
        _line(name, [entry["right"][other] / n for entry in entries], other, TEXT, 1.5, dash)
        for other, dash in zip(others, DASHES, strict=False)
    ]
    ours = _chosen(name, [entry["right"][chosen] for entry in entries], n, chosen)
    return _figure(name, *lines, ours, up="named right")


def _figure(name: str, *lines: go.Scatter, up: str) -> go.Figure:
    sweep = SWEEPS[name]
    alt = f"Share of {up} at each level: {sweep.title}"
    fig = figure(*lines, height=330, alt=alt, showlegend=True)
    title = f"{sweep.title}, {sweep.unit}" if sweep.unit else sweep.title
    fig.update_xaxes(title_text=title, type="category")
    fig.update_yaxes(title_text=up, range=[0, 1.03], tickformat=".0%")
    return fig.update_layout(legend={"y": -0.28})


def _chosen(name: str, counts: Sequence[int], n: int, label: str) -> go.Scatter:
    line = _line(name, [count / n for count in counts], label, ACCENT, 3, "solid")
    return line.update(error_y=_intervals(counts, n))


def _line(
    name: str, shares: Sequence[float], label: str, color: str, width: float, dash: str
) -> go.Scatter:
    return go.Scatter(
        x=SWEEPS[name].labels(),
        y=list(shares),
        name=label,
        mode="markers" if SWEEPS[name].names else "lines",  # what has no order is not joined
        line={"color": color, "dash": dash, "width": width},
        marker={"color": color, "size": 8 + width},
        hovertemplate=f"{label} at %{{x}}: %{{y:.0%}}<extra></extra>",
    )


def _intervals(counts: Sequence[int], n: int) -> dict[str, Any]:
    spans = [wilson(count, n) for count in counts]
    return {
        "array": [high - count / n for (_, high), count in zip(spans, counts, strict=True)],
        "arrayminus": [count / n - low for (low, _), count in zip(spans, counts, strict=True)],
        "thickness": 1,
        "width": 3,
    }
