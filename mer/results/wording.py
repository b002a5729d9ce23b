"""How answers and shares are worded, the same on every surface."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from mer.faces.measures import BLENDSHAPES

UNSURE: Final = "#aab2ba"  # of an unsure face's box, whatever it looks like
SECOND: Final = 0.05  # least probability of a second choice that is named
_STRONGEST: Final = 6  # blendshapes that are told,
_LEAST: Final = 0.2  # of at least this value


def percent(share: float, digits: int = 0) -> str:
    """0.8534 -> '85 %'; what is there but would be rounded to nothing is '<1 %'."""
    least = 10.0**-digits
    return f"<{least:g} %" if 0 < 100 * share <= least / 2 else f"{100 * share:.{digits}f} %"


def counted(count: int, thing: str) -> str:
    """'1 face' or '3 faces'."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


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
    if len(samples) < 2:
        return [percent(one, 1) for one in middle.tolist()]
    half = 1.96 * samples.std(axis=0, ddof=1) / len(samples) ** 0.5
    low, high = (100 * np.clip(middle + by, 0, 1) for by in (-half, half))
    return [
        f"{percent(one, 1)} ({a:.1f}\N{EN DASH}{b:.1f})"
        for one, a, b in zip(middle.tolist(), low.tolist(), high.tolist(), strict=True)
    ]


def told(emotion: str, share: float, sure: bool = True) -> str:
    """'disgust 38 %', or 'unsure: disgust 38 %'."""
    return f"{'' if sure else 'unsure: '}{emotion} {percent(share)}"


def choices(shares: Mapping[str, float], count: int, *, sure: bool = True) -> list[str]:
    """So many likeliest classes as `told`; "" for a second or third of less than 5 %."""
    (best, share), *others = sorted(shares.items(), key=lambda one: -one[1])[:count]
    return [told(best, share, sure), *(told(*one) if one[1] >= SECOND else "" for one in others)]


def measured(figures: Mapping[str, float]) -> list[tuple[str, str]]:
    """The figures of a measured face, each with its name; of blendshapes the strongest."""
    pose = _degrees(figures, "yaw", "pitch", "roll")
    open_ = figures["gaze_right"] == figures["gaze_right"]  # NaN where both eyes are shut
    return [
        ("Head: yaw, pitch, roll", pose),
        ("Gaze: right, down", _degrees(figures, "gaze_right", "gaze_down") if open_ else "–"),
        ("Eyes open: right, left", _parts(figures, "right_eye_open", "left_eye_open")),
        ("Mouth open", _parts(figures, "mouth_open")),
        *((_called(name), _parts(figures, name)) for name in _strongest(figures)),
    ]


def _strongest(figures: Mapping[str, float]) -> list[str]:
    named = [name for name in BLENDSHAPES if name != "_neutral" and figures[name] >= _LEAST]
    return sorted(named, key=lambda name: -figures[name])[:_STRONGEST]


def _called(name: str) -> str:
    unit = BLENDSHAPES[name]
    return f"{name} ({unit})" if unit else name


def _degrees(figures: Mapping[str, float], *names: str) -> str:
    return ", ".join(f"{round(figures[name]):+d}°" for name in names)


def _parts(figures: Mapping[str, float], *names: str) -> str:
    return ", ".join(f"{figures[name]:.2f}" for name in names)
