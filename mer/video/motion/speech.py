"""Speech in the motion of a mouth: it opens and closes in a rhythm, for a second or more."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mer.video.motion.peaks import DIRECTIONS, STEP_MS, Peak


@dataclass(frozen=True)
class Limits:
    """What makes speech; measured on real clips without a word and on made speech."""

    # What a syllable must have, and its multiple of the noise.
    pixels: float = 0.4
    strength: float = 4.0
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
    breath_ms: float = 1500.0  # two stretches that are no farther apart are one


LIMITS: Final = Limits()


@dataclass(frozen=True)
class _Turn:
    """The mouth turns: when (ms), by how many pixels, and which part of all its motion that is."""

    time: float
    pixels: float
    part: float


def speech(start_ms: float, mouth: np.ndarray, spread: float) -> list[Peak]:
    """Stretches of speech, by onset; the apex is that of the largest syllable.

    The mouth's regions are float (m, k, 2) from `start_ms` on, as `peaks.resampled` gives them, and
    `spread` is their noise in pixels.
    """
    runs: list[list[_Turn]] = []
    for turn in _turns(start_ms, mouth, spread):
        if runs and turn.time - runs[-1][-1].time <= LIMITS.pause_ms:
            runs[-1].append(turn)
        else:
            runs.append([turn])
    end = start_ms + (len(mouth) - 1) * STEP_MS
    found: list[Peak] = []
    for run in filter(_spoken, runs):
        onset = max(run[0].time - LIMITS.margin_ms, start_ms)
        most = max(run, key=lambda turn: turn.pixels)
        offset = min(run[-1].time + LIMITS.margin_ms, end)
        figures = most.pixels, most.pixels / spread
        one = Peak("lips", "down", onset, most.time, offset, *figures, closed=True)
        if found and onset - found[-1].offset <= LIMITS.breath_ms:
            before = found.pop()
            larger = max(before, one, key=lambda stretch: stretch.pixels)
            one = replace(larger, onset=before.onset, offset=offset)
        found.append(one)
    return found


def _turns(start_ms: float, mouth: np.ndarray, spread: float) -> list[_Turn]:
    """Where the mouth opens and closes most, by time, whichever of its regions shows it."""
    from scipy import signal

    reach, wide = round(LIMITS.around_ms / STEP_MS), 2 * round(LIMITS.syllable_ms / STEP_MS) + 1
    least = max(LIMITS.pixels, LIMITS.strength * spread)
    found = list[tuple[float, int, float]]()
    for line in np.moveaxis(mouth, 1, 0):
        for axis in DIRECTIONS.values():
            along = line @ np.array(axis, np.float32)
            level = (None, wide // 2 - 1)  # a plateau as wide has no height
            tops, shape = signal.find_peaks(along, plateau_size=level, prominence=least, wlen=wide)
            for top, pixels in zip(tops.tolist(), shape["prominences"].tolist(), strict=True):
                around = line[max(0, top - reach) : top + reach + 1]
                found.append((pixels, top, pixels / float(np.hypot(*np.ptp(around, axis=0)))))
    kept, taken = list[_Turn](), np.zeros(len(mouth), bool)
    apart = round(LIMITS.apart_ms / STEP_MS) - 1
    for pixels, top, part in sorted(found, reverse=True):
        if part >= LIMITS.faint and not taken[top]:
            taken[max(0, top - apart) : top + apart + 1] = True
            kept.append(_Turn(start_ms + top * STEP_MS, pixels, part))
    return sorted(kept, key=lambda turn: turn.time)


def _spoken(run: list[_Turn]) -> bool:
    length = run[-1].time - run[0].time + 2 * LIMITS.margin_ms
    clear = sum(turn.part >= LIMITS.clear for turn in run)
    return (
        clear >= LIMITS.fewest
        and length >= LIMITS.shortest_ms
        and length <= LIMITS.rhythm_ms * len(run)
    )
