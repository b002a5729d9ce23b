"""Plotly figures: how good networks are, and what a person of a video looks like over time.

Every figure has a transparent ground and its height set, and grows with its container.
Their text is gray enough for a light and a dark page; where `CSS` is on the page, it takes
the page's own text colour instead.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from mer.emotions import EMOTIONS, colors
from mer.evaluation.calibration import BINS
from mer.evaluation.metrics import wilson
from mer.evaluation.robustness import SWEEPS
from mer.results.wording import percent
from mer.video.expression_segments import smoothed
from mer.video.types import KINDS, REGIONS, Event, Person

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
# Share of a row, and how thickly its cell is inked. Ink works on a light and on a dark ground;
# it grows fast at first, for the mistakes are small shares and are what one looks for.
_INK: Final = ((0.0, 0.03), (0.05, 0.16), (0.2, 0.42), (0.6, 0.85), (0.8, 1.0), (1.0, 1.0))
_STRONG: Final = 0.6  # share from which the count is written in white
_DASHES: Final = ("dash", "dot", "dashdot", "longdash")

Span = tuple[float, float]  # begin and end of a time axis
POINTS: Final = 1200  # along the time axis; a screen shows no more
_LEFT: Final = 86  # pixels: the figures of a person stand under one another, and so do moments
_LEAST_SCALE: Final = 2.0  # pixels of motion: below it a row would magnify mere noise
_HIGHEST: Final = 1.4  # rows: how far a strong motion may stand into the row above
_ROWS: Final = {name: len(REGIONS) - row for row, name in enumerate(REGIONS, 1)}  # first on top

# Expressions in the accent, what is kept apart in gray; told apart by shape as well.
MARKS: Final = {
    "micro": {"symbol": "diamond", "size": 14, "color": ACCENT},
    "macro": {"symbol": "circle", "size": 13, "color": ACCENT},
    "blink": {"symbol": "x", "size": 9, "color": TEXT},
    "speech": {"symbol": "square", "size": 9, "color": TEXT},
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
        **dict.fromkeys(("paper_bgcolor", "plot_bgcolor"), "rgba(0, 0, 0, 0)"),
        font={"family": FONT, "size": 13, "color": TEXT},
        margin={"l": 8, "r": 24, "t": 8, "b": 8},  # r: half of the last label on the axis
        dragmode=False,  # a finger that scrolls the page must not zoom the chart
        legend={"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top"},
        hoverlabel={"namelength": -1},
        modebar={"remove": ["zoom", "pan", "select", "lasso", "zoomin", "zoomout"]},
        **dict.fromkeys(("xaxis", "yaxis"), _AXIS),
    )
    return fig.update_layout(**layout)


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str] = EMOTIONS) -> go.Figure:
    """The confusion matrix: counts and shares of the row (the true class), which colour it."""
    matrix = np.asarray(counts, dtype=np.int64)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    pairs = zip(matrix.flat, shares.flat, strict=True)
    texts = [f"{count}<br>{percent(share)}" if count else "0" for count, share in pairs]
    told, strong = np.reshape(texts, matrix.shape), shares >= _STRONG
    cells = go.Heatmap(
        x=names,
        y=names,
        z=shares.tolist(),
        customdata=matrix.tolist(),
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=2,
        ygap=2,
        colorscale=[[share, f"rgba(24, 108, 118, {ink})"] for share, ink in _INK],
        text=np.where(strong, told, "").tolist(),
        texttemplate="%{text}",
        textfont={"color": "white", "size": 12},
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
    right = percent(np.trace(matrix) / max(int(matrix.sum()), 1))
    alt = f"Confusion matrix of {matrix.sum()} pictures, {right} of them right"
    fig = figure(cells, rest, height=480, alt=alt, showlegend=False, margin_r=8)
    fig.update_xaxes(title_text="predicted class", showgrid=False, tickangle=-45)
    up = {"autorange": "reversed", "ticksuffix": " "}
    return fig.update_yaxes(title_text="true class", showgrid=False, **up)


def reliability(confidence: Mapping[str, Any]) -> go.Figure:
    """Accuracy of the answers against their confidence; a perfect network lies on the diagonal."""
    bins = confidence["bins"]
    told = "confidence %{customdata[1]:.0%}: %{y:.0%} of %{customdata[0]} right<extra></extra>"
    bars = go.Bar(
        x=[one["low"] + 0.5 / BINS for one in bins],
        y=[one["accuracy"] for one in bins],
        customdata=[[one["n"], one["confidence"]] for one in bins],
        name="accuracy",
        marker_color=ACCENT,
        width=0.9 / BINS,
        hovertemplate=told,
    )
    line = {"color": TEXT, "dash": "dot"}
    ideal = go.Scatter(x=[0, 1], y=[0, 1], mode="lines", name="ideal", line=line)
    axes = _shares(title_text="confidence", range=[0, 1], tickformat=".0%")
    alt = "Share of right answers at each confidence"
    return figure(bars, ideal, height=320, alt=alt, **axes)


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
    across = "share of the faces, the surest first"
    axes = _shares(lowest=0.5, title_text=across, range=[0, 1], tickformat=".0%")
    return figure(line, mark, height=320, alt="Selective accuracy at each coverage", **axes)


def _shares(up: str = "accuracy", lowest: float = 0.0, **across: Any) -> dict[str, Any]:
    """Layout of a figure with a share upwards, and across what plotly's `across` says."""
    upwards = {"title_text": up, "range": [lowest, 1.03], "tickformat": ".0%"}
    return {"xaxis": across, "yaxis": upwards, "legend_y": -0.28}


