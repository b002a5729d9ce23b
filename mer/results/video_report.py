"""The report of a video: one HTML file with charts, tables, faces of the events, and limits."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.errors import VideoError
from mer.results import html_document
from mer.results.charts import timeline as charts
from mer.results.video_summary import HEAD, cells
from mer.results.video_tables import LIMITS
from mer.results.wording import percent
from mer.video import event_clips, notes, upright
from mer.video.expression_segments import stretches
from mer.video.types import Analysis, Event, Person

PICTURED: Final = 24  # expressions whose faces are shown, the strongest first
SIDE: Final = 160  # pixels of a shown face


def html(analysis: Analysis, path: str | Path | None = None) -> str:
    """Return the report as one HTML document, with pictures of faces if `path` is given.

    Args:
        analysis: what is reported.
        path: the video, for pictures of the strongest expressions; without it, or where it cannot
            be read any more, there are none.
    """
    span = analysis.span_ms
    return html_document.render(
        "video_report.html",
        title=f"Expressions in {analysis.source}",
        analysis=analysis,
        facts=_facts(analysis),
        covered=notes.covered,
        ribbon=lambda person: html_document.chart(charts.ribbon(person, span_ms=span)),
        stretches=_stretches,
        motion=lambda person: html_document.chart(
            charts.motion(person, analysis.events, span_ms=span)
        ),
        head=HEAD,
        events=[cells(number, event) for number, event in enumerate(analysis.events, 1)],
        pairs=_pairs(analysis, path),
        limits=LIMITS,
        **html_document.plotly(),
    )


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


def _stretches(person: Person) -> list[list[str]]:
    return [
        [notes.clock(time, 1) for time in (one.start_ms, one.end_ms)]
        + [one.emotion, percent(one.probability), "yes" if one.sure else "no"]
        for one in stretches(person)
    ]


def _pairs(analysis: Analysis, path: str | Path | None) -> list[tuple[int, Event, bytes]]:
    """Number, event and JPEG of onset and apex side by side, of the strongest expressions."""
    if path is None:
        return []
    ranked = sorted(analysis.events, key=lambda event: event.strength, reverse=True)
    chosen = [event for event in ranked if event.kind in event_clips.EXPRESSIONS][:PICTURED]
    numbers = {id(event): number for number, event in enumerate(analysis.events, 1)}
    try:
        with upright.again(path, analysis) as video:
            return [
                (numbers[id(chosen[index])], chosen[index], _side_by_side(onset, apex))
                for index, onset, apex, _ in event_clips.pairs(video, chosen, analysis.people)
            ]
    except VideoError:  # the file may be deleted by now; the report then has no pictures
        return []


def _side_by_side(*faces: np.ndarray) -> bytes:
    small = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for face in faces]
    return html_document.jpeg(np.hstack(small))
