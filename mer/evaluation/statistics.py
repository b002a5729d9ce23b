"""Intervals of shares, and which networks are really better: Wilson's and McNemar's methods."""

import math
from collections.abc import Collection, Mapping
from itertools import combinations
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.05  # of a chance find among all pairs together


def wilson(right: int, total: int) -> list[float]:
    """The interval of 95 % about the share of `right` among `total` (Wilson 1927), 0..1."""
    squared = NormalDist().inv_cdf(0.975) ** 2
    middle = (right + squared / 2) / (total + squared)
    half = math.sqrt(squared * (right * (total - right) / total + squared / 4)) / (total + squared)
    return [max(0.0, middle - half), min(1.0, middle + half)]


def mcnemar(one: Collection[str], other: Collection[str]) -> float:
    """The probability that chance alone sets two networks so far apart: McNemar's exact test.

    Only the pictures count that one of them got right and the other wrong (McNemar 1947).

    Args:
        one, other: names of the pictures that each got wrong, of the same test pictures.
    """
    only_one, only_other = len(set(one) - set(other)), len(set(other) - set(one))
    together, fewer = only_one + only_other, min(only_one, only_other)
    tail = sum(math.comb(together, count) for count in range(fewer + 1))  # of 2 ** together
    return min(1.0, float(2 * tail / 2**together))


def significant_pairs(mistakes: Mapping[str, Collection[str]]) -> set[tuple[str, str]]:
    """Pairs (better, worse) of networks whose difference is more than chance.

    Holm's correction (1979) keeps the probability of any chance find among all pairs at LEVEL.

    Args:
        mistakes: the pictures that each network got wrong, of the same test pictures.
    """
    pairs = list(combinations(sorted(mistakes, key=lambda name: len(mistakes[name])), 2))
    values = {pair: mcnemar(mistakes[pair[0]], mistakes[pair[1]]) for pair in pairs}
    found: set[tuple[str, str]] = set()
    for rank, pair in enumerate(sorted(pairs, key=lambda pair: values[pair])):
        if values[pair] > LEVEL / (len(pairs) - rank):
            break
        found.add(pair)
    return found
