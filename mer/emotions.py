"""The seven classes, in the paper's order, and the one colour each has everywhere."""

import itertools
from collections.abc import Sequence
from typing import Final

# Readable on white and on near-black, and told apart with the common colour blindnesses
# (derived from the Okabe-Ito palette).
COLORS: Final[dict[str, str]] = {
    "anger": "#d55e00",
    "disgust": "#6f9e3f",
    "fear": "#9467bd",
    "happiness": "#e6a000",
    "neutral": "#888888",
    "sadness": "#2a7fc0",
    "surprise": "#cc79a7",
}
EMOTIONS: Final[tuple[str, ...]] = tuple(COLORS)


def colors(classes: Sequence[str]) -> dict[str, str]:
    """The colour of each class; those that are none of the seven share the colours left over."""
    left = [color for name, color in COLORS.items() if name not in classes]
    spare = itertools.cycle(left or COLORS.values())
    return {name: COLORS.get(name) or next(spare) for name in classes}
