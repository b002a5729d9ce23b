"""Reports of pictures and of videos: one HTML file that opens offline; a video in words."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from mer.errors import VideoError
from mer.inference.predictor import Prediction, Predictor
from mer.results import charts, comparison, documents, drawing, methods
from mer.results.video_tables import LIMITS as VIDEO_LIMITS
from mer.results.wording import SECOND, counted, limits, mean, percent, told
from mer.version import __version__
from mer.video import event_clips, motion_classifier, notes, upright
from mer.video.expression_segments import stretches
from mer.video.types import KINDS, Analysis, Event, Person

LIMITS: Final = (
    "An answer says what a face looks like to a network. It does not tell what a person feels, and "
    "nothing here tells whether somebody lies.",
    "A single picture cannot show a micro-expression, which is a short movement.",
    "Expect more mistakes on turned, small or covered faces, and on groups of people whom the data "
    "sets hardly show.",
    "Not for decisions about people: not in hiring or at work, not in schools, not in policing or "
    "at borders, not for diagnoses, and not on people who did not agree to it.",
)
_SAID: Final = 3  # faces that are told below a picture; its details have all
PICTURED: Final = 24  # expressions of a video whose faces are shown, the strongest first
SIDE: Final = 160  # pixels of a shown face
_NAMES: Final = {  # of the settings of a video
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
HEAD: Final = (  # of a table of events
    *("event", "person", "kind", "onset s", "apex s", "offset s", "lasts ms", "where"),
    *("pixels", "times noise", "looks"),
)
_CALLED: Final = {  # a kind of event; where it is no mere s, also several
    "micro": ("micro-expression",),
    "macro": ("macro-expression",),
    "blink": ("blink",),
    "speech": ("stretch of speech", "stretches of speech"),
}
MOST: Final = 12  # stretches of a person that are listed; the exports have them all


def html(pictures: Sequence[drawing.Picture], predictor: Predictor) -> str:
    """The report: each picture with boxes, bars and table; settings, measured figures, limits."""
    faces = [face for one in pictures for face in one.faces]
    title = f"Expressions of {counted(len(faces), 'face')} in {counted(len(pictures), 'picture')}"
    unsure = sum(not face.sure for face in faces)
    share = f" ({percent(unsure / len(faces))})" if faces else ""
    return documents.render(
        "report.html",
        title=title,
        counts=[
            ("Pictures", len(pictures)),
            ("Without a face", sum(not one.faces for one in pictures)),
            ("Faces", len(faces)),
            ("Unsure", f"{unsure}{share}"),
        ],
        means=_means(faces),
        methods=methods.paragraph(predictor),
        bibtex=methods.BIBTEX,
        settings=_settings(predictor),
        pictures=pictures,
        head=("Face", "Looks like", "Probability", "Sure", "Detector's score", "Box"),
        rows=_rows,
        said=_said,
        network=predictor.model,
        measured=_measured(predictor),
        limits=LIMITS,
    )


def _means(faces: Sequence[Prediction]) -> list[tuple[str, int, str]]:
    """Of each class the faces that look so and are sure, and the mean probability over all."""
    if not faces:
        return []
    shares = np.array([face.probabilities for face in faces])
    seen = [face.emotion for face in faces if face.sure]
    means = zip(faces[0].classes, mean(shares, shares), strict=True)
    return [(name, seen.count(name), told) for name, told in means]


def _said(faces: Sequence[Prediction]) -> str:
    """'1 happiness 97 %; 2 unsure: disgust 38 %', of the first faces."""
    more = len(faces) - _SAID
    answers = (told(face.emotion, face.probability, face.sure) for face in faces[:_SAID])
    shown = [f"{number} {answer}" for number, answer in enumerate(answers, 1)]
    return "; ".join([*shown, f"{more} more"] if more > 0 else shown)


def _settings(predictor: Predictor) -> list[tuple[str, str]]:
    record = predictor.record
    return [
        ("Network", f"{predictor.model}, version {record.get('version', 'unknown')}"),
        ("Weights, SHA-256", str(record.get("file", {}).get("sha256", "unknown"))),
        ("Tells apart", ", ".join(predictor.classes)),
        ("Face detector", predictor.detector),
        ("Temperature", f"{predictor.temperature:.3f}"),
        ("Sure from", limits(predictor.thresholds["views"])),
        ("Program", f"mer {__version__}"),
        ("Made", datetime.now(UTC).isoformat(timespec="seconds")),
    ]


def _rows(faces: Sequence[Prediction]) -> Iterator[tuple[object, ...]]:
    for number, face in enumerate(faces, 1):
        x, y, width, height = face.face.box
        sure = "; ".join(face.concerns) or ("yes" if face.sure else "no")
        share, score = percent(face.probability, 1), f"{face.face.score:.2f}"
        named = face.emotion if face.sure else f"unsure: {face.emotion}"
        yield number, named, share, sure, score, f"{width} x {height} at {x}, {y}"


def _measured(predictor: Predictor) -> list[tuple[str, pd.DataFrame]]:
    """Titled tables of what the network's record says of it; none where it was not measured."""
    try:
        figures = comparison.table({predictor.model: predictor.record}, ranked=False)
        tests = comparison.protocols(predictor.record)
    except (KeyError, TypeError, ValueError, AttributeError):
        return []
    return [("", figures)] + [
        (f"Class by class, {name} pictures", comparison.rows_for_screen(comparison.report(scores)))
        for name, scores in tests.items()
    ]


