"""The report of a video: one HTML file with charts, tables, faces of the events, and limits."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from mer.errors import VideoError
from mer.results import documents, methods, video_charts
from mer.results.charts import CSS
from mer.results.video_summary import HEAD, cells, facts
from mer.results.video_tables import LIMITS
from mer.results.wording import SECOND, limits, mean, percent
from mer.video import event_clips, notes, upright
from mer.video.expression_segments import stretches
from mer.video.types import Analysis, Event, Person

PICTURED: Final = 24  # expressions whose faces are shown, the strongest first
SIDE: Final = 160  # pixels of a shown face
_NAMES: Final = {  # of the settings
    "version": "Version of the network",
    "detector": "Face detector",
    "sampled_per_second": "Looks of the network a second",
    "motion_version": "Version of the recogniser of motion",
    "motion_uf1": "UF1 of the recogniser of motion",
    "motion_uar": "UAR of the recogniser of motion",
    "mer": "Version of mer",
    "time": "Made",
    "start_s": "Read from, s",
    "end_s": "Read to, s",
    "every": "One of so many frames read",
}


def html(analysis: Analysis, path: str | Path | None = None) -> str:
    """The report as one HTML document, with faces of the strongest expressions.

    Without the video's `path`, or where it cannot be read any more, there are none.
    """
    span = analysis.span_ms
    return documents.render(
        "video_report.html",
        title=f"Expressions in {analysis.source}",
        analysis=analysis,
        counts=list(facts(analysis).items()),
        means=_means(analysis),
        settings=_settings(analysis),
        methods=methods.of_video(analysis),
        bibtex=methods.BIBTEX,
        covered=notes.covered,
        ribbon=lambda person: documents.chart(video_charts.ribbon(person, span_ms=span)),
        stretches=_stretches,
        motion=lambda person: documents.chart(
            video_charts.motion(person, analysis.events, span_ms=span)
        ),
        head=HEAD,
        events=[cells(number, event) for number, event in enumerate(analysis.events, 1)],
        pairs=_pairs(analysis, path),
        limits=LIMITS,
        charts_css=Markup(CSS),
        plotly=Markup(get_plotlyjs()),
    )


def _means(analysis: Analysis) -> list[tuple[str, str, str]]:
    """Person, class and its mean probability, of the classes that are ever likely."""
    rows = []
    for person in analysis.people:
        if not len(person.sampled_ms):
            continue
        seconds = person.sampled_ms // 1000
        each = [person.probabilities[seconds == one].mean(axis=0) for one in np.unique(seconds)]
        told = mean(person.probabilities, np.array(each))
        likely = person.probabilities.max(axis=0) >= SECOND
        named = zip(person.classes, told, likely, strict=True)
        rows += [(str(person.number), name, share) for name, share, shown in named if shown]
    return rows


def _settings(analysis: Analysis) -> list[tuple[str, str]]:
    """What the analysis was made with, each by the name that people know."""
    return [
        (_NAMES.get(name) or name.replace("_", " ").capitalize(), _told(value))
        for name, value in analysis.settings.items()
    ]


def _told(value: object) -> str:
    return limits(value) if isinstance(value, dict) else str(value)


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
    numbered = [*enumerate(analysis.events, 1)]
    passing = [one for one in numbered if one[1].kind in event_clips.EXPRESSIONS]
    chosen = sorted(passing, key=lambda one: -one[1].strength)[:PICTURED]
    events = [event for _, event in chosen]
    try:
        with upright.again(path, analysis) as video:
            pairs = event_clips.pairs(video, events, analysis.people)
            return [(*chosen[index], _jpeg(onset, apex)) for index, onset, apex, _ in pairs]
    except VideoError:  # the file may be deleted by now; the report then has no pictures
        return []


def _jpeg(*faces: np.ndarray) -> bytes:
    small = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for face in faces]
    return documents.jpeg(np.hstack(small))
