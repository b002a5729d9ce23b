"""Wilson's interval of a proportion, and McNemar's test with Holm's correction."""

import math
from collections.abc import Collection, Mapping
from itertools import combinations
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.05  # probability of any false difference among all pairs together


def wilson(right: int, total: int) -> list[float]:
    """Return the 95 % interval of the proportion `right` / `total` (Wilson 1927), 0..1."""
    squared = NormalDist().inv_cdf(0.975) ** 2
    middle = (right + squared / 2) / (total + squared)
    half = math.sqrt(squared * (right * (total - right) / total + squared / 4)) / (total + squared)
    return [max(0.0, middle - half), min(1.0, middle + half)]


def mcnemar(one: Collection[str], other: Collection[str]) -> float:
    """Return the p-value of McNemar's exact test that two networks are equally good (1947).

    Of the test pictures that each got wrong, those count that the other got right.
    """
    only_one, only_other = len(set(one) - set(other)), len(set(other) - set(one))
    together, fewer = only_one + only_other, min(only_one, only_other)
    tail = sum(math.comb(together, count) for count in range(fewer + 1))  # of 2 ** together cases
    return min(1.0, float(2 * tail / 2**together))


def significant_pairs(mistakes: Mapping[str, Collection[str]]) -> set[tuple[str, str]]:
    """Return the pairs (better, worse) of networks whose difference is significant.

    Told by the pictures of one test that each got wrong; Holm's correction (1979) keeps the
    probability of any false difference at LEVEL.
    """
    pairs = list(combinations(sorted(mistakes, key=lambda name: len(mistakes[name])), 2))
    values = {pair: mcnemar(mistakes[pair[0]], mistakes[pair[1]]) for pair in pairs}
    found: set[tuple[str, str]] = set()
    for rank, pair in enumerate(sorted(pairs, key=lambda pair: values[pair])):
        if values[pair] > LEVEL / (len(pairs) - rank):
            break
        found.add(pair)
    return found
