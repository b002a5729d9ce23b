"""How well events are found in real recordings, and how far they stay when a clip is saved anew."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.real import clips, naming
from benchmarks.real.clips import Recording
from benchmarks.real.naming import Namer
from benchmarks.spotting import spotted
from benchmarks.spotting_scores import EXPRESSIONS, matched, overlap
from mer.io.video import Frame
from mer.video.analysis import analyse
from mer.video.types import Event

RATES: Final = (30.0, 60.0)  # frames a second at which CASME II is shown
DRAWS: Final = 2000  # of subjects, for an interval of 95 %
PEOPLE: Final = "casme2/sub{:02d}"  # what the stored maps call a subject of CASME II

Changed = Callable[[Iterable[Frame]], Iterator[Frame]]


@dataclass(frozen=True)
class Outcome:
    """What was found in one recording.

    Attributes:
        name, subject, seconds, kind: of the recording.
        marked: whether an expression is marked in it; `micro`, whether it is one.
        neutral: whether there is no expression in it.
        claimed: expressions found; `hit`: whether one lies within the marked time.
        matched: whether one shares half with it; `onset_ms`, `apex_ms`: its errors, or None.
        beside: expressions found that share no time with the marked one.
        spoken: stretches called speech.
        given, spotted: what the expression looks like with onset and apex as they are marked, and
            as they were found; "" where that is not known.
    """

    name: str
    subject: str
    seconds: float
    kind: str
    marked: bool
    micro: bool
    neutral: bool
    claimed: int
    hit: bool
    matched: bool
    onset_ms: float | None
    apex_ms: float | None
    beside: int
    spoken: int
    given: str = ""
    spotted: str = ""


def measure(
    folder: Path, *, rates: Sequence[float] = RATES, every: int = 1, stable: bool = False
) -> dict[str, Any]:
    """Score the product on the recordings of a folder.

    Args:
        folder: holds casme2 and flashes; the stored maps, ../optical-flow, are beside it.
        rates: frames a second at which CASME II is shown.
        every: only every so manieth recording of CASME II, and flash whose stability is looked at.
        stable: also spot flashes in seven changed versions, and compare.

    Returns:
        `sets`: the `figures` of each set; `every`; `stability`: F1 by change; `outcomes`: of each
        recording.

    Raises:
        MerError: the folder does not hold them.
    """
    sets = {"flashes": clips.flashes(folder / "flashes")}
    for rate in rates:
        name = f"CASME II between stills, {rate:g} fps"
        sets[name] = clips.casme(folder / "casme2", rate)[::every]
    namer = Namer(folder.parent / "optical-flow")
    found = {name: run(recordings, namer) for name, recordings in sets.items()}
    return {
        "sets": {name: figures(outcomes) for name, outcomes in found.items()},
        "every": every,
        "stability": stability(sets["flashes"][::every]) if stable else {},
        "outcomes": {name: [asdict(one) for one in outcomes] for name, outcomes in found.items()},
    }


def run(recordings: Sequence[Recording], namer: Namer) -> list[Outcome]:
    """Analyse each recording, and name its expression as marked and as found."""
    return [judged(one, namer) for one in tqdm(recordings, unit="clip", disable=None)]


def judged(recording: Recording, namer: Namer) -> Outcome:
    """What the product finds in a recording."""
    with recording.film() as film:
        found = analyse(film[0], fps=film[1])
        one = outcome(recording, found.events)
        if not recording.truth or not recording.kind or not found.people:
            return one
        hits = [event for event in found.events if _hits(event, recording.truth)]
        hits.sort(key=lambda event: overlap(event, recording.truth or event))
        subject = PEOPLE.format(int(one.subject)) if one.subject.isdigit() else one.subject
        given, *spotted = namer.names(film, found, [recording.truth, *hits[-1:]], subject)
        return replace(one, given=given, spotted="".join(spotted))


def outcome(recording: Recording, found: Sequence[Event]) -> Outcome:
    """Compare events with what is marked."""
    claimed = [event for event in found if event.kind in EXPRESSIONS]
    truth = recording.truth
    touching = [event for event in claimed if truth and _hits(event, truth)]
    pairs = matched([truth], claimed) if truth else []
    best = pairs[0][1] if pairs else None
    return Outcome(
        name=recording.name,
        subject=recording.subject,
        seconds=recording.seconds,
        kind=recording.kind,
        marked=truth is not None,
        micro=truth is not None and truth.kind == "micro",
        neutral=recording.neutral,
        claimed=len(claimed),
        hit=bool(touching),
        matched=best is not None,
        onset_ms=best.onset_ms - truth.onset_ms if best and truth else None,
        apex_ms=best.apex_ms - truth.apex_ms if best and truth else None,
        beside=len(claimed) - len(touching),
        spoken=sum(event.kind == "speech" for event in found),
    )


def _hits(event: Event, truth: Event) -> bool:
    shares = event.onset_ms < truth.offset_ms and event.offset_ms > truth.onset_ms
    return event.kind in EXPRESSIONS and shares


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What is told of a set, as JSON values; None where nothing is known."""
    marked = [one for one in outcomes if one.marked]
    neutral = [one for one in outcomes if one.neutral]
    found = [one for one in marked if one.matched]
    minutes = sum(one.seconds for one in marked) / 60
    named = [asdict(one) for one in marked]
    return {
        "clips": len(outcomes),
        "marked": len(marked),
        "hit": sum(one.hit for one in marked),
        "hit_interval": interval(marked, hits),
        "f1": _known(f1(marked)),
        "f1_interval": interval(marked, f1),
        "f1_micro": _known(f1([one for one in marked if one.micro])),
        "onset_ms": median(abs(one.onset_ms or 0) for one in found) if found else None,
        "apex_ms": median(abs(one.apex_ms or 0) for one in found) if found else None,
        "beside_a_minute": sum(one.beside for one in marked) / minutes if minutes else None,
        "neutral": len(neutral),
        "neutral_events": sum(one.claimed for one in neutral),
        "neutral_seconds": sum(one.seconds for one in neutral),
        "spoken": sum(one.spoken for one in outcomes),
        "named_given": naming.figures(named, "given"),
        "named_spotted": naming.figures(named, "spotted"),
    }


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else figure


