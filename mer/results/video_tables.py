"""An analysis as tables, CSV and JSON: per frame and per event, with where the figures come from.

All figures are raw: nothing is smoothed.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from mer.faces.measures import MEASURES
from mer.results import tables
from mer.results.tables import BOX, DIGITS
from mer.video import motion_classifier, notes
from mer.video.types import MOTIONS, REGIONS, Analysis, Event, Person

LIMITS: Final = (
    "Expressions are what a face looks like to a network. "
    "They do not tell what a person feels, and nothing here tells whether somebody lies.",
    "Events are spotted from motion. On real recordings, published methods match about one "
    "micro-expression in four: expect most to be missed, and some of those shown to be none.",
    "What an event looks like by its motion (negative, positive, surprise) is experimental.",
)
ROWS: Final = 5000  # of a table that become text at a time
ORIGIN: Final = ("network", "version", "detector", "mer", "time")  # of an analysis's settings

# The first columns of the two tables; those of the network's classes follow.
_FRAME: Final = ("time_ms", "person", *BOX, "covered", "sure")
_TYPES: Final = dict.fromkeys(("person", *BOX, "covered"), "Int64") | {"sure": "boolean"}
_EVENT: Final = (
    *("event", "person", "kind", "onset_ms", "apex_ms", "offset_ms", "duration_ms"),
    *(
        "region",
        "regions",
        "direction",
        "pixels",
        "strength",
        "looks",
        "looks_probability",
        "looks_sure",
    ),
    *(f"motion {name}" for name in MOTIONS),
)


def to_json(analysis: Analysis) -> str:
    """The whole analysis as one JSON document; see `json_parts`."""
    return "".join(json_parts(analysis))


def json_parts(analysis: Analysis) -> Iterator[str]:
    """The JSON document in pieces, so that an hour of video need not lie in memory as text.

    Keys: file, size, network, version, detector, mer, time, settings, frame_rate with its warning,
    complete, notes, limits, classes, motions, regions; `people`; `events`; and `frames`: each
    frame read with its time, and of each person in it the box, whether the face is covered, the
    motion of the regions in pixels of a 320-pixel face and, where the network looked, the seven
    probabilities, whether they are sure, and what speaks against judging the face.
    """
    head = json.dumps(_head(analysis), indent=2, ensure_ascii=False)
    yield head.removesuffix("\n}") + ',\n  "frames": ['
    between = "\n"
    for frame in _frames(analysis):
        yield f"{between}    {json.dumps(frame)}"
        between = ",\n"
    yield "\n  ]\n}\n"


def frames_csv(analysis: Analysis) -> str:
    """`frames_table` as CSV."""
    return "".join(csv_parts(frames_table(analysis)))


def events_csv(analysis: Analysis) -> str:
    """`events_table` as CSV."""
    return "".join(csv_parts(events_table(analysis)))


def csv_parts(table: pd.DataFrame) -> Iterator[str]:
    """One of the tables as CSV in pieces, as `json_parts` does it for JSON."""
    for start in range(0, max(len(table), 1), ROWS):
        text = tables.to_csv(table.iloc[start : start + ROWS])
        yield text.partition("\n")[2] if start else text


def frames_table(analysis: Analysis) -> pd.DataFrame:
    """One row a frame and person: time, box, probabilities where sampled, motion by region.

    Where the face is covered, `covered` is 1, and there are neither probabilities nor motion. A
    frame without a face has one row, with its time and a `reason`; all else in it is empty.
    """
    measured = MEASURES if any(len(person.measures) for person in analysis.people) else ()
    motions = (f"motion {name}" for name in REGIONS)
    names = [*_FRAME, *analysis.classes, *motions, *measured]
    seen = [person.times_ms for person in analysis.people]
    bare = np.setdiff1d(analysis.times_ms, np.concatenate([np.empty(0), *seen]))
    parts = [_figures(person, len(measured)) for person in analysis.people]
    empty = np.full((len(bare), len(names)), np.nan)
    empty[:, 0] = bare.round(3)
    figures = np.concatenate([*parts, empty])
    concerns = np.concatenate([*map(_concerns, analysis.people), np.full(len(bare), "", object)])
    order = np.lexsort((figures[:, 1], figures[:, 0]))
    table = pd.DataFrame(figures[order], columns=names).astype(_TYPES)
    table.insert(len(_FRAME), "concerns", concerns[order])
    reason = np.where(table["person"].isna(), tables.NO_FACE, "")
    table.insert(len(_FRAME) + 1, "reason", pd.Series(pd.Categorical(reason)))
    return _with_origin(table, analysis)


def events_table(analysis: Analysis) -> pd.DataFrame:
    """One row an event: person, kind, times, place, direction, size, what it looks like."""
    rows = [
        [*_row(number, event), event.sure if event.still else pd.NA, "; ".join(event.concerns)]
        for number, event in enumerate(analysis.events, 1)
    ]
    apex = (f"apex {name}" for name in (*analysis.classes, "sure", "concerns"))
    return _with_origin(pd.DataFrame(rows, columns=[*_EVENT, *apex]), analysis)


def _figures(person: Person, measured: int) -> np.ndarray:
    """Float64, a row a frame of the person; NaN where the network did not look."""
    looks = np.full((len(person.times_ms), 1 + len(person.classes)), np.nan)
    answers = np.column_stack([person.sure, person.probabilities.round(DIGITS)])
    looks[np.searchsorted(person.times_ms, person.sampled_ms)] = answers
    own = np.full((len(person.times_ms), measured), np.nan)
    if len(person.measures):
        own[np.searchsorted(person.times_ms, person.sampled_ms)] = person.measures.round(DIGITS)
    number = np.full(len(person.times_ms), person.number)
    times, motion = person.times_ms.round(3), person.motion.astype(np.float64).round(3)
    covered = person.hidden(person.times_ms)
    return np.column_stack([times, number, person.boxes, covered, looks, motion, own])


def _concerns(person: Person) -> np.ndarray:
    """Objects (n,): what speaks against judging the face in each frame, in words; mostly ""."""
    said = np.full(len(person.times_ms), "", object)
    rows = np.searchsorted(person.times_ms, person.sampled_ms)
    said[rows] = np.array(["; ".join(one) for one in person.concerns], object)
    return said


def _row(number: int, event: Event) -> list[object]:
    times = event.onset_ms, event.apex_ms, event.offset_ms, event.offset_ms - event.onset_ms
    motion = event.motion or [np.nan] * len(MOTIONS)
    still = event.still or [np.nan] * len(event.classes)
    looks, share, sure = motion_classifier.answer(event) or ("", np.nan, None)
    return [
        *(number, event.person, event.kind, *(_round(time) for time in times)),
        *(event.region, "; ".join(event.regions), event.direction),
        *(_round(event.pixels), _round(event.strength)),
        *(looks, _round(share), sure),
        *(_round(value) for value in (*motion, *still)),
    ]


def _with_origin(table: pd.DataFrame, analysis: Analysis) -> pd.DataFrame:
    """The table between the file's name and what the figures come from, the same in each row."""
    rate = {
        "fps": _round(analysis.timing.fps),
        "frame_rate_warning": notes.frame_rate(analysis.timing),
    }
    origin = {name: analysis.settings.get(name, "") for name in ORIGIN} | rate
    # A category is kept once, not once a row: an hour has a hundred thousand.
    table.insert(0, "file", pd.Series(pd.Categorical([analysis.source] * len(table))))
    for name, value in origin.items():
        table[name] = pd.Categorical([value] * len(table))
    return table


