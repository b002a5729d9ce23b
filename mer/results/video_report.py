"""An analysis as one HTML file that opens offline: charts, tables, faces of the events, limits."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.errors import VideoError
from mer.io.video import Video
from mer.results import html_document
from mer.results.charts import timeline as charts
from mer.results.video_summary import HEAD, cells
from mer.results.video_tables import LIMITS
from mer.video import event_clips, notes
from mer.video.expression_segments import stretches
from mer.video.types import Analysis, Event, Person

PICTURED: Final = 24  # expressions whose faces are shown, the strongest first
SIDE: Final = 160  # pixels of a shown face


def html(analysis: Analysis, path: str | Path | None = None) -> str:
    """The report as HTML, with all that it needs inside: pictures of faces too, if `path` is given.

    Args:
        analysis: what is reported.
        path: the video, for pictures of the strongest expressions; without it, or where it cannot
            be read any more, there are none.
    """
    title = f"Expressions in {analysis.source}"
    end = analysis.timing.duration_ms
    parts = [
        *(f'<p class="note">{escape(note)}</p>' for note in analysis.notes),
        html_document.table((), _facts(analysis)),
        *(_person(person, analysis.events, end) for person in analysis.people),
        "" if analysis.people else "<p>No face was found.</p>",
        "<h2>Events</h2>",
        html_document.table(HEAD, [cells(n, event) for n, event in enumerate(analysis.events, 1)])
        if analysis.events
        else "<p>No event passed over a face.</p>",
        _faces(analysis, path),
        html_document.limits(LIMITS),
    ]
    return html_document.page(title, "\n".join(parts), plotly=True)


def _facts(analysis: Analysis) -> list[tuple[str, str]]:
    timing, (width, height) = analysis.timing, analysis.size
    read = f"{timing.frames} frames, {notes.clock(timing.duration_ms, 1)}"
    return [
        ("Video", f"{analysis.source}, {width} x {height} pixels"),
        ("Read", read if analysis.complete else f"{read}, not to the end"),
        ("Frames a second", f"{timing.fps:.2f}, unevenness {timing.unevenness:.0%}"),
        ("People", str(len(analysis.people))),
        *((name.replace("_", " "), str(value)) for name, value in analysis.settings.items()),
    ]


def _person(person: Person, events: Sequence[Event], end_ms: float) -> str:
    rows = [
        [notes.clock(time, 1) for time in (one.start_ms, one.end_ms)]
        + [one.emotion, f"{one.probability:.0%}"]
        for one in stretches(person)
    ]
    table = html_document.table(("From", "To", "Looks like", "Mean probability"), rows)
    return (
        f"<h2>Person {person.number}</h2>"
        f"{_covered(person)}"
        "<h3>What they look like, smoothed</h3>"
        f"{html_document.chart(charts.ribbon(person, end_ms=end_ms))}"
        f"<details><summary>As a table</summary>{table}</details>"
        "<h3>How far each part of the face has moved, and events</h3>"
        f"{html_document.chart(charts.motion(person, events, end_ms=end_ms))}"
    )


def _covered(person: Person) -> str:
    hidden = notes.covered(person)
    return f"<p>{escape(hidden[0].upper() + hidden[1:])}.</p>" if hidden else ""


def _faces(analysis: Analysis, path: str | Path | None) -> str:
    """Onset and apex of the strongest expressions, side by side."""
    if path is None:
        return ""
    ranked = sorted(analysis.events, key=lambda event: event.strength, reverse=True)
    chosen = [event for event in ranked if event.kind in event_clips.EXPRESSIONS][:PICTURED]
    numbers = {id(event): number for number, event in enumerate(analysis.events, 1)}
    try:
        with Video(path) as video:
            shown = [
                _face(numbers[id(chosen[index])], chosen[index], onset, apex)
                for index, onset, apex, _ in event_clips.pairs(video, chosen, analysis.people)
            ]
    except VideoError:  # it may be deleted by now, and the figures stand without it
        return ""
    return f'<h3>Onset and apex</h3><div class="faces">{"".join(shown)}</div>' if shown else ""


def _face(number: int, event: Event, onset: np.ndarray, apex: np.ndarray) -> str:
    pair = np.hstack(
        [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for face in (onset, apex)]
    )
    moved = f"{event.region} {event.direction}"
    told = f"{number}: {event.kind}, {moved}, apex at {event.apex_ms / 1000:.2f} s"
    return html_document.picture(pair, f"Onset and apex of event {number}", told)
