"""Expressions, blinks and speech in a person's motion: onset, apex and offset of each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from mer.video.motion import peaks
from mer.video.motion.peaks import Nearby, Peak, nms
from mer.video.motion.region_signals import stretches
from mer.video.motion.speech import speech
from mer.video.types import GAP_MS, MICRO_MS, PARTS, REGIONS, Event

EYES: Final = ("right eye", "left eye")
MOUTH: Final = PARTS["mouth"]

SHORTEST_MS: Final = 80.0  # an expression lasts no shorter
TOGETHER: Final = 0.1  # of the shorter of two motions that they share, to be one expression

BLINK_MS: Final = 600.0  # a blink lasts no longer
DRAGGED: Final = 0.5  # of the lids' motion by which a blink pulls brows and nose down at most,
LEAKED: Final = 0.15  # and by which it seems to move anything any other way
BEFORE_MS: Final = 150.0  # a blink's onset, a motion may begin that is its doing
HELD: Final = 0.7  # of speech that a larger motion of the mouth covers, to be what it was instead
SHAKEN: Final = 0.15  # of speech's motion by which it moves the rest of the face at most


def spot(person: int, times_ms: np.ndarray, direction: np.ndarray, *, micro: bool) -> list[Event]:
    """Events of one person, by onset.

    Args:
        person: the person's number.
        times_ms: float (n,), rising.
        direction: float (n, len(REGIONS), 2), as `region_signals.Motion.arrays` gives it; NaN
            where nothing was measured.
        micro: whether micro-expressions are claimed: `Timing.micro` of the video. If not, what
            seems as brief is called macro: between two frames a face may have moved for longer.
    """
    parts = [part for part in stretches(times_ms, direction) if len(part) > 2]
    signals = [peaks.resampled(times_ms[part], direction[part]) for part in parts]
    noise = peaks.noise(signals)
    events: list[Event] = []
    for part, signal in zip(parts, signals, strict=True):
        events += _events(person, times_ms[part], signal, noise, micro)
    return sorted(events, key=lambda event: event.onset_ms)


def _events(
    person: int, times_ms: np.ndarray, signal: np.ndarray, noise: np.ndarray, micro: bool
) -> list[Event]:
    """The events of a stretch in which the face was seen without a gap."""
    start = float(times_ms[0])
    mouth = [REGIONS.index(region) for region in MOUTH]
    found = [
        peak
        for number, region in enumerate(REGIONS)
        for peak in peaks.peaks(start, signal[:, number], region, float(noise[number]))
    ]
    spoken = speech(start, signal[:, mouth], float(noise[mouth].mean()))
    spoken = [one for one in spoken if not any(_holds(peak, one) for peak in found)]
    blinks, found = _blinks(found)
    events = [replace(_event(person, "speech", [one]), regions=MOUTH) for one in spoken]
    events += [_event(person, "blink", [blink]) for blink in blinks]
    found = [peak for peak in found if not _shaken(spoken, peak)]
    for group in _expressions(found):
        brief = _brief(group[0])
        if not brief or _followed(times_ms, group[0]):
            events.append(_event(person, "micro" if brief and micro else "macro", group))
    return events


def _holds(peak: Peak, one: Peak) -> bool:
    """Whether a longer, larger motion of the mouth, such as a smile, explains what seems another.

    Where teeth show, the flow of the lips jumps to and fro.
    """
    longer = peak.overlap(one) >= HELD * one.length
    return peak.region in MOUTH and peak.pixels > one.pixels and longer


def _rippled(found: Nearby, peak: Peak) -> bool:
    """Whether a motion of the mouth is a ripple on a larger one."""
    return peak.region in MOUTH and any(_holds(one, peak) for one in found.of(peak))


def _shaken(spoken: Sequence[Peak], peak: Peak) -> bool:
    """Whether a motion is a part of speech, or no more than what it does to its surroundings."""
    return any(
        one.overlap(peak) >= 0.5 * peak.length
        and (peak.region in MOUTH or peak.pixels < SHAKEN * one.pixels)
        for one in spoken
    )


def _largest(found: list[Peak]) -> list[Peak]:
    return sorted(found, key=lambda peak: -peak.pixels)


def _blinks(found: list[Peak]) -> tuple[list[Peak], list[Peak]]:
    """Where both eyes close for a moment, and the peaks that are no part of that."""
    closing = [p for p in found if p.length <= BLINK_MS and p.direction.startswith("down")]
    sides = [[peak for peak in closing if peak.region == eye] for eye in EYES]
    others = Nearby(sides[1])
    blinks = [
        max(first, other, key=lambda peak: peak.pixels)
        for first in sides[0]
        for other in others.of(first)
        if first.shares(other)
    ]
    blinks = nms(_largest(blinks))
    near = Nearby(blinks)
    rest = [peak for peak in found if peak.region not in EYES]
    return blinks, [p for p in rest if not any(_drags(blink, p) for blink in near.of(p))]


def _drags(blink: Peak, peak: Peak) -> bool:
    """Whether a motion is no more than what a blink does to its surroundings."""
    down = peak.region not in MOUTH and peak.direction.startswith("down")
    most = DRAGGED if down else LEAKED
    within = blink.onset - BEFORE_MS <= peak.onset <= blink.offset
    return within and peak.pixels < most * blink.pixels


def _expressions(found: list[Peak]) -> list[list[Peak]]:
    """The motions of each expression, the strongest first: it may move many regions."""
    groups: dict[Peak, list[Peak]] = {}
    nearby = Nearby()
    every = Nearby(found)
    for peak in sorted(found, key=lambda peak: (_rippled(every, peak), -peak.surety)):
        if peak.length < SHORTEST_MS:
            continue
        main = next((one for one in nearby.of(peak) if one.shares(peak, TOGETHER)), peak)
        groups.setdefault(main, []).append(peak)
        if main is peak:
            nearby.add(peak)
    return list(groups.values())


def _brief(peak: Peak) -> bool:
    # How long the face stayed as it was after its motion could no longer be followed, none knows.
    return peak.length <= MICRO_MS and peak.closed


def _followed(times_ms: np.ndarray, peak: Peak) -> bool:
    """Whether no frames are missing while it lasts."""
    within = (times_ms[1:] > peak.onset) & (times_ms[:-1] < peak.offset)
    return float(np.diff(times_ms)[within].max(initial=0.0)) <= GAP_MS


def _event(person: int, kind: str, group: list[Peak]) -> Event:
    main = group[0]
    moved = {peak.region for peak in group}
    regions = tuple(region for region in REGIONS if region in moved)
    times = main.onset, main.apex, main.offset
    figures = main.pixels, main.strength
    return Event(person, kind, *times, main.region, main.direction, *figures, regions)
