"""Figures of what was measured of the networks: from their records and from robustness.json."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from mer.emotions import EMOTIONS
from mer.evaluation.calibration import BINS
from mer.evaluation.robustness import SWEEPS
from mer.evaluation.statistics import wilson
from mer.results.charts.style import ACCENT, TEXT, figure
from mer.results.wording import percent

# Share of a row, and how thickly its cell is inked. Ink works on a light and on a dark ground;
# it grows fast at first, for the mistakes are small shares and are what one looks for.
_INK: Final = ((0.0, 0.03), (0.05, 0.16), (0.2, 0.42), (0.6, 0.85), (0.8, 1.0), (1.0, 1.0))
_STRONG: Final = 0.6  # share from which the count is written in white
_DASHES: Final = ("dash", "dot", "dashdot", "longdash")
_MEASURES: Final = {"accuracy": "y", "loss": "y2"}


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str] = EMOTIONS) -> go.Figure:
    """The confusion matrix: counts and shares of the row (the true class), which colour it."""
    matrix = np.asarray(counts, dtype=np.int64)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    right = np.trace(matrix) / max(int(matrix.sum()), 1)
    told = np.where(
        matrix > 0,
        [
            [f"{n}<br>{percent(s)}" for n, s in zip(*row, strict=True)]
            for row in zip(matrix, shares, strict=True)
        ],
        "0",
    )
    strong = shares >= _STRONG
    cells = go.Heatmap(
        x=names,
        y=names,
        z=shares.tolist(),
        customdata=matrix.tolist(),
        text=np.where(strong, told, "").tolist(),
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
    rows, columns = np.nonzero(~strong)
    rest = go.Scatter(
        x=np.array(names)[columns].tolist(),
        y=np.array(names)[rows].tolist(),
        text=told[~strong].tolist(),
        mode="text",
        textfont={"size": 11},
        hoverinfo="skip",
    )
    alt = f"Confusion matrix of {matrix.sum()} pictures, {percent(float(right))} of them right"
    fig = figure(cells, rest, height=480, alt=alt, showlegend=False, margin_r=8)
    fig.update_xaxes(title_text="predicted class", showgrid=False, tickangle=-45)
    return fig.update_yaxes(
        title_text="true class", showgrid=False, autorange="reversed", ticksuffix=" "
    )


def reliability(confidence: Mapping[str, Any]) -> go.Figure:
    """Accuracy of the answers against their confidence; a perfect network lies on the diagonal."""
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
    return _shares(fig, "confidence")


def coverage(confidence: Mapping[str, Any]) -> go.Figure:
    """Accuracy among the surest share of the faces, and where the network begins to be sure."""
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
    return _shares(fig, "share of the faces, the surest first", lowest=0.5)


def _shares(fig: go.Figure, across: str, lowest: float = 0.0) -> go.Figure:
    fig.update_xaxes(title_text=across, range=[0, 1], tickformat=".0%")
    return _share_axis(fig, "accuracy", lowest)


def _share_axis(fig: go.Figure, up: str, lowest: float = 0.0) -> go.Figure:
    fig.update_yaxes(title_text=up, range=[lowest, 1.03], tickformat=".0%")
    return fig.update_layout(legend={"y": -0.28})


def found(result: Mapping[str, Any], name: str) -> go.Figure:
    """Share of the boxed faces that the detector finds at each level of SWEEPS, with intervals."""
    counts = [entry["found"] for entry in result["sweeps"][name]]
    return _figure(name, _chosen(name, counts, result["faces"], "detector"), up="faces found")


def right(result: Mapping[str, Any], name: str, chosen: str) -> go.Figure:
    """Share of the pictures that each network names right; `chosen` stands out, with intervals."""
    entries, n = result["sweeps"][name], result["pictures"]
    others = [network for network in result["networks"] if network != chosen]
    lines = [
        _line(name, [entry["right"][other] / n for entry in entries], other, TEXT, 1.5, dash)
        for other, dash in zip(others, _DASHES, strict=False)
    ]
    ours = _chosen(name, [entry["right"][chosen] for entry in entries], n, chosen)
    return _figure(name, *lines, ours, up="accuracy")


def _figure(name: str, *lines: go.Scatter, up: str) -> go.Figure:
    sweep = SWEEPS[name]
    alt = f"Share of {up} at each level: {sweep.title}"
    fig = figure(*lines, height=330, alt=alt, showlegend=True)
    title = f"{sweep.title}, {sweep.unit}" if sweep.unit else sweep.title
    fig.update_xaxes(title_text=title, type="category")
    return _share_axis(fig, up)


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


def curves(record: Mapping[str, Any]) -> go.Figure:
    """Accuracy above and loss below for every epoch of one network, its stages marked."""
    stages: Sequence[Mapping[str, Any]] = record["training"]["stages"]
    history = [epoch for stage in stages for epoch in stage["history"]]
    traces = [
        _curve(history, split, measure)
        for measure in _MEASURES
        for split in ("train", "validation")
    ]
    fig = figure(*traces, height=430, alt="Accuracy and loss at each epoch", legend_y=-0.17)
    fig.update_layout(yaxis2=fig.layout.yaxis)
    fig.update_layout(
        xaxis={"anchor": "y2", "title_text": "epoch", "showgrid": False, "nticks": 8},
        yaxis={"domain": [0.54, 1], "title_text": "accuracy", "range": [0, 1]},
        yaxis_tickformat=".0%",
        yaxis2={"domain": [0, 0.46], "title_text": "loss", "rangemode": "tozero", "nticks": 5},
        margin_t=24,  # the stages are named there
    )
    start = 0
    for number, stage in enumerate(stages, 1):
        _mark_stage(fig, number, start)
        start += len(stage["history"])
    return fig


def _curve(history: Sequence[Mapping[str, Any]], split: str, measure: str) -> go.Scatter:
    validation = split == "validation"
    return go.Scatter(
        x=list(range(1, len(history) + 1)),
        y=[epoch.get(f"{split}_{measure}") for epoch in history],
        name=split,
        legendgroup=split,
        showlegend=measure == "accuracy",
        yaxis=_MEASURES[measure],
        mode="lines+markers" if len(history) == 1 else "lines",
        line={"color": ACCENT if validation else TEXT, "dash": "solid" if validation else "dot"},
        hovertemplate="epoch %{x}: " + f"{split} {measure} " + "%{y:.3f}<extra></extra>",
    )


def _mark_stage(fig: go.Figure, number: int, start: int) -> None:
    """A line where the stage begins (but at the first), and its number above."""
    if start:
        fig.add_vline(x=start + 0.5, line={"color": TEXT, "width": 1, "dash": "dash"})
    fig.add_annotation(
        x=start + 0.5,
        y=1,
        xref="x",
        yref="paper",
        text=str(number),  # the word would run into the next stage's where one is short
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
    )
