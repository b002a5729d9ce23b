"""Plotly figures of one person of a video over time: expressions, and motion by region."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from mer.emotions import colors
from mer.results.charts import ACCENT, GRID, TEXT, figure
from mer.video.expression_segments import smoothed
from mer.video.types import KINDS, REGIONS, Event, Person

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


def ribbon(
    person: Person, *, span_ms: tuple[float, float] | None = None, lines: bool = False
) -> go.Figure:
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
    zero = np.zeros((1, shares.shape[1]))
    if not len(times):
        return np.zeros(0), zero[:0]
    each = -(-len(times) // POINTS)  # smooth as they are, every so many of them say the same
    spans = [part[::each] for part in _split(times, times)]
    areas = [part[::each] for part in _split(shares, times)]
    ends = [span for part in spans for span in (part[:1], part, part[-1:])]
    rows = [row for part in areas for row in (zero, part, zero)]
    return np.concatenate(ends), np.concatenate(rows)


def motion(
    person: Person, events: Sequence[Event], *, span_ms: tuple[float, float] | None = None
) -> go.Figure:
    """How far each region of the face has moved, a row a region, and the events as marks.

    A mark stands at the apex, on a bar from onset to offset; its `customdata` is the event's
    index among `events`, of which those of other people are left out. For `span_ms` see `ribbon`.
    """
    known = person.motion[np.isfinite(person.motion)]
    scale = max(float(np.percentile(known, 99.5)) if len(known) else 0.0, _LEAST_SCALE)
    own = [(index, one) for index, one in enumerate(events) if one.person == person.number]
    kinds = {kind: [one for one in own if one[1].kind == kind] for kind in KINDS}
    traces = [
        *(_row(person, column, scale) for column in range(len(REGIONS))),
        *(_bars(some, kind) for kind, some in kinds.items() if some),
        *(_apexes(some, kind, scale) for kind, some in kinds.items() if some),
    ]
    alt = f"How far each part of the face of person {person.number} has moved, and events"
    layout = {"legend_y": -0.09, "hovermode": "closest"} | _over_time(person, span_ms, top=24)
    fig = figure(*traces, height=390, alt=alt, **layout)
    names = (
        " |".join([*_ROWS, ""]).replace(" mouth ", " mouth<br>").replace("between ", "between<br>")
    )
    fig.update_yaxes(
        range=[-0.15, len(REGIONS) + 0.25],
        tickvals=[row + 0.3 for row in _ROWS.values()],
        ticktext=names.split("|")[:-1],
        **{"tickfont_size": 11, "showgrid": False},
    )
    return fig.add_annotation(
        text=f"row height: {scale:.1f} px of motion, face scaled to 320 px",
        **{"font_size": 11, "showarrow": False},
        **{"xref": "paper", "x": 1, "xanchor": "right"},
        **{"yref": "paper", "y": 1, "yanchor": "bottom"},
    )


def _row(person: Person, column: int, scale: float) -> go.Scatter:
    times, pixels = _peaks(person.times_ms, person.motion[:, column])
    name = REGIONS[column]
    return go.Scatter(
        x=times / 1000,
        y=(_ROWS[name] + np.minimum(pixels / scale, _HIGHEST)).astype(np.float32),
        customdata=pixels.astype(np.float32),
        **{"mode": "lines", "line": {"width": 1.3, "color": TEXT}, "showlegend": False},
        hovertemplate=name + ": %{customdata:.1f} px at %{x:.2f} s<extra></extra>",
    )


def _bars(events: Sequence[tuple[int, Event]], kind: str) -> go.Scatter:
    return go.Scatter(
        x=[x for _, e in events for x in (e.onset_ms / 1000, e.offset_ms / 1000, None)],
        y=[y for _, e in events for y in (*[_ROWS[e.region]] * 2, None)],
        **{"mode": "lines", "showlegend": False, "hoverinfo": "skip"},
        line={"width": 5, "color": MARKS[kind]["color"]},
    )


def _apexes(events: Sequence[tuple[int, Event]], kind: str, scale: float) -> go.Scatter:
    return go.Scatter(
        x=[e.apex_ms / 1000 for _, e in events],
        y=[_ROWS[e.region] + min(e.pixels / scale, _HIGHEST) for _, e in events],
        **{"name": kind, "mode": "markers", "cliponaxis": False},
        marker={**MARKS[kind], "line": {"color": "white", "width": 1}},
        customdata=[index for index, _ in events],
        text=[told(e) for _, e in events],
        hovertemplate="%{text}<extra></extra>",
    )


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


def _over_time(
    person: Person, span_ms: tuple[float, float] | None, *, top: int = 8
) -> dict[str, Any]:
    """Layout of a figure over time, of which a moment stands at one place in all of a person's."""
    start, end = span_ms or (0.0, float(person.times_ms[-1]) if len(person.times_ms) else 0.0)
    shown = [start / 1000, max(end, start + 1.0) / 1000]
    return {
        "margin": {"l": _LEFT, "r": 24, "t": top, "b": 8},
        "yaxis_automargin": False,
        "xaxis": {"showgrid": False, "range": shown, "ticksuffix": " s", "nticks": 7},
    }
