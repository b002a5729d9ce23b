"""Which networks are really better than others, by their mistakes on the same pictures."""

import math
from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Final

LEVEL: Final = 0.05  # of a chance find among all pairs together


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


def apart(mistakes: Mapping[str, Collection[str]]) -> set[tuple[str, str]]:
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