def f1(outcomes: Sequence[Outcome]) -> float:
    """F1 at IoU .5 of the recordings that have an expression marked; NaN without any."""
    marked = [one for one in outcomes if one.marked]
    events = len(marked) + sum(one.claimed for one in marked)
    return 2 * sum(one.matched for one in marked) / events if events else float("nan")


def interval(
    outcomes: Sequence[Outcome], figure: Callable[[Sequence[Outcome]], float]
) -> list[float] | None:
    """95 % of a figure, by drawing subjects with replacement; None without any."""
    by_subject: dict[str, list[Outcome]] = {}
    for one in outcomes:
        by_subject.setdefault(one.subject, []).append(one)
    if not by_subject:
        return None
    people, random = list(by_subject.values()), np.random.default_rng(0)
    drawn = [
        figure(
            [
                one
                for index in random.integers(len(people), size=len(people))
                for one in people[index]
            ]
        )
        for _ in range(DRAWS)
    ]
    limits: list[float] = np.nanpercentile(drawn, (2.5, 97.5)).tolist()
    return limits


def hits(outcomes: Sequence[Outcome]) -> float:
    """The part of the marked expressions with an event within them."""
    marked = [one.hit for one in outcomes if one.marked]
    return fmean(marked) if marked else float("nan")


def stability(recordings: Sequence[Recording]) -> dict[str, float]:
    """F1 at IoU .5 between the events of clips as they are and of the same, changed."""
    shared = dict.fromkeys(CHANGES, 0)
    both = dict.fromkeys(CHANGES, 0)
    for recording in tqdm(recordings, unit="clip", disable=None):
        first = _expressions(spotted(recording.frames()))
        for name, changed in CHANGES.items():
            again = _expressions(spotted(changed(recording.frames())))
            shared[name] += 2 * len(matched(first, again))
            both[name] += len(first) + len(again)
    return {name: shared[name] / both[name] if both[name] else 1.0 for name in CHANGES}


def _expressions(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.kind in EXPRESSIONS]


def _half_size(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        height, width = frame.image.shape[:2]
        size = width // 2, height // 2
        yield replace(frame, image=cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))


def _quality(quality: int, frames: Iterable[Frame]) -> Iterator[Frame]:
    for one in frames:
        file = np.frombuffer(clips.jpeg(one.image, quality), np.uint8)
        yield replace(one, image=np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR_RGB)))


def _mirrored(frames: Iterable[Frame]) -> Iterator[Frame]:
    return (replace(one, image=np.ascontiguousarray(one.image[:, ::-1])) for one in frames)


def _later(frames: Iterable[Frame]) -> Iterator[Frame]:
    return islice(frames, 1, None)


def _half_rate(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Every other frame where there are more than 50 a second, else all."""
    every = list(frames)
    fast = len(every) > 1 and every[-1].time_ms - every[0].time_ms < 20 * (len(every) - 1)
    return iter(every[::2] if fast else every)


CHANGES: Final[dict[str, Changed]] = {
    "half size": _half_size,
    "JPEG 90": partial(_quality, 90),
    "JPEG 70": partial(_quality, 70),
    "JPEG 50": partial(_quality, 50),
    "mirrored": _mirrored,
    "30 for 60 fps": _half_rate,
    "a frame later": _later,
}
