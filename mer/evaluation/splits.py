"""The clean test pictures: those without a twin (near-duplicate) in the training set.

Twins with different labels also show how reliable the labels are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mer.evaluation.statistics import wilson

if TYPE_CHECKING:
    from mer.data.dataset import Pictures


@dataclass(frozen=True)
class Clean:
    """Which test pictures have a twin in the training set."""

    # Bool (n,); None where the training pictures are not at hand.
    has_twin: NDArray[np.bool_] | None
    note: str  # a sentence on how this is known, or why it is not
    relabelled: int | None = None  # number of those whose twin has another label; None if unknown

    def label_noise(self) -> dict[str, Any]:
        """Return the record's `label_noise`: counts of twins and the figures of `ceiling`.

        Empty where they are unknown.
        """
        if self.has_twin is None or self.relabelled is None or not self.has_twin.any():
            return {}
        twins = int(self.has_twin.sum())
        best, interval = ceiling(self.relabelled, twins)
        noise = {"twins": twins, "relabelled": self.relabelled, "ceiling": best}
        return {"label_noise": {**noise, "ceiling_interval": interval}}


def ceiling(relabelled: int, twins: int) -> tuple[float, list[float]]:
    """Return the accuracy, 0..1, that a perfect network would get on noisy labels; 95 % interval.

    A photograph that was labelled twice got two labels in `relabelled` of `twins` cases. If every
    label is wrong with the same probability e, independently, that happens with about
    2 e (1 - e), which gives e; 1 - e is the ceiling. Mistakes that both labels share cannot be
    seen, so the true ceiling is lower.

    Raises:
        ValueError: no twins, or more relabelled ones than twins.
    """
    if not 0 <= relabelled <= twins or not twins:
        raise ValueError("Of at least one pair of twins, some or none may be relabelled.")
    least, most = wilson(relabelled, twins)
    return _right(relabelled / twins), [_right(most), _right(least)]


def _right(differing: float) -> float:
    return 0.5 + float(np.sqrt(max(0.0, 1 - 2 * differing))) / 2


def clean(pictures: "Pictures", source: str | Path, size: int, *, divided: bool) -> Clean:
    """Find the test pictures with twins among the training pictures at hand.

    These lie beside the pictures' `source`, or in it where that is `divided` into train and test;
    they are read at `size` pixels.

    Raises:
        DataError: the training pictures cannot be read.
    """
    from mer.data import dataset
    from mer.data.near_duplicates import THRESHOLD, pairs

    training = _training(source, divided)
    if training is None:
        return Clean(
            None,
            "Which pictures are clean is unknown: there are no training pictures in reach. Name "
            "the folder that holds train and test.",
        )
    trained = dataset.load(training[0], size, training[1], pictures.classes)
    found = pairs(pictures.thumbnails, trained.thumbnails)
    has_twin = np.zeros(len(pictures), bool)
    has_twin[found.first] = True
    nearest = dict[int, int]()  # the last twin in order of correlation is the nearest
    for pair in np.argsort(found.correlation, kind="stable").tolist():
        nearest[int(found.first[pair])] = int(found.second[pair])
    relabelled = sum(
        int(pictures.labels[test] != trained.labels[twin]) for test, twin in nearest.items()
    )
    note = (
        f"Clean are the pictures without a twin in train: none of its {len(trained)} pictures, "
        f"plain or mirrored, correlates with them by {THRESHOLD:.2f} or more at 32x32 gray."
        if not has_twin.all()
        else "Every picture has a twin in train."
    )
    return Clean(has_twin, note, relabelled)


def _training(source: str | Path, divided: bool) -> tuple[Path, str] | None:
    """Return source and split of the training pictures for `dataset.load`, if they are at hand."""
    from mer.data.audit import SPLITS
    from mer.data.dataset import has_split

    path = Path(source).resolve()
    if divided:
        return (path, "train") if has_split(path, "train") else None
    beside = path.parent / "train"
    is_part = path.is_dir() and SPLITS.get(path.name.lower(), "train") != "train"
    return (beside, "") if is_part and beside.is_dir() else None