def video_html(analysis: Analysis, path: str | Path | None = None) -> str:
    """The report as one HTML document, with faces of the strongest expressions.

    Without the video's `path`, or where it cannot be read any more, there are none.
    """
    span = analysis.span_ms
    return documents.render(
        "video_report.html",
        title=f"Expressions in {analysis.source}",
        analysis=analysis,
        counts=list(facts(analysis).items()),
        means=_video_means(analysis),
        settings=[
            (
                _NAMES.get(name) or name.replace("_", " ").capitalize(),
                limits(value) if isinstance(value, dict) else str(value),
            )
            for name, value in analysis.settings.items()
        ],
        methods=methods.of_video(analysis),
        bibtex=methods.BIBTEX,
        covered=notes.covered,
        ribbon=lambda person: documents.chart(charts.ribbon(person, span_ms=span)),
        stretches=_stretches,
        motion=lambda person: documents.chart(charts.motion(person, analysis.events, span_ms=span)),
        head=HEAD,
        events=[cells(number, event) for number, event in enumerate(analysis.events, 1)],
        pairs=_pairs(analysis, path),
        limits=VIDEO_LIMITS,
        charts_css=Markup(charts.CSS),
        plotly=Markup(get_plotlyjs()),
    )


def _video_means(analysis: Analysis) -> list[tuple[str, str, str]]:
    """Person, class and its mean probability, of the classes that are ever likely."""
    rows = []
    for person in (one for one in analysis.people if len(one.sampled_ms)):
        seconds = person.sampled_ms // 1000
        each = [person.probabilities[seconds == one].mean(axis=0) for one in np.unique(seconds)]
        means = mean(person.probabilities, np.array(each))
        likely = person.probabilities.max(axis=0) >= SECOND
        named = zip(person.classes, means, likely, strict=True)
        rows += [(str(person.number), name, share) for name, share, shown in named if shown]
    return rows


def _stretches(person: Person) -> Iterator[tuple[str, ...]]:
    for one in stretches(person):
        start, end = notes.clock(one.start_ms, 1), notes.clock(one.end_ms, 1)
        yield start, end, one.emotion, percent(one.probability), "yes" if one.sure else "no"


