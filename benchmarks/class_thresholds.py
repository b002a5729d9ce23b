"""The least probability of a sure answer, class by class, chosen on sets that were left out."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mer.evaluation.calibration import SURE, Answers

GRID: Final = np.append(np.arange(0.6, 0.99, 0.025), 1.0).round(3)  # thresholds to choose from


def choose(answers: Sequence[Answers]) -> list[float]:
    """Return a least probability for each class, which together keep the promise on every set.

    Classes differ in how far an answer can be trusted: faces that are called happy with 60 % are
    right more often than those that are called disgusted with 90 % (several thresholds are a
    method of Fumera, Roli and Giacinto 2000, "Reject option with multiple thresholds"). The share
    of sure answers, as a mean over the sets, is raised step by step while on each set the share
    `SURE` of them is right. A threshold is one of `GRID`, whose last says that no answer is sure.

    Args:
        answers: of each set the calibrated probabilities (n, classes) and the labels (n,), by a
            network that did not learn from the set. Never give it test pictures.
    """
    counts = np.stack([_counts(*one) for one in answers])
    totals = np.array([len(labels) for _, labels in answers])
    classes, last = counts.shape[2], len(GRID) - 1
    best = np.full(classes, last)
    while True:
        moves = [best + step for step in _steps(classes)]
        inside = [one for one in moves if (one >= 0).all() and (one <= last).all()]
        covered = [_covered(counts, totals, one) for one in inside]
        if max(covered) <= _covered(counts, totals, best):
            return [float(GRID[place]) for place in best]
        best = inside[int(np.argmax(covered))]


def _counts(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int64]
) -> NDArray[np.int_]:
    """Numbers (2, classes, grid) of sure answers and of right ones, by class and threshold."""
    named, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    reached = (highest[:, None] >= GRID) & (GRID[-1] > GRID)
    classes = np.arange(probabilities.shape[1])
    one_of = (named[:, None] == classes).astype(int)
    right = one_of * (named == labels)[:, None]
    return np.stack([one_of.T @ reached, right.T @ reached])


def _steps(classes: int) -> Iterator[NDArray[np.int_]]:
    """Moves on the grid: one class's threshold by any step, or one down and another one up."""
    unit = np.eye(classes, dtype=int)
    for one in unit:
        yield from (size * one for size in range(-len(GRID), len(GRID)) if size)
        yield from (up * other - down * one for other in unit for up in (1, 2) for down in (1, 2))


def _covered(counts: NDArray[np.int_], totals: NDArray[np.int_], places: NDArray[np.int_]) -> float:
    """The mean share of sure answers over the sets; -1 where one breaks the promise."""
    sure, right = counts[:, :, np.arange(len(places)), places].sum(axis=2).T
    return -1.0 if (right < SURE * sure).any() else float((sure / totals).mean())
