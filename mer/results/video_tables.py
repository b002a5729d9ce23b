"""An analysis as tidy tables, a row a frame and face or a row an event, and as JSON.

Nothing is smoothed. Columns are snake_case, times in them seconds. What holds for a whole video,
such as versions, settings and warnings, stands once: in the JSON, and in the tables' header.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import pandas as pd

from mer.faces.measures import MEASURES
from mer.io import files
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
ROWS: Final = 5000  # of a table that become JSON at a time
ORIGIN: Final = ("network", "version", "detector", "mer", "time")  # of an analysis's settings
_TIME_DIGITS: Final = 4  # of a time in seconds
_FRAME: Final = (
    *("file", "frame", "time_s", "person", *BOX, "covered"),
    *("emotion", "probability", "sure", "concerns", "reason"),
)
_MOTION: Final = tuple(f"motion_{name.replace(' ', '_')}" for name in REGIONS)
_EVENT: Final = (
    *("file", "event", "person", "kind", "onset_s", "apex_s", "offset_s", "duration_s"),
    *("region", "regions", "direction", "pixels", "strength"),
    *("looks", "looks_probability", "looks_sure", *(f"motion_{name}" for name in MOTIONS)),
)


def to_json(analysis: Analysis) -> str:
    """The whole analysis as one JSON document; see `json_parts`."""
    return "".join(json_parts(analysis))


def json_parts(*analyses: Analysis) -> Iterator[str]:
    """The JSON document, of several a list, in pieces: an hour need not lie in memory as text.

    Keys: those of `header`, `people`, `events`, and `frames`: each frame read with its number and
    time, and of each person in it the box, whether the face is covered, the motion of the regions
    in pixels of a 320-pixel face and, where the network looked, the probabilities of the classes,
    whether they are sure, and what speaks against judging the face.
    """
    for number, analysis in enumerate(analyses if len(analyses) > 1 else ()):
        yield ",\n" if number else "[\n"
        yield from json_parts(analysis)
    if len(analyses) > 1:
        yield "]\n"
        return
    (analysis,) = analyses
    people = [
        {
            "person": person.number,
            "first_ms": _round(person.times_ms[0]),
            "last_ms": _round(person.times_ms[-1]),
            "frames": len(person.times_ms),
            "sampled": len(person.sampled_ms),
            "covered_ms": [[*map(_round, span)] for span in person.covered],
        }
        for person in analysis.people
    ]
    events = [_event(number, event) for number, event in enumerate(analysis.events, 1)]
    head = header(analysis) | {"people": people, "events": events}
    yield json.dumps(head, indent=2, ensure_ascii=False).removesuffix("\n}") + ',\n  "frames": ['
    for number, frame in enumerate(_frames(frames_table(analysis), analysis.classes)):
        yield f"{',' if number else ''}\n    {json.dumps(frame)}"
    yield "\n  ]\n}\n"


def header(analysis: Analysis) -> dict[str, Any]:
    """What holds for all rows of a video's tables, ready for JSON: its origin, limits, names."""
    timing = analysis.timing
    figures = timing.duration_ms, timing.fps, timing.unevenness, timing.gap_ms, timing.unseen_ms
    return {
        "file": analysis.source,
        "size": dict(zip(("width", "height"), analysis.size, strict=True)),
        **{name: analysis.settings.get(name, "") for name in ORIGIN},
        "settings": analysis.settings,
        "frame_rate": {
            "frames": timing.frames,
            **_named(("duration_ms", "fps", "unevenness", "largest_gap_ms", "unseen_ms"), figures),
            "micro_expressions_claimed": timing.micro,
            "warning": notes.frame_rate(timing),
        },
        "complete": analysis.complete,
        "notes": analysis.notes,
        "limits": LIMITS,
        "classes": analysis.classes,
        "motions": MOTIONS,
        "regions": REGIONS,
    }


def frames_csv(analysis: Analysis) -> str:
    """`frames_table` as CSV."""
    return files.csv_text(frames_table(analysis))


def events_csv(analysis: Analysis) -> str:
    """`events_table` as CSV."""
    return files.csv_text(events_table(analysis))


def read_csv(source: str | Path | TextIO) -> pd.DataFrame:
    """Read frames or events from CSV; the columns of 0.1 get the names and units of today."""
    table = pd.read_csv(source)
    times = table.filter(regex="_ms$").columns
    table[times] /= 1000
    return table.rename(columns=lambda name: re.sub("_ms$", "_s", name.replace(" ", "_")))


def frames_table(analysis: Analysis) -> pd.DataFrame:
    """One row a frame and face: where it is, what it looks like where sampled, how it has moved.

    `frame` counts from 0. Where the face is covered there are neither probabilities nor motion. A
    frame without a face has one row, with its time and a `reason`; all else in it is empty.
    """
    seen = np.concatenate([np.empty(0), *(person.times_ms for person in analysis.people)])
    bare = np.setdiff1d(analysis.times_ms, seen)
    empty = pd.DataFrame({"time_ms": bare, "person": np.nan, "reason": tables.NO_FACE})
    table = pd.concat([*map(_person_table, analysis.people), empty])
    table = table.sort_values(["time_ms", "person"], ignore_index=True)
    times = table.pop("time_ms")
    table["file"], table["frame"] = analysis.source, np.searchsorted(np.unique(times), times)
    table["time_s"] = (times / 1000).round(_TIME_DIGITS)
    measures = MEASURES if any(len(person.measures) for person in analysis.people) else ()
    table = table.reindex(columns=[*_FRAME, *analysis.classes, *_MOTION, *measures])
    whole, texts = ("frame", "person", *BOX), ["emotion", "concerns", "reason"]
    types = dict.fromkeys(whole, "Int64") | dict.fromkeys(("covered", "sure"), "boolean")
    return table.astype(types).assign(**table[texts].fillna(""))