def _pairs(analysis: Analysis, path: str | Path | None) -> list[tuple[int, Event, bytes]]:
    """Number, event and JPEG of onset and apex side by side, of the strongest expressions."""
    if path is None:
        return []
    numbered = enumerate(analysis.events, 1)
    passing = [one for one in numbered if one[1].kind in event_clips.EXPRESSIONS]
    chosen = sorted(passing, key=lambda one: -one[1].strength)[:PICTURED]
    try:
        with upright.again(path, analysis) as video:
            found = event_clips.pairs(video, [event for _, event in chosen], analysis.people)
            faces = [(index, np.hstack([onset, apex])) for index, onset, apex, _ in found]
    except VideoError:  # the file may be deleted by now; the report then has no pictures
        return []
    size = 2 * SIDE, SIDE
    small = [(index, cv2.resize(one, size, interpolation=cv2.INTER_AREA)) for index, one in faces]
    return [(*chosen[index], documents.jpeg(one)) for index, one in small]


def summary(analysis: Analysis) -> str:
    """What is in the video: people with their time lines, events, notes."""
    known = facts(analysis)
    parts = [f"{known['Video']}, {known['Read']}", *map(_person, analysis.people)]
    if analysis.events:
        rows = [list(HEAD), *(cells(number, one) for number, one in enumerate(analysis.events, 1))]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        padded = [map(str.ljust, row, widths) for row in rows]
        parts.append("\n".join("  ".join(row).rstrip() for row in padded))
    else:
        nobody = "No face found. Try larger, brighter or more frontal faces."
        parts.append("No event passed over a face." if analysis.people else nobody)
    return "\n\n".join([*parts, *(f"Note: {note}" for note in analysis.notes)])


def facts(analysis: Analysis) -> dict[str, str]:
    """What a video is, how much of it was read, and who and what is in it, each by its name."""
    timing, (width, height) = analysis.timing, analysis.size
    kinds = [event.kind for event in analysis.events]
    events = [counted(kinds.count(kind), *_CALLED[kind]) for kind in KINDS if kind in kinds]
    frames = f"({timing.frames} frames, {timing.fps:.1f} a second)"
    read = f"{timing.duration_ms / 1000:.1f} s of video {frames}"
    sure = np.concatenate([np.empty(0), *(person.sure for person in analysis.people)])
    return {
        "Video": f"{analysis.source}: {width} x {height} pixels",
        "Read": f"{read}{'' if analysis.complete else ', not to the end'}",
        "Unevenness of the frames": f"{timing.unevenness:.0%}",
        "People": counted(len(analysis.people), "person", "people"),
        "Events": ", ".join(events) or "none",
        **({"Unsure, of all looks": percent(1 - sure.mean())} if len(sure) else {}),
    }


def _person(person: Person) -> str:
    found = stretches(person)
    lines = [f"Person {person.number}, {_span(person.times_ms[0], person.times_ms[-1])}"]
    for one in found[:MOST]:
        looks_like = "looks like " * one.sure + told(one.emotion, one.probability, one.sure)
        lines.append(f"{_span(one.start_ms, one.end_ms)}  {looks_like}")
    lines += [f"and {len(found) - MOST} more stretches"] if len(found) > MOST else []
    return "\n  ".join([*lines, *filter(None, [notes.covered(person)])])


def _span(*times_ms: float) -> str:
    return " to ".join(notes.clock(time, 1) for time in times_ms)


def cells(number: int, event: Event) -> list[str]:
    """What a table says of an event, in the order of HEAD."""
    onset, apex, offset = event.onset_ms, event.apex_ms, event.offset_ms
    times = *(f"{time / 1000:.2f}" for time in (onset, apex, offset)), f"{offset - onset:.0f}"
    size = f"{event.pixels:.1f}", f"{event.strength:.1f}"
    return [str(number), str(event.person), event.kind, *times, event.moved, *size, looks(event)]


def looks(event: Event) -> str:
    """'positive 81 %', 'unsure: positive 48 %', or "" where nothing is known."""
    known = motion_classifier.answer(event)
    return told(*known) if known else ""
