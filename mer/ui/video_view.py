"""What the Video tab shows of an analysis: player, people, events.

The browser draws the boxes over the video as it is; a copy is made only of what it cannot play. An
event's pictures and clip lie in the HTML: no file is to be kept or deleted.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from operator import itemgetter
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import cv2
import gradio as gr
import numpy as np

from mer.emotions import colors
from mer.errors import WeightsError
from mer.faces.measures import MEASURES
from mer.io.video import Frame, evenly, write_clip
from mer.results import charts, documents, methods, wording
from mer.results.report import HEAD, cells, facts, looks
from mer.results.video_tables import LIMITS
from mer.ui import visitor_files
from mer.video import event_clips, motion_classifier, notes, upright
from mer.video.event_clips import Look
from mer.video.expression_segments import looks_at, sure_at
from mer.video.types import MOTIONS, Analysis, Event, Person
from mer.weights import store

SHOWN: Final = 4  # people; the downloads hold everyone
_EVERY_MS: Final = 66.0  # a box in between is interpolated
_LONG_SIDE: Final = 640  # pixels of a copy
_FLOW: Final = "Flow from onset to apex: the hue is the direction, white is rest"
_CLIP: Final = f"{event_clips.SLOWER:.0f} times slower: as filmed, and its movements magnified"
# Of HEAD: what fits beside a video; the rest is told of the event that is chosen.
_COLUMNS: Final = ("event", "person", "kind", "apex s", "lasts ms", "where")


def player(path: str | Path, analysis: Analysis, kind: str = "original") -> str:
    """The player, as HTML, for a file that Gradio serves, the "original" or a "copy"."""
    width, height = analysis.size
    if kind == "original" and analysis.settings.get("quarter_turns"):
        kind = "turned"  # of which the page's script asks for a copy
    file = f"gradio_api/file={quote(str(path))}"
    told = {
        "colors": list(colors(analysis.classes).values()),
        "names": [*analysis.classes, "covered"],
        "people": [_boxes(person) for person in analysis.people],
        "span": analysis.span_ms,
    }
    shown = {"people": json.dumps(told, separators=(",", ":")), "width": width, "height": height}
    return documents.render("player.html", file=file, kind=kind, **shown)


def _boxes(person: Person) -> dict[str, Any]:
    """Times in ms, boxes as (x, y, width, height) and the likeliest class, about 15 a second."""
    step = float(np.median(np.diff(person.times_ms))) if len(person.times_ms) > 1 else _EVERY_MS
    each = max(1, round(_EVERY_MS / step))
    times = person.times_ms[::each]
    measured = (
        [] if np.isnan(row[0]) else wording.measured(dict(zip(MEASURES, row, strict=True)))
        for row in person.measures.tolist()
    )
    return {
        "number": person.number,
        "times": np.rint(times).astype(int).tolist(),
        "boxes": person.boxes[::each].tolist(),
        "looks": looks_at(person, times),
        "sure": sure_at(person, times),
        "measured": list(zip(map(round, person.sampled_ms.tolist()), measured, strict=False)),
        "hold": max(2.5 * each * step, 120.0),  # ms that a box stays where the next is missing
    }


def copy(path: str, fps: float) -> Path:
    """Write a small copy that every browser plays beside the video; VideoError where it cannot."""

    def smaller(frame: Frame) -> Frame:
        height, width = frame.image.shape[:2]
        scale = min(1.0, _LONG_SIDE / max(height, width))
        size = round(width * scale / 2) * 2, round(height * scale / 2) * 2  # VP8 halves colours
        return replace(frame, image=cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))

    target = Path(path).with_name("copy.webm")
    with upright.opened(path) as video:
        write_clip(target, map(smaller, video), max(fps, 1.0))
    return target


def build_people() -> list[gr.HTML | gr.Plot]:
    """Lay out the panels, hidden until there is somebody; return what `people` fills."""
    panels: list[gr.HTML | gr.Plot] = []
    plot = partial(gr.Plot, show_label=False, container=False, visible=False)
    with gr.Column(elem_id="people"):
        for _ in range(SHOWN):
            panels += [gr.HTML(visible=False, js_on_load=None), plot(), plot()]
    return panels


def people(found: Analysis | None, *, lines: bool = False) -> list[Any]:
    """Updates of the panels: those who were seen longest, in the order of numbers."""
    longest = sorted(found.people if found else (), key=lambda one: -len(one.times_ms))[:SHOWN]
    updates: list[Any] = []
    for person in sorted(longest, key=lambda one: one.number):
        assert found is not None
        ribbon = charts.ribbon(person, span_ms=found.span_ms, lines=lines)
        motion = charts.motion(person, found.events, span_ms=found.span_ms)
        updates.append(gr.HTML(_heading(person), visible=True))
        updates += [gr.Plot(figure, visible=True) for figure in (ribbon, motion)]
    hidden = [gr.HTML("", visible=False), *[gr.Plot(None, visible=False)] * 2]
    return updates + hidden * (SHOWN - len(longest))


def _heading(person: Person) -> str:
    first, last = person.times_ms[0] / 1000, person.times_ms[-1] / 1000
    said = f"In view from {first:.1f} to {last:.1f} s"
    if len(person.sampled_ms):
        most = person.classes[int(person.probabilities.mean(axis=0).argmax())]
        unsure = 1 - float(person.sure.mean())
        said += f", looks most like {most}"
        said += f", unsure in {wording.percent(unsure)} of the looks" if unsure else ""
    if hidden := notes.covered(person):
        said += f"; {hidden}"
    return f"<h3>Person {person.number}</h3><p>{escape(said)}.</p>"


def summary(found: Analysis) -> list[str]:
    """Sentences on how much was seen of whom, and how many events of each kind."""
    if not found.people:
        return []
    known = facts(found)
    said = [f"{known['People']} in {known['Read']}.", f"Events (experimental): {known['Events']}."]
    if len(found.people) > SHOWN:
        said.append(f"Shown are the {SHOWN} who were seen longest; the downloads hold everyone.")
    return said


def events(found: Sequence[Event]) -> str:
    """HTML of one row an event; buttons in the head sort it, one in each row shows the event."""
    shown = itemgetter(*map(HEAD.index, _COLUMNS))
    return documents.render(
        "events.html",
        head=_COLUMNS,
        rows=[(one.apex_ms, shown(cells(number, one))) for number, one in enumerate(found, 1)],
        limits=methods.spotting() or LIMITS[1],
    )


def closely(number: int, event: Event, look: Look) -> str:
    """HTML of the event of this number (from 1): what it shows, and what it looks like."""
    pictures = [
        (f"Onset, {event.onset_ms / 1000:.2f} s", look.onset),
        (f"Apex, {event.apex_ms / 1000:.2f} s", look.apex),
        (f"Offset, {event.offset_ms / 1000:.2f} s", look.offset),
        (_FLOW, look.flow),
    ]
    return documents.render(
        "event.html",
        number=number,
        event=event,
        told=charts.told(event),
        pictures=[(said, documents.jpeg(image)) for said, image in pictures],
        clip=_clip(event, look),
        caption=_CLIP,
        meaning=_meaning(event),
    )


def _clip(event: Event, look: Look) -> bytes:
    """The clip and its magnified twin in one film, so that they stay in step; b"" for one frame."""
    if len(look.clip) < 2:
        return b""
    large = event_clips.magnified(look.clip, look.fps, event.pixels)
    with tempfile.TemporaryDirectory(dir=visitor_files.take_folder()) as folder:
        path = Path(folder) / "clip.webm"
        slow = look.fps / event_clips.SLOWER
        both = (np.hstack(pair) for pair in zip(look.clip, large, strict=True))
        write_clip(path, evenly(both, slow), slow)
        return path.read_bytes()


def _meaning(event: Event) -> Iterator[str]:
    yield f"Signal-to-noise at the apex: {event.strength:.1f}."
    if event.motion:
        ranked = sorted(zip(event.motion, MOTIONS, strict=True), reverse=True)
        shares = ", ".join(f"{name} {wording.percent(share)}" for share, name in ranked)
        yield f"It looks {looks(event)}; by its motion alone {shares}. {motion_score()}"
    if event.still:
        _, gained = max(zip(event.still, event.classes, strict=True))
        why = f", though it is {' and '.join(event.concerns)}" if event.concerns else ""
        yield f"From onset to apex the face gains most in {gained}{why}."


def motion_score() -> str:
    """How far recognition from motion can be trusted, from its record; a sentence."""
    try:
        found = store.read_record(motion_classifier.NAME)["evaluation"]
        figures = f"UF1 {found['uf1']:.2f}, UAR {found['uar']:.2f}"
    except (WeightsError, KeyError):
        return "This is experimental."
    return f"On laboratory clips of people whom it had not seen it scored {figures} (chance: 0.33)."
