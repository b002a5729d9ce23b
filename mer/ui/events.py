"""The events of a video: a table that sorts, and one event seen closely."""

import base64
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.errors import WeightsError
from mer.io import webm
from mer.results import spotting_scores
from mer.results.charts.timeline import told
from mer.results.video_summary import HEAD, cells, likeliest, looks
from mer.results.video_tables import LIMITS
from mer.results.wording import percent
from mer.ui import retention
from mer.video import motion_classifier
from mer.video.event_clips import Look
from mer.video.motion import magnification
from mer.video.types import MOTIONS, Event
from mer.weights import store

_NONE: Final = "<p>No event passed over a face.</p>"
_HINT: Final = (
    "<p>Press an event, here or in the charts, to see it closely. "
    "{}</p>"  # how few of them may be right
)
_FLOW: Final = "Flow from onset to apex: the hue is the direction, white is rest"


# Of HEAD: what fits beside a video; the rest is told of the event that is chosen.
_SHOWN: Final = tuple(
    HEAD.index(name) for name in ("event", "person", "kind", "apex s", "lasts ms", "where")
)


def table(events: Sequence[Event]) -> str:
    """HTML of one row an event; buttons in the head sort it, one in each row shows the event."""
    if not events:
        return _NONE
    limits = escape(f"{LIMITS[1]} {spotting_scores.sentence()}")
    heads = "".join(
        f'<th scope="col"><button type="button">{HEAD[at]}</button></th>' for at in _SHOWN
    )
    rows = "".join(_row(index, event) for index, event in enumerate(events))
    return (
        f"<h3>Events <small>experimental</small></h3>{_HINT.format(limits)}"
        '<div class="events sortable" tabindex="0">'
        '<table aria-label="Events">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(index: int, event: Event) -> str:
    all_cells = cells(index + 1, event)
    number, *others = (all_cells[at] for at in _SHOWN)
    button = f'<button type="button" aria-label="Show event {number}">{number}</button>'
    shown = [button, *(escape(cell) for cell in others)]
    sorts = (escape(cell, quote=True) for cell in (number, *others))
    data = "".join(f'<td data-value="{a}">{b}</td>' for a, b in zip(sorts, shown, strict=True))
    return f'<tr data-event="{index}" data-apex="{event.apex_ms / 1000:.3f}">{data}</tr>'


def closely(number: int, event: Event, look: Look, score: str) -> str:
    """HTML of one event: its three frames, the flow, the slow clip, what it looks like.

    Pictures and clip lie in the HTML itself: there is no file of them to keep or to delete.

    Args:
        number: of the event, from 1.
        event: the event.
        look: its pictures.
        score: how far recognition from motion can be trusted, a sentence.
    """
    moments = {
        "Onset": (event.onset_ms, look.onset),
        "Apex": (event.apex_ms, look.apex),
        "Offset": (event.offset_ms, look.offset),
    }
    pictures = [
        _picture(f"{name}, {ms / 1000:.2f} s", face) for name, (ms, face) in moments.items()
    ]
    return (
        f'<section class="look" aria-label="Event {number}" role="status">'
        f"<h3>Event {number}, person {event.person}: {escape(told(event))}</h3>"
        f'<div class="frames">{"".join(pictures)}{_picture(_FLOW, look.flow)}</div>'
        f"{_clip(event, look)}{_meaning(event, score)}</section>"
    )


def score() -> str:
    """How far recognition from motion can be trusted, from its record; a sentence."""
    try:
        found = store.read_record(motion_classifier.NAME)["evaluation"]
        figures = f"UF1 {found['uf1']:.2f}, UAR {found['uar']:.2f}"
    except (WeightsError, KeyError):
        return "This is experimental."
    return (
        f"This is experimental: on laboratory clips of people whom it had not seen, it scored "
        f"{figures}, where 1 is perfect and guessing gives 0.33."
    )


def _picture(caption: str, image: np.ndarray) -> str:
    _, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    data = base64.b64encode(content.tobytes()).decode()
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" alt="{escape(caption)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _clip(event: Event, look: Look) -> str:
    """The clip and its magnified twin in one film, so that they stay in step; "" for one frame."""
    if len(look.clip) < 2:
        return ""
    large = magnification.magnified(look.clip, look.fps, event.pixels)
    with tempfile.TemporaryDirectory(dir=retention.take_folder()) as folder:
        path = Path(folder) / "clip.webm"
        slow = look.fps / magnification.SLOWER
        webm.write(path, webm.even(magnification.beside(look.clip, large), slow), slow)
        data = base64.b64encode(path.read_bytes()).decode()
    caption = f"{magnification.SLOWER:.0f} times slower: as filmed, and its movements magnified"
    return (
        '<figure class="clip"><video controls autoplay loop muted playsinline '
        f'src="data:video/webm;base64,{data}" aria-label="{caption}"></video>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _meaning(event: Event, score: str) -> str:
    said = [f"At the apex the motion is {event.strength:.1f} times its noise."]
    said += [f"All in all it looks {looks(event)}."] if event.motion else []
    if event.motion:
        ranked = sorted(zip(event.motion, MOTIONS, strict=True), reverse=True)
        shares = ", ".join(f"{name} {percent(share)}" for share, name in ranked)
        said.append(f"By its motion it looks {shares}. {score}")
    if event.still:
        top = likeliest(event.still, event.classes, event.sure)
        why = f", though it is {' and '.join(event.concerns)}" if event.concerns else ""
        said.append(
            f"From onset to apex it comes to look most like this to the network: {top}{why}."
        )
    return "".join(f"<p>{escape(text)}</p>" for text in said)