def found(result: Mapping[str, Any], name: str) -> go.Figure:
    """Share of the boxed faces that the detector finds at each level of SWEEPS, with intervals."""
    counts = [entry["found"] for entry in result["sweeps"][name]]
    return _sweep(name, "faces found", {"detector": counts}, result["faces"], "detector")


def right(result: Mapping[str, Any], name: str, chosen: str) -> go.Figure:
    """Share of the pictures that each network names right; `chosen` stands out, with intervals."""
    rights = [entry["right"] for entry in result["sweeps"][name]]
    counts = {one: [entry[one] for entry in rights] for one in result["networks"]}
    return _sweep(name, "accuracy", counts, result["pictures"], chosen)


def _sweep(name: str, up: str, counts: Mapping[str, Any], n: int, chosen: str) -> go.Figure:
    """Lines of how many of `n` each of `counts` has at the levels; `chosen` lies on top."""
    sweep, others = SWEEPS[name], [one for one in counts if one != chosen]
    styles = [(label, dash, TEXT, 1.5) for label, dash in zip(others, _DASHES, strict=False)]
    lines = [
        go.Scatter(
            x=sweep.labels(),
            y=[count / n for count in counts[label]],
            name=label,
            mode="markers" if sweep.names else "lines",  # what has no order is not joined
            line={"color": color, "dash": dash, "width": width},
            marker={"color": color, "size": 8 + width},
            hovertemplate=f"{label} at %{{x}}: %{{y:.0%}}<extra></extra>",
        )
        for label, dash, color, width in (*styles, (chosen, "solid", ACCENT, 3))
    ]
    spans = [(count / n, *wilson(count, n)) for count in counts[chosen]]
    over = [high - share for share, _, high in spans]
    under = [share - low for share, low, _ in spans]
    lines[-1].error_y = {"array": over, "arrayminus": under, "thickness": 1, "width": 3}
    alt = f"Share of {up} at each level: {sweep.title}"
    title = f"{sweep.title}, {sweep.unit}" if sweep.unit else sweep.title
    axes = _shares(up, title_text=title, type="category")
    return figure(*lines, height=330, alt=alt, showlegend=True, **axes)


