"""How well events are found in real recordings, and how far they stay when a clip is saved anew."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from typing import Final

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.real import clips
from benchmarks.real.clips import Recording
from benchmarks.spotting import spotted
from benchmarks.spotting_scores import EXPRESSIONS, matched
from mer.io.video import Frame
from mer.video.types import Event

RATES: Final = (30.0, 60.0)  # frames a second at which CASME II is shown
DRAWS: Final = 2000  # of subjects, for an interval of 95 %

Changed = Callable[[Iterable[Frame]], Iterator[Frame]]


@dataclass(frozen=True)
class Outcome:
    """What was found in one recording.

    Attributes:
        name, subject, seconds: of the recording.
        marked: whether an expression is marked in it; `micro`, whether it is one.
        neutral: whether there is no expression in it.
        claimed: expressions found; `hit`: whether one lies within the marked time.
        matched: whether one shares half with it; `onset_ms`, `apex_ms`: its errors, or None.
        beside: expressions found that share no time with the marked one.
        spoken: stretches called speech.
    """

    name: str
    subject: str
    seconds: float
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


def main(
    folder: Path,
    *,
    rates: Sequence[float] = RATES,
    every: int = 1,
    stable: bool = False,
    output: Path | None = None,
) -> str:
    """Score the spotter on the recordings of a folder, and return the tables as Markdown.

    Args:
        folder: holds casme2 and flashes.
        rates: frames a second at which CASME II is shown.
        every: only every so manieth recording of CASME II.
        stable: also spot each flash in seven changed versions, and compare.
        output: a file that gets each recording's outcome as JSON.

    Raises:
        MerError: the folder does not hold them.
    """
    sets = {
        f"CASME II between stills, {rate:g} fps": clips.casme(folder / "casme2", rate)[::every]
        for rate in rates
    }
    sets["flashes"] = flashes = clips.flashes(folder / "flashes")
    found = {name: run(recordings) for name, recordings in sets.items()}
    kept = stability(flashes) if stable else {}
    if output:
        rows = {name: [asdict(one) for one in outcomes] for name, outcomes in found.items()}
        text = json.dumps({"outcomes": rows, "stability": kept}, indent=1)
        output.write_text(text + "\n", encoding="utf-8")
    return "\n\n".join([_scores(found), *([_stable(kept)] if kept else [])])


def run(recordings: Sequence[Recording]) -> list[Outcome]:
    """Spot the events of each recording."""
    return [
        outcome(one, spotted(one.frames())) for one in tqdm(recordings, unit="clip", disable=None)
    ]


def outcome(recording: Recording, found: Sequence[Event]) -> Outcome:
    """Compare events with what is marked."""
    claimed = [event for event in found if event.kind in EXPRESSIONS]
    truth = recording.truth
    touching = [event for event in claimed if truth and _touches(event, truth)]
    pairs = matched([truth], claimed) if truth else []
    best = pairs[0][1] if pairs else None
    return Outcome(
        name=recording.name,
        subject=recording.subject,
        seconds=recording.seconds,
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


def _touches(event: Event, truth: Event) -> bool:
    return event.onset_ms < truth.offset_ms and event.offset_ms > truth.onset_ms


def f1(outcomes: Sequence[Outcome]) -> float:
    """F1 at IoU .5 of the recordings that have an expression marked; NaN without any."""
    marked = [one for one in outcomes if one.marked]
    events = len(marked) + sum(one.claimed for one in marked)
    return 2 * sum(one.matched for one in marked) / events if events else float("nan")


def interval(
    outcomes: Sequence[Outcome], figure: Callable[[Sequence[Outcome]], float]
) -> tuple[float, float]:
    """95 % of a figure, by drawing subjects with replacement."""
    by_subject: dict[str, list[Outcome]] = {}
    for one in outcomes:
        by_subject.setdefault(one.subject, []).append(one)
    if not by_subject:
        return float("nan"), float("nan")
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
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(low), float(high)


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
    return (replace(one, image=clips.compressed(one.image, quality)) for one in frames)


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


def _scores(found: dict[str, list[Outcome]]) -> str:
    rows = [
        "| set | clips | hits | F1 at IoU .5 | micro | onset, apex off by | beside, a minute | "
        "neutral: events in clips | speech |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(rows + [_row(name, outcomes) for name, outcomes in found.items()])


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    marked = [one for one in outcomes if one.marked]
    neutral = [one for one in outcomes if one.neutral]
    within = f"{sum(one.hit for one in marked)} of {len(marked)}"
    low, high = interval(marked, f1)
    found = [one for one in marked if one.onset_ms is not None and one.apex_ms is not None]
    onset = median(abs(one.onset_ms or 0) for one in found) if found else float("nan")
    apex = median(abs(one.apex_ms or 0) for one in found) if found else float("nan")
    beside = sum(one.beside for one in marked) / max(sum(one.seconds for one in marked) / 60, 1e-9)
    micro = f1([one for one in marked if one.micro])
    return (
        f"| {name} | {len(outcomes)} | {within} ({_range(interval(marked, hits))}) | "
        f"{f1(marked):.2f} ({_range((low, high))}) | {micro:.2f} | {onset:.0f}, {apex:.0f} ms | "
        f"{beside:.1f} | {sum(one.claimed for one in neutral)} in {len(neutral)} | "
        f"{sum(one.spoken for one in outcomes)} |"
    )


def _range(limits: tuple[float, float]) -> str:
    return f"{limits[0]:.2f} to {limits[1]:.2f}"


def _stable(kept: dict[str, float]) -> str:
    rows = ["| flashes, as they are and | F1 between the events of both |", "|---|---|"]
    return "\n".join(rows + [f"| {name} | {value:.2f} |" for name, value in kept.items()])
