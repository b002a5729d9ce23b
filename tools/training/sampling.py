"""Which pictures an epoch of a training sees how often, and how much each counts."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer.data.augmentation import Batches
from mer.data.dataset import Corpus


class Drawn(Batches):
    """Batches of `draws` pictures an epoch, drawn with `chances` (a probability a row).

    Originals and copies are drawn alike.
    """

    def __init__(
        self, *arguments: Any, draws: int, chances: NDArray[np.float64], **how: Any
    ) -> None:
        self.draws, self.chances = draws, chances
        super().__init__(*arguments, shuffle=True, **how)

    def start(self, epoch: int) -> None:
        """Draw another epoch."""
        self.epoch = epoch
        rng = np.random.default_rng((self.seed, epoch))
        rows = rng.choice(len(self.rows), self.draws, p=self.chances)
        self.order = rows + len(self.rows) * rng.integers(0, 1 + self.copies, self.draws)


def chances(corpus: Corpus, even: float) -> NDArray[np.float64]:
    """Return the probability with which each training row is drawn; they sum to 1.

    If `even` is 0, all rows are equally likely; if it is 1, all sets are, and within a set all
    classes. In between, a set of n pictures has a share in proportion to n ** (1 - even), and so
    has a class of n pictures within its set.
    """
    chance = np.zeros(len(corpus.train))
    sets, labels = corpus.sets[corpus.train], corpus.pictures.labels[corpus.train]
    for number in np.unique(sets).tolist():
        inside = sets == number
        counts = np.bincount(labels[inside]).astype(float)
        share = counts[labels[inside]] ** -even
        chance[inside] = share / share.sum() * inside.sum() ** (1 - even)
    chance /= chance.sum()
    return chance


def balanced(corpus: Corpus, power: float) -> Corpus:
    """Weight the training targets by class: by the class's share to the power of -`power`, mean 1.

    A row of targets that sums to more than 1 counts more in a cross-entropy. With a power of 0
    nothing changes.
    """
    targets = corpus.pictures.targets.copy()
    mass = targets[corpus.train].sum(0, dtype=np.float64)
    weight = mass.clip(1) ** -power
    targets[corpus.train] *= (weight * mass.sum() / (weight * mass).sum()).astype(np.float32)
    return replace(corpus, pictures=replace(corpus.pictures, targets=targets))
