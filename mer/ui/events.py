"""The events of a video: a table that sorts, and one event seen closely.

Pictures and clip lie in the HTML itself: there is no file of them to keep or to delete.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from mer.errors import WeightsError
from mer.io import webm
from mer.results import html_document, methods, wording
from mer.results.video_charts import told
from mer.results.video_summary import HEAD, cells, looks
from mer.results.video_tables import LIMITS
from mer.ui import retention
from mer.video import motion_classifier
from mer.video.event_clips import Look
from mer.video.motion import magnification
from mer.video.types import MOTIONS, Event
from mer.weights import store

_FLOW: Final = "Flow from onset to apex: the hue is the direction, white is rest"
_CLIP: Final = f"{magnification.SLOWER:.0f} times slower: as filmed, and its movements magnified"
# Of HEAD: what fits beside a video; the rest is told of the event that is chosen.
_SHOWN: Final = ("event", "person", "kind", "apex s", "lasts ms", "where")


def table(events: Sequence[Event]) -> str:
    """HTML of one row an event; buttons in the head sort it, one in each row shows the event."""
    rows = [(event.apex_ms, cells(number, event)) for number, event in enumerate(events, 1)]
    return html_document.render(
        "events.html",
        head=_SHOWN,
        rows=[(apex_ms, [row[HEAD.index(name)] for name in _SHOWN]) for apex_ms, row in rows],
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
    return html_document.render(
        "event.html",
        number=number,
        event=event,
        told=told(event),
        pictures=[(said, html_document.jpeg(image)) for said, image in pictures],
        clip=_clip(event, look),
        caption=_CLIP,
        meaning=_meaning(event),
    )


def score() -> str:
    """How far recognition from motion can be trusted, from its record; a sentence."""
    try:
        found = store.read_record(motion_classifier.NAME)["evaluation"]
        figures = f"UF1 {found['uf1']:.2f}, UAR {found['uar']:.2f}"
    except (WeightsError, KeyError):
        return "This is experimental."
    return f"On laboratory clips of people whom it had not seen it scored {figures} (chance: 0.33)."


def _clip(event: Event, look: Look) -> bytes:
    """The clip and its magnified twin in one film, so that they stay in step; b"" for one frame."""
    if len(look.clip) < 2:
        return b""
    large = magnification.magnified(look.clip, look.fps, event.pixels)
    with tempfile.TemporaryDirectory(dir=retention.take_folder()) as folder:
        path = Path(folder) / "clip.webm"
        slow = look.fps / magnification.SLOWER
        webm.write(path, webm.even(magnification.beside(look.clip, large), slow), slow)
        return path.read_bytes()


def _meaning(event: Event) -> Iterator[str]:
    yield f"Signal-to-noise at the apex: {event.strength:.1f}."
    if event.motion:
        ranked = sorted(zip(event.motion, MOTIONS, strict=True), reverse=True)
        shares = ", ".join(f"{name} {wording.percent(share)}" for share, name in ranked)
        yield f"It looks {looks(event)}; by its motion alone {shares}. {score()}"
    if event.still:
        _, gained = max(zip(event.still, event.classes, strict=True))
        why = f", though it is {' and '.join(event.concerns)}" if event.concerns else ""
        yield f"From onset to apex the face gains most in {gained}{why}."
