"""Expressions, blinks and speech in a person's motion: onset, apex and offset of each."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from mer.video.motion.peaks import Nearby, Peak, Trace, distinct
from mer.video.motion.region_signals import stretches
from mer.video.types import MACRO_MS, MICRO_MS, REGIONS, Event

LEAST: Final = 0.2  # pixels of a region's mean that a motion must have, on a face of 320
SLOW: Final = 0.25  # and these where it lasts longer than a micro-expression: faces sway
STRENGTH: Final = 7.0  # multiples of the person's own noise that it must have
OPEN: Final = 0.8  # pixels that it must have where its end was not seen,
LARGE: Final = 4.0  # and these where it was seen for no longer than a micro-expression lasts
SHORTEST_MS: Final = 80.0

EYES: Final = ("right eye", "left eye")
MOUTH: Final = ("right mouth corner", "lips", "left mouth corner")
BLINK_MS: Final = 500.0  # a blink lasts no longer
LEAKED: Final = 0.15  # of the lids' motion by which a blink moves brows and nose up at most
FAR: Final = 0.05  # of it by which it moves the mouth at most; brows and nose it may drag down far
LAGGING: Final = 2.0  # times as long as a blink what it drags along takes at most
SYLLABLES: Final = 3  # in a row make speech
SYLLABLE: Final = 3.0  # multiples of the noise that one must have: who talks a lot raises the noise
PAUSE_MS: Final = 600.0  # from one of them to the next, at most
SYLLABLE_MS: Final = 1000.0  # that one lasts at most
SHAKEN: Final = 0.15  # of speech's motion by which it moves the rest of the face at most


def spot(
    person: int, times_ms: np.ndarray, motion: np.ndarray, direction: np.ndarray, *, micro: bool
) -> list[Event]:
    """Events of one person, by onset.

    Args:
        person: the person's number.
        times_ms: float (n,), rising.
        motion: float (n, len(REGIONS)), as `signals.Motion.arrays` gives it.
        direction: float (n, len(REGIONS), 2), likewise; NaN where nothing was measured.
        micro: whether micro-expressions are claimed: `Timing.micro` of the video.
    """
    parts = [part for part in stretches(times_ms, direction) if len(part) > 2]
    if not parts:
        return []
    traces = [
        Trace(region, [(times_ms[p], direction[p, number]) for p in parts], LEAST)
        for number, region in enumerate(REGIONS)
    ]
    peaks = [peak for trace in traces for peak in trace.peaks(STRENGTH, MACRO_MS)]
    spoken = _speech([trace for trace in traces if trace.region in MOUTH])
    near = Nearby(spoken)
    peaks = [peak for peak in peaks if not any(_shaken(one, peak) for one in near.of(peak))]
    blinks, peaks = _blinks(peaks)
    shown = [peak for peak in _expressions(peaks) if micro or _kind(peak) != "micro"]
    events = [_event(person, "speech", peak) for peak in spoken]
    events += [_event(person, "blink", peak) for peak in blinks]
    events += [_event(person, _kind(peak), peak) for peak in shown]
    return sorted(events, key=lambda event: event.onset_ms)


def _speech(mouth: Sequence[Trace]) -> list[Peak]:
    """Runs of short motions of the mouth, one after another, each run as one peak."""
    syllables = [p for trace in mouth for p in trace.peaks(SYLLABLE, SYLLABLE_MS)]
    runs: list[list[Peak]] = []
    for peak in sorted(distinct(_largest(syllables)), key=lambda peak: peak.apex):
        if runs and peak.apex - runs[-1][-1].apex <= PAUSE_MS:
            runs[-1].append(peak)
        else:
            runs.append([peak])
    return [_joined(run) for run in runs if len(run) >= SYLLABLES]


def _shaken(speech: Peak, peak: Peak) -> bool:
    """Whether a motion is a part of speech, or no more than what it does to its surroundings."""
    if not peak.halves(speech):
        return False
    return peak.region in MOUTH or peak.pixels < SHAKEN * speech.pixels


def _largest(peaks: list[Peak]) -> list[Peak]:
    return sorted(peaks, key=lambda peak: -peak.pixels)


def _joined(run: list[Peak]) -> Peak:
    most = max(run, key=lambda peak: peak.pixels)
    begin, end = min(peak.onset for peak in run), max(peak.offset for peak in run)
    return Peak("lips", "down", begin, most.apex, end, most.pixels, most.strength, True)


def _blinks(peaks: list[Peak]) -> tuple[list[Peak], list[Peak]]:
    """Where both eyes close for a moment, and the peaks that are no part of that."""
    sides = [[p for p in peaks if p.region == eye and p.length <= BLINK_MS] for eye in EYES]
    others = Nearby(sides[1])
    blinks = [
        max(first, other, key=lambda peak: peak.pixels)
        for first in sides[0]
        for other in others.of(first)
        if first.halves(other)
    ]
    blinks = distinct(_largest(blinks))
    near = Nearby(blinks)
    return blinks, [p for p in peaks if not any(_drags(blink, p) for blink in near.of(p))]


def _drags(blink: Peak, peak: Peak) -> bool:
    """Whether a motion is no more than what a blink does to its surroundings."""
    if not peak.halves(blink):
        return False
    if peak.region in EYES:
        return True
    most = FAR if peak.region in MOUTH else LEAKED
    upright = peak.region in MOUTH or peak.direction.startswith("up")
    small = peak.pixels < most * blink.pixels or not upright
    return small and peak.length < LAGGING * blink.length


def _expressions(peaks: list[Peak]) -> list[Peak]:
    """One peak for each expression, whatever the number of regions that it moves."""
    fit = [
        peak
        for peak in peaks
        if peak.length >= SHORTEST_MS
        and peak.region not in EYES
        and (peak.length <= MICRO_MS or peak.pixels >= SLOW)
        and (peak.closed or peak.pixels >= (OPEN if peak.length > MICRO_MS else LARGE))
    ]
    return distinct(sorted(fit, key=lambda peak: -peak.strength))


def _kind(peak: Peak) -> str:
    # How long the face stayed as it was after its motion could no longer be followed, none knows.
    return "micro" if peak.length <= MICRO_MS and peak.closed else "macro"


def _event(person: int, kind: str, peak: Peak) -> Event:
    times = peak.onset, peak.apex, peak.offset
    return Event(person, kind, *times, peak.region, peak.direction, peak.pixels, peak.strength)
