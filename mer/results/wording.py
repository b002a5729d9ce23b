"""How answers and shares are worded, the same on every surface."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from mer.faces.measures import BLENDSHAPES

UNSURE: Final = "#aab2ba"  # of an unsure face's box, whatever it looks like
SECOND: Final = 0.05  # least probability of a second choice that is named
_STRONGEST: Final = 6  # blendshapes that are told,
_LEAST: Final = 0.2  # of at least this value


def percent(share: float | None, digits: int = 0) -> str:
    """0.8534 -> '85 %', None -> '–'; what is there but would be rounded to nothing is '<1 %'."""
    if share is None:
        return "–"
    least = 10.0**-digits
    return f"<{least:g} %" if 0 < 100 * share <= least / 2 else f"{100 * share:.{digits}f} %"


def counted(count: int, thing: str, things: str = "") -> str:
    """'1 face' or '3 faces'; '2 people' where `things` says so."""
    return f"{count} {thing if count == 1 else things or f'{thing}s'}"


def limits(thresholds: Mapping[str, float]) -> str:
    """'91 %', or '60 % (happiness) to 95 % (disgust)' where classes differ."""
    low, high = (pick(thresholds, key=lambda name: thresholds[name]) for pick in (min, max))
    if thresholds[low] == thresholds[high]:
        return percent(thresholds[low])
    return f"{percent(thresholds[low])} ({low}) to {percent(thresholds[high])} ({high})"


def mean(shares: np.ndarray, samples: np.ndarray) -> list[str]:
    """'57.7 % (23.0–92.3)' a column: the mean of `shares`, and its interval of 95 %.

    The interval is that of the mean of `samples`, which have the same columns and count as
    independent of one another; with fewer than two of them there is none.
    """
    middle = shares.mean(axis=0)
    told = [percent(one, 1) for one in middle.tolist()]
    if len(samples) < 2:
        return told
    half = 1.96 * samples.std(axis=0, ddof=1) / len(samples) ** 0.5
    low, high = (100 * np.clip([middle - half, middle + half], 0, 1)).tolist()
    return [f"{a} ({b:.1f}\N{EN DASH}{c:.1f})" for a, b, c in zip(told, low, high, strict=True)]


def told(emotion: str, share: float, sure: bool = True) -> str:
    """'disgust 38 %', or 'unsure: disgust 38 %'."""
    return f"{'' if sure else 'unsure: '}{emotion} {percent(share)}"


def choices(shares: Mapping[str, float], count: int, *, sure: bool = True) -> list[str]:
    """So many likeliest classes as `told`; "" for a second or third of less than 5 %."""
    (best, share), *others = sorted(shares.items(), key=lambda one: -one[1])[:count]
    return [told(best, share, sure), *(told(*one) if one[1] >= SECOND else "" for one in others)]


def measured(figures: Mapping[str, float]) -> list[tuple[str, str]]:
    """The figures of a measured face, each with its name; of blendshapes the strongest."""

    def degrees(*names: str) -> str:
        return ", ".join(f"{round(figures[name]):+d}°" for name in names)

    def parts(*names: str) -> str:
        return ", ".join(f"{figures[name]:.2f}" for name in names)

    shut = np.isnan(figures["gaze_right"])  # both eyes
    shapes = [one for one in BLENDSHAPES if one != "_neutral" and figures[one] >= _LEAST]
    strongest = sorted(shapes, key=lambda name: -figures[name])[:_STRONGEST]
    units = ((name, BLENDSHAPES[name]) for name in strongest)
    return [
        ("Head: yaw, pitch, roll", degrees("yaw", "pitch", "roll")),
        ("Gaze: right, down", "–" if shut else degrees("gaze_right", "gaze_down")),
        ("Eyes open: right, left", parts("right_eye_open", "left_eye_open")),
        ("Mouth open", parts("mouth_open")),
        *((f"{name} ({unit})" if unit else name, parts(name)) for name, unit in units),
    ]
