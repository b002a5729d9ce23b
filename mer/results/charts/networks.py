"""Figures that compare networks, from their records."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from mer.results.charts.style import ACCENT, PAPER, TEXT, figure
from mer.results.wording import percent

Records = Mapping[str, Mapping[str, Any]]


def accuracy(records: Records, paper: Mapping[str, float] | None = None) -> go.Figure:
    """Test accuracy of each network on both protocols, with 95 % intervals.

    Points and not bars: the axis need not begin at 0, so the intervals can be seen.

    Args:
        records: records by network name.
        paper: the accuracies that the paper prints, 0..1, by our network names.
    """
    tests = {name: record["evaluation"]["test"] for name, record in records.items()}
    rows = {name: row for row, name in enumerate(tests)}
    clean = {name: test["clean"] for name, test in tests.items() if test.get("clean")}
    printed = {name: value for name, value in (paper or {}).items() if name in tests}
    traces = [_points(tests, rows, "all", "circle", -_APART)]
    if clean:
        traces.append(_points(clean, rows, "clean", "circle-open", _APART))
    if printed:
        traces.append(_paper_points(printed, rows))
    fig = figure(
        *traces,
        height=120 + 84 * max(len(rows), 1),
        alt="Test accuracy of each network, with 95 % intervals",
    )
    fig.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=[f"{name} " for name in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    return fig.update_xaxes(tickformat=".0%", nticks=6)


_APART = 0.17  # of a row: how far a protocol's points stand from its middle


def _points(
    tests: Records, rows: Mapping[str, int], what: str, sign: str, shift: float
) -> go.Scatter:
    scores = list(tests.values())
    values = [score["accuracy"] for score in scores]
    intervals = [score["accuracy_interval"] for score in scores]
    counts = sorted({score["n"] for score in scores})
    return go.Scatter(
        x=values,
        y=[rows[name] + shift for name in tests],
        name=f"{what} {' / '.join(map(str, counts))} pictures",
        mode="markers+text",
        text=[percent(value, 1) for value in values],
        textposition="top center",
        cliponaxis=False,
        marker={"symbol": sign, "size": 11, "color": ACCENT, "line": {"width": 2, "color": ACCENT}},
        error_x={
            "array": [high - value for (_, high), value in zip(intervals, values, strict=True)],
            "arrayminus": [value - low for (low, _), value in zip(intervals, values, strict=True)],
            "color": ACCENT,
            "thickness": 2,
            "width": 5,
        },
        customdata=[[name, *score["accuracy_interval"]] for name, score in tests.items()],
        hovertemplate="%{customdata[0]}, " + what + ": %{x:.1%} "
        "(%{customdata[1]:.1%} to %{customdata[2]:.1%})<extra></extra>",
    )


def _paper_points(printed: Mapping[str, float], rows: Mapping[str, int]) -> go.Scatter:
    return go.Scatter(
        x=list(printed.values()),
        y=[rows[name] - _APART for name in printed],
        name="the paper, Table 1",
        mode="markers",
        marker={"symbol": "x", "size": 9, "color": PAPER},
        hovertemplate="the paper: %{x:.2%}<extra></extra>",
    )


def training_time(records: Records, orders: Mapping[str, str]) -> go.Figure:
    """Processor time of each network's training, with its place in the order of finishing.

    Args:
        records: records by network name.
        orders: what to write beside each bar, by network name.
    """
    minutes = [record["training"]["cpu_seconds"] / 60 for record in records.values()]
    bars = go.Bar(
        x=minutes,
        y=[f"{name} " for name in records],
        orientation="h",
        marker_color=ACCENT,
        text=[orders[name] for name in records],
        texttemplate="\N{NO-BREAK SPACE}%{text}",
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1f} minutes<extra></extra>",
    )
    fig = figure(
        bars,
        height=70 + 46 * max(len(minutes), 1),
        alt="Processor time of each training",
        bargap=0.4,
    )
    fig.update_yaxes(autorange="reversed", showgrid=False)
    # The labels stand right of the bars and need room inside the axis on a phone.
    return fig.update_xaxes(
        title_text="minutes", range=[0, 1.6 * max(minutes, default=1.0)], nticks=6
    )


def curves(record: Mapping[str, Any]) -> go.Figure:
    """Accuracy above and loss below for every epoch of one network, its stages marked.

    Epochs are counted on through the stages, whose numbers stand above.
    """
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


_MEASURES = {"accuracy": "y", "loss": "y2"}


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
