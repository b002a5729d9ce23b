"""A spotter's events against a made clip's truth."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np

from benchmarks.synthetic.clips import Clip
from mer.video.types import Event

IOU: Final = 0.5  # intervals that share as much, of both together, are one event
EXPRESSIONS: Final = ("micro", "macro")


@dataclass(frozen=True)
class Score:
    """What was found in one clip.

    Attributes:
        fps: frames a second.
        pixels: displacement of the expressions; 0 where there are none.
        spoken: stretches of speech.
        seconds: length of the clip.
        micro, macro: expressions in it.
        found: expressions that the spotter claims.
        micro_matched, macro_matched: of those in it, how many were found.
        onset_ms, apex_ms: mean absolute errors of those; NaN without any.
        called: part of the time of speech that is called speech; NaN without any.
    """

    fps: float
    pixels: float
    spoken: int
    seconds: float
    micro: int
    macro: int
    found: int
    micro_matched: int
    macro_matched: int
    onset_ms: float
    apex_ms: float
    called: float

    @property
    def f1(self) -> float:
        """Of micro and macro together, whichever the spotter called them; NaN with no event."""
        events = self.micro + self.macro + self.found
        return 2 * (self.micro_matched + self.macro_matched) / events if events else math.nan


def score(clip: Clip, found: Iterable[Event]) -> Score:
    """Compare events with a clip's truth. Only micro- and macro-expressions count."""
    truth = [event for event in clip.truth if event.kind in EXPRESSIONS]
    every = list(found)
    claimed = [event for event in every if event.kind in EXPRESSIONS]
    pairs = matched(truth, claimed)
    kinds = [event.kind for event in truth]
    got = [event.kind for event, _ in pairs]
    onsets = [abs(one.onset_ms - other.onset_ms) for one, other in pairs]
    apexes = [abs(one.apex_ms - other.apex_ms) for one, other in pairs]
    return Score(
        fps=clip.fps,
        pixels=max((event.pixels for event in truth), default=0.0),
        spoken=sum(event.kind == "speech" for event in clip.truth),
        seconds=clip.seconds,
        micro=kinds.count("micro"),
        macro=kinds.count("macro"),
        found=len(claimed),
        micro_matched=got.count("micro"),
        macro_matched=got.count("macro"),
        onset_ms=fmean(onsets) if onsets else math.nan,
        apex_ms=fmean(apexes) if apexes else math.nan,
        called=_called(clip.truth, every),
    )


def _called(truth: Sequence[Event], found: Sequence[Event]) -> float:
    spoken, called = (
        [event for event in some if event.kind == "speech"] for some in (truth, found)
    )
    shared = [
        max(0.0, min(one.offset_ms, other.offset_ms) - max(one.onset_ms, other.onset_ms))
        for one in spoken
        for other in called
    ]
    whole = sum(one.offset_ms - one.onset_ms for one in spoken)
    return sum(shared) / whole if whole else math.nan


def matched(truth: Sequence[Event], found: Sequence[Event]) -> list[tuple[Event, Event]]:
    """Pairs of events whose intervals share IOU or more, the best first, each event once."""
    shared = np.array([[overlap(one, other) for other in found] for one in truth])
    pairs = []
    while shared.size and shared.max() >= IOU:
        i, j = divmod(int(shared.argmax()), len(found))
        pairs.append((truth[i], found[j]))
        shared[i], shared[:, j] = 0, 0
    return pairs


def overlap(one: Event, other: Event) -> float:
    """Intersection over union of the two intervals, 0..1."""
    both = min(one.offset_ms, other.offset_ms) - max(one.onset_ms, other.onset_ms)
    lengths = one.offset_ms - one.onset_ms + other.offset_ms - other.onset_ms
    return max(both, 0.0) / (lengths - max(both, 0.0)) if lengths else 0.0
