"""An analysis in words: what every surface says of a video, and all of it for a terminal."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from mer.results.wording import percent, told
from mer.video import motion_classifier, notes
from mer.video.expression_segments import stretches
from mer.video.types import KINDS, Analysis, Event, Person

HEAD: Final = (
    *("event", "person", "kind", "onset s", "apex s", "offset s", "lasts ms", "where"),
    *("pixels", "times noise", "looks"),
)
_CALLED: Final = {  # one, and several
    "person": ("person", "people"),
    "micro": ("micro-expression", "micro-expressions"),
    "macro": ("macro-expression", "macro-expressions"),
    "blink": ("blink", "blinks"),
    "speech": ("stretch of speech", "stretches of speech"),
}
MOST: Final = 12  # stretches of a person that are listed; the exports have them all


def summary(analysis: Analysis) -> str:
    """What is in the video: people with their time lines, events, notes."""
    known = facts(analysis)
    parts = [f"{known['Video']}, {known['Read']}", *(_person(person) for person in analysis.people)]
    if analysis.events:
        parts.append(_events(analysis.events))
    elif analysis.people:
        parts.append("No event passed over a face.")
    else:
        parts.append("No face found. Try larger, brighter or more frontal faces.")
    return "\n\n".join([*parts, *(f"Note: {note}" for note in analysis.notes)])


def facts(analysis: Analysis) -> dict[str, str]:
    """What a video is, how much of it was read, and who and what is in it, each by its name."""
    timing, (width, height) = analysis.timing, analysis.size
    kinds = [event.kind for event in analysis.events]
    events = ", ".join(_counted(kinds.count(kind), kind) for kind in KINDS if kind in kinds)
    read = f"{timing.duration_ms / 1000:.1f} s of video"
    frames = f"({timing.frames} frames, {timing.fps:.1f} a second)"
    sure = np.concatenate([np.empty(0), *(person.sure for person in analysis.people)])
    return {
        "Video": f"{analysis.source}: {width} x {height} pixels",
        "Read": f"{read} {frames}{'' if analysis.complete else ', not to the end'}",
        "Unevenness of the frames": f"{timing.unevenness:.0%}",
        "People": _counted(len(analysis.people), "person"),
        "Events": events or "none",
        **({"Unsure, of all looks": percent(1 - sure.mean())} if len(sure) else {}),
    }


def _counted(count: int, what: str) -> str:
    return f"{count} {_CALLED[what][count != 1]}"


def _person(person: Person) -> str:
    span = f"{notes.clock(person.times_ms[0], 1)} to {notes.clock(person.times_ms[-1], 1)}"
    found = stretches(person)
    lines = [
        f"  {notes.clock(one.start_ms, 1)} to {notes.clock(one.end_ms, 1)}  "
        f"{'looks like ' if one.sure else ''}{told(one.emotion, one.probability, one.sure)}"
        for one in found[:MOST]
    ]
    if len(found) > MOST:
        lines.append(f"  and {len(found) - MOST} more stretches")
    if hidden := notes.covered(person):
        lines.append(f"  {hidden}")
    return "\n".join([f"Person {person.number}, {span}", *lines])


def cells(number: int, event: Event) -> list[str]:
    """What a table says of an event, in the order of HEAD."""
    times = event.onset_ms, event.apex_ms, event.offset_ms
    return [
        *(str(number), str(event.person), event.kind),
        *(f"{time / 1000:.2f}" for time in times),
        *(f"{event.offset_ms - event.onset_ms:.0f}", event.moved),
        *(f"{event.pixels:.1f}", f"{event.strength:.1f}"),
        looks(event),
    ]


def looks(event: Event) -> str:
    """'positive 81 %', 'unsure: positive 48 %', or "" where nothing is known."""
    known = motion_classifier.answer(event)
    return told(*known) if known else ""


def _events(events: Sequence[Event]) -> str:
    rows = [list(HEAD), *(cells(number, event) for number, event in enumerate(events, 1))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