def curves(record: Mapping[str, Any]) -> go.Figure:
    """Accuracy above and loss below for every epoch of one network, its stages marked."""
    histories = [stage["history"] for stage in record["training"]["stages"]]
    history = [*itertools.chain(*histories)]
    traces = [
        go.Scatter(
            x=list(range(1, len(history) + 1)),
            y=[epoch.get(f"{split}_{measure}") for epoch in history],
            name=split,
            legendgroup=split,
            showlegend=measure == "accuracy",
            yaxis="y" if measure == "accuracy" else "y2",
            mode="lines+markers" if len(history) == 1 else "lines",
            line={"color": color, "dash": dash},
            hovertemplate="epoch %{x}: " + f"{split} {measure} " + "%{y:.3f}<extra></extra>",
        )
        for measure in ("accuracy", "loss")
        for split, color, dash in (("train", TEXT, "dot"), ("validation", ACCENT, "solid"))
    ]
    fig = figure(*traces, height=430, alt="Accuracy and loss at each epoch", legend_y=-0.17)
    fig.update_layout(yaxis2=fig.layout.yaxis)
    fig.update_layout(
        xaxis={"anchor": "y2", "title_text": "epoch", "showgrid": False, "nticks": 8},
        yaxis={"domain": [0.54, 1], "title_text": "accuracy", "range": [0, 1], "tickformat": ".0%"},
        yaxis2={"domain": [0, 0.46], "title_text": "loss", "rangemode": "tozero", "nticks": 5},
        margin_t=24,  # the stages are named there
    )
    starts = itertools.accumulate((len(one) for one in histories[:-1]), initial=0)
    for number, start in enumerate(starts, 1):
        if start:
            fig.add_vline(x=start + 0.5, line={"color": TEXT, "width": 1, "dash": "dash"})
        fig.add_annotation(
            text=str(number),  # the word would run into the next stage's where one is short
            showarrow=False,
            x=start + 0.5,
            xref="x",
            xanchor="left",
            y=1,
            yref="paper",
            yanchor="bottom",
        )
    return fig


def ribbon(person: Person, *, span_ms: Span | None = None, lines: bool = False) -> go.Figure:
    """The seven probabilities over time as stacked areas, smoothed; no area where no face was.

    Where the face was covered, a gray band says so. The time axis is `span_ms`, or goes to the
    person's last frame. With `lines` there is a line a class instead of areas.
    """
    times, shares = _grounded(person.sampled_ms, smoothed(person))
    areas = [
        go.Scatter(
            x=times / 1000,
            y=shares[:, column],
            name=name,
            stackgroup=None if lines else "expressions",
            mode="lines",
            line={"width": 2 if lines else 0, "color": color},
            fillcolor=color,
            hovertemplate=name + " %{y:.0%} at %{x:.2f} s<extra></extra>",
        )
        for column, (name, color) in enumerate(colors(person.classes).items())
    ]
    alt = f"What person {person.number} looks like over time"
    layout = {"legend_y": -0.16, "legend_traceorder": "normal"} | _over_time(person, span_ms)
    fig = figure(*areas, height=250, alt=alt, **layout)
    fig.update_yaxes(range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], ticksuffix=" ")
    note = {"text": "face covered", "textangle": -90, "font_size": 11}
    for first, last in person.covered / 1000:
        place = {"annotation": note, "annotation_position": "inside"}
        fig.add_vrect(first, last, fillcolor=GRID, line_width=0, **place)
    return fig


