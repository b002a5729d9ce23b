"""Expressions, blinks and speech in a person's motion: onset, apex and offset of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mer.video.motion import peaks
from mer.video.motion.peaks import DIRECTIONS, STEP_MS, Nearby, Peak
from mer.video.motion.region_signals import stretches
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


@dataclass(frozen=True)
class Speech:
    """What makes speech; measured on real clips without a word and on made speech."""

    pixels: float = 0.4  # that a syllable must have,
    strength: float = 4.0  # and its multiple of the noise
    syllable_ms: float = 500.0  # how long one takes at most, there and back
    apart_ms: float = 100.0  # between two at least: the mouth's parts move together
    pause_ms: float = 600.0  # from one to the next at most
    around_ms: float = 2000.0  # before and after it, to which a syllable is compared
    faint: float = 0.15  # part of all that the mouth moves in that time that each has at least,
    clear: float = 0.35  # and that some have: the ripples on a lasting smile do not
    fewest: int = 3  # clear ones that make speech
    shortest_ms: float = 1000.0  # how long speech lasts at least, with margin_ms before and after
    margin_ms: float = 170.0
    rhythm_ms: float = 450.0  # from one syllable to the next on average at most
    breath_ms: float = 2000.0  # two stretches that are no farther apart are one


SPEECH: Final = Speech()


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
    found = [
        peak
        for number, region in enumerate(REGIONS)
        for peak in peaks.peaks(start, signal[:, number], region, float(noise[number]))
    ]
    mouth = [REGIONS.index(region) for region in MOUTH]
    spoken = _speech(start, signal[:, mouth], float(noise[mouth].mean()))
    spoken = [one for one in spoken if not any(_holds(peak, one) for peak in found)]
    blinks, found = _blinks(found)
    named: list[tuple[str, Peak, Collection[str]]] = [("speech", one, MOUTH) for one in spoken]
    named += [("blink", one, (one.region,)) for one in blinks]
    for group in _expressions([peak for peak in found if not _shaken(spoken, found, peak)]):
        main = group[0]
        # Of a motion that could no longer be followed, none knows how long the face stayed so.
        brief = main.length <= MICRO_MS and main.closed
        within = (times_ms[1:] > main.onset) & (times_ms[:-1] < main.offset)
        missing = float(np.diff(times_ms)[within].max(initial=0.0)) > GAP_MS
        if not (brief and missing):
            kind = "micro" if brief and micro else "macro"
            named.append((kind, main, {peak.region for peak in group}))
    return [_event(person, *one) for one in named]


def _event(person: int, kind: str, main: Peak, moved: Collection[str]) -> Event:
    times, figures = (main.onset, main.apex, main.offset), (main.pixels, main.strength)
    regions = tuple(region for region in REGIONS if region in moved)
    return Event(person, kind, *times, main.region, main.direction, *figures, regions)


def _holds(peak: Peak, one: Peak) -> bool:
    """Whether a longer, larger motion of the mouth, such as a smile, explains another."""
    # Where teeth show, the flow of the lips jumps to and fro.
    longer = peak.overlap(one) >= HELD * one.length
    return peak.region in MOUTH and peak.pixels > one.pixels and longer


def _shaken(spoken: Sequence[Peak], found: Sequence[Peak], peak: Peak) -> bool:
    """Whether a motion is a part of speech, or no more than what it does to its surroundings.

    A part of it is also how the mouth opens before the first word and closes after the last, which
    is no larger than what the same region moves in speech: a smile of its corners is.
    """
    for one in spoken:
        if _inside(one, peak):
            if peak.region in MOUTH or peak.pixels < SHAKEN * one.pixels:
                return True
        elif peak.region in MOUTH and one.overlap(peak) > 0:
            said = [p.pixels for p in found if p.region == peak.region and _inside(one, p)]
            if peak.pixels <= max(said, default=0.0):
                return True
    return False


def _inside(one: Peak, other: Peak) -> bool:
    """Whether half of the other lies within one, or more."""
    return one.overlap(other) >= 0.5 * other.length


def _blinks(found: list[Peak]) -> tuple[list[Peak], list[Peak]]:
    """Where both eyes close for a moment, and the peaks that are no part of that."""
    closing = [p for p in found if p.length <= BLINK_MS and p.direction.startswith("down")]
    right, left = ([peak for peak in closing if peak.region == eye] for eye in EYES)
    others = Nearby(left)
    both = [
        max(one, other, key=lambda peak: peak.pixels)
        for one in right
        for other in others.of(one)
        if one.shares(other)
    ]
    blinks = peaks.suppressed(sorted(both, key=lambda peak: -peak.pixels), Peak.shares)
    near = Nearby(blinks)
    rest = [peak for peak in found if peak.region not in EYES]
    return blinks, [p for p in rest if not any(_drags(blink, p) for blink in near.of(p))]


def _drags(blink: Peak, peak: Peak) -> bool:
    """Whether a motion is no more than what a blink does to its surroundings."""
    down = peak.region not in MOUTH and peak.direction.startswith("down")
    within = blink.onset - BEFORE_MS <= peak.onset <= blink.offset
    return within and peak.pixels < (DRAGGED if down else LEAKED) * blink.pixels


def _expressions(found: list[Peak]) -> list[list[Peak]]:
    """The motions of each expression, the strongest first: it may move many regions."""
    groups: dict[Peak, list[Peak]] = {}
    nearby, every = Nearby(), Nearby(found)

    def order(peak: Peak) -> tuple[bool, float]:
        """Ripples on a larger motion of the mouth come last."""
        rippled = peak.region in MOUTH and any(_holds(one, peak) for one in every.of(peak))
        return rippled, -peak.surety

    for peak in sorted(found, key=order):
        if peak.length < SHORTEST_MS:
            continue
        main = next((one for one in nearby.of(peak) if one.shares(peak, TOGETHER)), peak)
        groups.setdefault(main, []).append(peak)
        if main is peak:
            nearby.add(peak)
    return list(groups.values())


def _speech(start_ms: float, mouth: np.ndarray, spread: float) -> list[Peak]:
    """Stretches of speech, by onset; the apex is that of the largest syllable.

    The mouth's regions, float (m, k, 2), are `resampled` from `start_ms` on, `spread` their noise.
    """
    turns, end = _turns(mouth, spread), start_ms + (len(mouth) - 1) * STEP_MS
    times = start_ms + turns[:, 0] * STEP_MS
    found: list[Peak] = []
    for run in np.split(
        np.arange(len(turns)), np.flatnonzero(np.diff(times) > SPEECH.pause_ms) + 1
    ):
        if (turns[run, 2] >= SPEECH.clear).sum() < SPEECH.fewest:
            continue
        first, last = times[run[[0, -1]]].tolist()
        length = last - first + 2 * SPEECH.margin_ms
        if not SPEECH.shortest_ms <= length <= SPEECH.rhythm_ms * len(run):
            continue
        onset, offset = max(first - SPEECH.margin_ms, start_ms), min(last + SPEECH.margin_ms, end)
        most = run[turns[run, 1].argmax()]
        apex, pixels = float(times[most]), float(turns[most, 1])
        one = Peak("lips", "down", onset, apex, offset, pixels, pixels / spread, closed=True)
        if found and onset - found[-1].offset <= SPEECH.breath_ms:
            before = found.pop()
            larger = max(before, one, key=lambda stretch: stretch.pixels)
            one = replace(larger, onset=before.onset, offset=offset)
        found.append(one)
    return found


def _turns(mouth: np.ndarray, spread: float) -> np.ndarray:
    """Where the mouth opens and closes most: steps, pixels, and parts of all its motion, (n, 3)."""
    reach, least = round(SPEECH.around_ms / STEP_MS), max(SPEECH.pixels, SPEECH.strength * spread)
    found = list[tuple[float, int, float]]()
    for line in np.moveaxis(mouth, 1, 0):
        for axis in DIRECTIONS.values():
            along = line @ np.array(axis, np.float32)
            for top, pixels in peaks.tops(along, least, SPEECH.syllable_ms):
                around = line[max(0, top - reach) : top + reach + 1]
                found.append((pixels, top, pixels / float(np.hypot(*np.ptp(around, axis=0)))))
    kept, taken = [], np.zeros(len(mouth), bool)
    apart = round(SPEECH.apart_ms / STEP_MS) - 1
    for pixels, top, part in sorted(found, reverse=True):
        if part >= SPEECH.faint and not taken[top]:
            taken[max(0, top - apart) : top + apart + 1] = True
            kept.append((top, pixels, part))
    return np.reshape(sorted(kept), (-1, 3))
