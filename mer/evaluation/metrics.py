"""Figures of a network from its confusion matrix, and which differences between networks count."""

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mer.emotions import EMOTIONS

KEYS: Final = ("precision", "recall", "f1")
LEVEL: Final = 0.05  # probability of any false difference among all pairs together


def evaluate(confusion: np.ndarray, names: Sequence[str] = EMOTIONS) -> dict[str, Any]:
    """Compute all figures of a confusion matrix of counts by true class (rows) and answer.

    Fractions are 0..1, and the result is valid JSON: what is undefined is None. A class without a
    picture has no recall and no F1, and stays out of the macro averages and of the unweighted
    average recall (`uar`, the same as `macro_recall`); its precision is 0 where it is predicted,
    else None. A class that is never predicted has precision 0, as in scikit-learn.
    `accuracy_interval` is Wilson's, at 95 %. Kappa is None if truth and answers are all one class.
    Raises ValueError: the matrix has another shape, holds something else than counts, or is empty.
    """
    counts = _checked(confusion, len(names))
    total, hits = int(counts.sum()), counts.diagonal()
    right = int(hits.sum())
    support, named = counts.sum(axis=1), counts.sum(axis=0)
    parts = ((hits, named), (hits, support), (2 * hits, named + support))
    zeros = np.zeros(len(names))
    rows = [np.divide(*part, out=zeros.copy(), where=part[1] > 0) for part in parts]
    figures = np.stack(rows, axis=1)  # (classes, 3), in the order of KEYS
    macro, weighted = (
        dict(zip(KEYS, np.average(figures, axis=0, weights=weights).tolist(), strict=True))
        for weights in (support > 0, support)
    )
    chance = float(named @ support) / float(total) ** 2  # agreement by chance, for Cohen's kappa
    per_class: dict[str, dict[str, float | None]] = {}
    for name, row, given, n in zip(names, figures.tolist(), named, support.tolist(), strict=True):
        known = row if n else (0.0 if given else None, None, None)
        per_class[name] = {**dict(zip(KEYS, known, strict=True)), "support": n}
    return {
        "n": total,
        "accuracy": right / total,
        "accuracy_interval": wilson(right, total),
        "uar": macro["recall"],
        **{f"macro_{key}": macro[key] for key in KEYS},
        **{f"weighted_{key}": weighted[key] for key in KEYS},
        "kappa": None if chance == 1.0 else (right / total - chance) / (1 - chance),
        "per_class": per_class,
        "confusion": counts.tolist(),
    }


def _checked(confusion: np.ndarray, classes: int) -> NDArray[np.int64]:
    given = np.asarray(confusion)
    counts = given.astype(np.int64) if given.dtype.kind in "iuf" else np.full((1, 1), -1)
    shape = (classes, classes)
    if given.shape != shape or (counts != given).any() or (counts < 0).any():
        raise ValueError(f"A confusion matrix holds {shape} counts, rows being the truth.")
    if not counts.any():
        raise ValueError("The confusion matrix counts no picture.")
    return counts


def wilson(right: int, total: int) -> list[float]:
    """Return the 95 % interval of the proportion `right` / `total` (Wilson 1927), 0..1."""
    squared = NormalDist().inv_cdf(0.975) ** 2
    middle = (right + squared / 2) / (total + squared)
    half = math.sqrt(squared * (right * (total - right) / total + squared / 4)) / (total + squared)
    return [max(0.0, middle - half), min(1.0, middle + half)]


def ceiling(relabelled: int, twins: int) -> tuple[float, list[float]]:
    """Return the accuracy, 0..1, that a perfect network would get on noisy labels; 95 % interval.

    A photograph that was labelled twice got two labels in `relabelled` of `twins` cases. If every
    label is wrong with the same probability e, independently, that happens with about 2 e (1 - e),
    which gives e; 1 - e is the ceiling. Mistakes that both labels share cannot be seen, so the true
    ceiling is lower. Raises ValueError: no twins, or more relabelled ones than twins.
    """
    if not 0 <= relabelled <= twins or not twins:
        raise ValueError("Of at least one pair of twins, some or none may be relabelled.")
    least, most = wilson(relabelled, twins)
    best, low, high = (
        0.5 + math.sqrt(max(0.0, 1 - 2 * part)) / 2 for part in (relabelled / twins, most, least)
    )
    return best, [low, high]


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