def _grounded(times: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times and shares with a row of zeros before and after each stretch: the areas end there."""
    each = -(-len(times) // POINTS)  # smooth as they are, every so many of them say the same
    spans = [np.pad(part[::each], 1, "edge") for part in _split(times, times)]
    areas = [np.pad(part[::each], ((1, 1), (0, 0))) for part in _split(shares, times)]
    nothing = np.zeros((0, shares.shape[1]))
    return np.concatenate([np.zeros(0), *spans]), np.concatenate([nothing, *areas])


def motion(person: Person, events: Sequence[Event], *, span_ms: Span | None = None) -> go.Figure:
    """How far each region of the face has moved, a row a region, and the events as marks.

    A mark stands at the apex, on a bar from onset to offset; its `customdata` is the event's
    index among `events`, of which those of other people are left out. For `span_ms` see `ribbon`.
    """
    known = person.motion[np.isfinite(person.motion)]
    scale = max(float(np.percentile(known, 99.5)) if len(known) else 0.0, _LEAST_SCALE)
    own = [(index, one) for index, one in enumerate(events) if one.person == person.number]
    kinds = {kind: [one for one in own if one[1].kind == kind] for kind in KINDS}
    marks = [_marked(some, kind, scale) for kind, some in kinds.items() if some]
    traces = [
        *(_row(person, column, scale) for column in range(len(REGIONS))),
        *(bar for bar, _ in marks),
        *(apex for _, apex in marks),
    ]
    alt = f"How far each part of the face of person {person.number} has moved, and events"
    layout = {"legend_y": -0.09, "hovermode": "closest"} | _over_time(person, span_ms, top=24)
    fig = figure(*traces, height=390, alt=alt, **layout)
    breaks = (name.replace(" mouth ", " mouth<br>") for name in (f"{name} " for name in _ROWS))
    fig.update_yaxes(
        range=[-0.15, len(REGIONS) + 0.25],
        tickvals=[row + 0.3 for row in _ROWS.values()],
        ticktext=[name.replace("between ", "between<br>") for name in breaks],
        tickfont_size=11,
        showgrid=False,
    )
    return fig.add_annotation(
        text=f"row height: {scale:.1f} px of motion, face scaled to 320 px",
        font_size=11,
        showarrow=False,
        xref="paper",
        x=1,
        xanchor="right",
        yref="paper",
        y=1,
        yanchor="bottom",
    )


def _row(person: Person, column: int, scale: float) -> go.Scatter:
    times, pixels = _peaks(person.times_ms, person.motion[:, column])
    name = REGIONS[column]
    return go.Scatter(
        x=times / 1000,
        y=(_ROWS[name] + np.minimum(pixels / scale, _HIGHEST)).astype(np.float32),
        customdata=pixels.astype(np.float32),
        mode="lines",
        line={"width": 1.3, "color": TEXT},
        showlegend=False,
        hovertemplate=name + ": %{customdata:.1f} px at %{x:.2f} s<extra></extra>",
    )


def _marked(events: Sequence[tuple[int, Event]], kind: str, scale: float) -> list[go.Scatter]:
    """Bars from onset to offset, and marks at the apexes, of the events of a kind."""
    bars = go.Scatter(
        x=[x for _, e in events for x in (e.onset_ms / 1000, e.offset_ms / 1000, None)],
        y=[y for _, e in events for y in (*[_ROWS[e.region]] * 2, None)],
        mode="lines",
        showlegend=False,
        hoverinfo="skip",
        line={"width": 5, "color": MARKS[kind]["color"]},
    )
    apexes = go.Scatter(
        x=[e.apex_ms / 1000 for _, e in events],
        y=[_ROWS[e.region] + min(e.pixels / scale, _HIGHEST) for _, e in events],
        name=kind,
        mode="markers",
        cliponaxis=False,
        marker={**MARKS[kind], "line": {"color": "white", "width": 1}},
        customdata=[index for index, _ in events],
        text=[told(e) for _, e in events],
        hovertemplate="%{text}<extra></extra>",
    )
    return [bars, apexes]


def told(event: Event) -> str:
    """'micro, lips up, 1.20 to 1.52 s, 1.6 px'."""
    seconds = f"{event.onset_ms / 1000:.2f} to {event.offset_ms / 1000:.2f} s"
    return f"{event.kind}, {event.moved}, {seconds}, {event.pixels:.1f} px"


def _split(rows: np.ndarray, times: np.ndarray) -> list[np.ndarray]:
    """The rows of each stretch in which a face is in view: they part where the times leap."""
    steps = np.diff(times)
    leap = max(4 * float(np.median(steps)), 400.0) if len(steps) else 0.0
    return np.split(rows, np.flatnonzero(steps > leap) + 1) if len(times) else []


def _peaks(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Times and values, (2, n): of neighbours the highest stays, for it is what one seeks.

    Of a stretch there are at most POINTS or so, and NaN ends it, where a line breaks.
    """
    parts = [np.zeros((2, 0))]
    for span, part in zip(_split(times, times), _split(values, times), strict=True):
        starts = np.arange(0, len(span), -(-len(span) // POINTS))
        highest = np.fmax.reduceat(part, starts)
        parts += [np.stack([span[starts], highest]), np.full((2, 1), np.nan)]
    return np.concatenate(parts, axis=1)


def _over_time(person: Person, span_ms: Span | None, *, top: int = 8) -> dict[str, Any]:
    """Layout of a figure over time, of which a moment stands at one place in all of a person's."""
    start, end = span_ms or (0.0, float(person.times_ms[-1]) if len(person.times_ms) else 0.0)
    shown = [start / 1000, max(end, start + 1.0) / 1000]
    return {
        "margin": {"l": _LEFT, "r": 24, "t": top, "b": 8},
        "yaxis_automargin": False,
        "xaxis": {"showgrid": False, "range": shown, "ticksuffix": " s", "nticks": 7},
    }
