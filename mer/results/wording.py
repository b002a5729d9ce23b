"""How answers and shares are worded, the same on every surface."""

from collections.abc import Mapping
from typing import Final

UNSURE: Final = "#aab2ba"  # of an unsure face's box, whatever it looks like
_SECOND: Final = 0.05  # least probability of a second choice that is named


def percent(share: float, digits: int = 0) -> str:
    """0.8534 -> '85 %'; what is there but would be rounded to nothing is '<1 %'."""
    least = 10.0**-digits
    return f"<{least:g} %" if 0 < 100 * share <= least / 2 else f"{100 * share:.{digits}f} %"


def limits(thresholds: Mapping[str, float]) -> str:
    """'91 %', or '60 % (happiness) to 95 % (disgust)' where classes differ."""
    low, high = (pick(thresholds, key=lambda name: thresholds[name]) for pick in (min, max))
    if thresholds[low] == thresholds[high]:
        return percent(thresholds[low])
    return f"{percent(thresholds[low])} ({low}) to {percent(thresholds[high])} ({high})"


def told(emotion: str, share: float, sure: bool = True) -> str:
    """'disgust 38 %', or 'unsure: disgust 38 %'."""
    return f"{'' if sure else 'unsure: '}{emotion} {percent(share)}"


def choices(shares: Mapping[str, float], count: int, *, sure: bool = True) -> list[str]:
    """So many likeliest classes as `told`; "" for a second or third of less than 5 %."""
    (best, share), *others = sorted(shares.items(), key=lambda one: -one[1])[:count]
    return [told(best, share, sure), *(told(*one) if one[1] >= _SECOND else "" for one in others)]