def _head(analysis: Analysis) -> dict[str, Any]:
    timing = analysis.timing
    return {
        "file": analysis.source,
        "size": dict(zip(("width", "height"), analysis.size, strict=True)),
        **{name: analysis.settings.get(name, "") for name in ORIGIN},
        "settings": analysis.settings,
        "frame_rate": {
            "frames": timing.frames,
            "duration_ms": _round(timing.duration_ms),
            "fps": _round(timing.fps),
            "unevenness": _round(timing.unevenness),
            "largest_gap_ms": _round(timing.gap_ms),
            "unseen_ms": _round(timing.unseen_ms),
            "micro_expressions_claimed": timing.micro,
            "warning": notes.frame_rate(timing),
        },
        "complete": analysis.complete,
        "notes": analysis.notes,
        "limits": LIMITS,
        "classes": analysis.classes,
        "motions": MOTIONS,
        "regions": REGIONS,
        "people": [_person(person) for person in analysis.people],
        "events": [_event(number, event) for number, event in enumerate(analysis.events, 1)],
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "person": person.number,
        "first_ms": _round(person.times_ms[0]),
        "last_ms": _round(person.times_ms[-1]),
        "frames": len(person.times_ms),
        "sampled": len(person.sampled_ms),
        "covered_ms": [[_round(time) for time in span] for span in person.covered],
    }


def _event(number: int, event: Event) -> dict[str, Any]:
    kept = dict(zip(_EVENT, _row(number, event), strict=False))
    named = {name: kept[name] for name in _EVENT[: _EVENT.index("strength") + 1]}
    motion = _named(MOTIONS, event.motion) if event.motion else None
    still = _named(event.classes, event.still) if event.still else None
    known = motion_classifier.answer(event)
    looks = dict(zip(("name", "probability", "sure"), known, strict=True)) if known else None
    parts = {"regions": event.regions, "looks": looks, "motion": motion, "still": still}
    said = {"sure": event.sure, "concerns": event.concerns} if still else {}
    return named | parts | said


def _frames(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """Every frame that was read, those without a face too."""
    cursors = [_Cursor(person) for person in analysis.people]
    times = [analysis.times_ms, *(person.times_ms for person in analysis.people)]
    for time_ms in np.unique(np.concatenate(times)):
        seen = [cursor.at(time_ms) for cursor in cursors]
        yield {"time_ms": _round(time_ms), "people": [person for person in seen if person]}


class _Cursor:
    """Walks through a person's frames and samples in step."""

    def __init__(self, person: Person) -> None:
        self._person, self._row, self._sample = person, 0, 0
        self._covered = person.hidden(person.times_ms)

    def at(self, time_ms: float) -> dict[str, Any] | None:
        person, row, sample = self._person, self._row, self._sample
        if row == len(person.times_ms) or person.times_ms[row] != time_ms:
            return None
        self._row += 1
        seen: dict[str, Any] = {
            "person": person.number,
            "box": dict(zip(BOX, person.boxes[row].tolist(), strict=True)),
            "covered": bool(self._covered[row]),
            "motion": _named(REGIONS, person.motion[row]),
        }
        if sample < len(person.sampled_ms) and person.sampled_ms[sample] == time_ms:
            self._sample += 1
            seen["probabilities"] = _named(person.classes, person.probabilities[sample])
            seen["sure"] = bool(person.sure[sample])
            seen["concerns"] = person.concerns[sample]
            if len(person.measures):
                seen["measures"] = _named(MEASURES, person.measures[sample])
        return seen


def _named(names: tuple[str, ...], values: Any) -> Mapping[str, float | None]:
    """The values by name; null for what is no number, which JSON does not know."""
    return {
        name: _round(value) if np.isfinite(value) else None
        for name, value in zip(names, values, strict=True)
    }


def _round(value: float) -> float:
    return round(float(value), DIGITS if abs(value) < 1 else 3)