def _person_table(person: Person) -> pd.DataFrame:
    """A row a frame that shows the person; what the network says in those that it looked at."""
    sampled = np.searchsorted(person.times_ms, person.sampled_ms)
    shares = person.probabilities.astype(np.float64).round(DIGITS)
    motion = person.motion.astype(np.float64).round(2)
    measures = person.measures.astype(np.float64).round(DIGITS)
    looks = pd.DataFrame(shares, sampled, person.classes).assign(
        emotion=[person.classes[best] for best in shares.argmax(axis=1)],
        probability=shares.max(axis=1),
        sure=person.sure,
        concerns=["; ".join(one) for one in person.concerns],
    )
    parts = [pd.DataFrame(person.boxes, columns=BOX), pd.DataFrame(motion, columns=_MOTION), looks]
    parts += [pd.DataFrame(measures, sampled, MEASURES)] if len(measures) else []
    return pd.concat(parts, axis=1).assign(
        time_ms=person.times_ms, person=person.number, covered=person.hidden(person.times_ms)
    )


def events_table(analysis: Analysis) -> pd.DataFrame:
    """One row an event: person, kind, times, place, direction, size, what it looks like."""
    apex = (f"apex_{name}" for name in (*analysis.classes, "sure", "concerns"))
    rows = []
    for number, event in enumerate(analysis.events, 1):
        motion = event.motion or [np.nan] * len(MOTIONS)
        shares = *motion, *(event.still or [np.nan] * len(event.classes))
        rows.append(
            (
                *(analysis.source, number, event.person, event.kind),
                *(round(time / 1000, _TIME_DIGITS) for time in _times_ms(event).values()),
                *(event.region, "; ".join(event.regions), event.direction),
                *(round(event.pixels, 2), round(event.strength, 2)),
                *(motion_classifier.answer(event) or ("", np.nan, None)),
                *(round(share, DIGITS) for share in shares),
                *(event.sure if event.still else None, "; ".join(event.concerns)),
            )
        )
    table = pd.DataFrame(rows, columns=[*_EVENT, *apex])
    return table.astype(dict.fromkeys(("looks_sure", "apex_sure"), "boolean"))


def _times_ms(event: Event) -> dict[str, float]:
    onset, offset = event.onset_ms, event.offset_ms
    return {"onset": onset, "apex": event.apex_ms, "offset": offset, "duration": offset - onset}


def _event(number: int, event: Event) -> dict[str, Any]:
    looks = motion_classifier.answer(event)
    return {
        "event": number,
        "person": event.person,
        "kind": event.kind,
        **{f"{name}_ms": _round(time) for name, time in _times_ms(event).items()},
        "region": event.region,
        "regions": event.regions,
        "direction": event.direction,
        "pixels": _round(event.pixels),
        "strength": _round(event.strength),
        "looks": dict(zip(("name", "probability", "sure"), looks, strict=True)) if looks else None,
        "motion": _named(MOTIONS, event.motion) if event.motion else None,
        "still": _named(event.classes, event.still) if event.still else None,
        **({"sure": event.sure, "concerns": event.concerns} if event.still else {}),
    }


def _frames(table: pd.DataFrame, classes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Every frame that was read, those without a face too."""
    parts = (table.iloc[start : start + ROWS] for start in range(0, len(table), ROWS))
    rows = itertools.chain.from_iterable(part.to_dict(orient="records") for part in parts)
    for (frame, time_s), faces in itertools.groupby(rows, itemgetter("frame", "time_s")):
        people = []
        for row in faces:
            if row["reason"]:
                continue
            face = {
                "person": row["person"],
                "box": {name: row[name] for name in BOX},
                "covered": row["covered"],
                "motion": _named(REGIONS, map(row.__getitem__, _MOTION)),
            }
            people.append(face)
            if row["emotion"]:
                face["probabilities"] = _named(classes, map(row.__getitem__, classes))
                face["sure"] = row["sure"]
                face["concerns"] = row["concerns"].split("; ") if row["concerns"] else []
                if MEASURES[0] in row:
                    face["measures"] = _named(MEASURES, map(row.__getitem__, MEASURES))
        yield {"frame": frame, "time_ms": _round(1000 * time_s), "people": people}


def _named(names: Sequence[str], values: Iterable[float]) -> dict[str, float | None]:
    return dict(zip(names, map(_round, values), strict=True))


def _round(value: float) -> float | None:
    """None, which is null, for what is no number, which JSON does not know."""
    return round(float(value), DIGITS if abs(value) < 1 else 3) if np.isfinite(value) else None
