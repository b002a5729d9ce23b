"""Faces from elsewhere: how a network does on data sets of other kinds than those of the paper."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mer.evaluation import metrics

if TYPE_CHECKING:
    from mer.data.dataset import Pictures
    from mer.inference.predictor import Predictor

MEANING: Final = (
    "Elsewhere are people whom the network did not learn from, found, cut out and classified as "
    "yours are, so they say most about what to expect of it. Of a set marked as held out it "
    "learned from other people. Of a set marked as left out, a network of a shorter training that "
    "saw nothing of it was judged: so it does on a kind of picture that is wholly new."
)


def evaluate_sets(predictor: "Predictor", sources: Sequence[str | Path]) -> dict[str, Any]:
    """Return the figures of each data set by its folder's name, and their `mean` over the sets.

    In each picture a face is found, cut out and classified; pictures without one count as wrong.
    Sets with train and test, and FER+, hold face crops, whose test part is taken as it is. Of a set
    that the network learned from, only the pictures count that its last training held out, which
    show other people (`part` is then "held out").

    A set's figures are those of `metrics.evaluate`, with `confidence` and the number of pictures
    without a face, `missed`. `mean` has accuracy, uar, ece and those of sure answers; each set
    weighs the same.

    Raises:
        DataError: a data set cannot be read.
    """
    sets = {Path(source).resolve().name: _figures(predictor, source) for source in sources}
    return {"sets": sets, "mean": mean(sets)}


def mean(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of `evaluate_sets`' `mean`; "sure" is None where no set has a sure answer."""
    sure = [one["confidence"]["sure"] for one in sets.values()]
    right = [one["accuracy"] for one in sure if one["accuracy"] is not None]
    return {
        "accuracy": fmean(one["accuracy"] for one in sets.values()),
        "uar": fmean(one["uar"] for one in sets.values()),
        "ece": fmean(one["confidence"]["ece"] for one in sets.values()),
        "sure": {
            "coverage": fmean(one["coverage"] for one in sure),
            "accuracy": fmean(right) if right else None,
        },
    }


def _figures(predictor: "Predictor", source: str | Path) -> dict[str, Any]:
    from mer.data import dataset

    divided = dataset.has_split(source, "test")
    split = "test" if divided else ""
    classes = predictor.classes
    pictures = dataset.load(source, predictor.size, split, classes, cut=not divided)
    rows, part = _unseen(predictor.record, pictures)
    chances = metrics.chances(predictor, pictures.pixels[rows])
    truth = pictures.labels[rows]
    missed = np.flatnonzero([row in pictures.missed for row in rows.tolist()])
    # A picture without a face counts as a wrong answer of the lowest confidence.
    chances[missed] = 1 / (len(classes) - 1)
    chances[missed, truth[missed]] = 0
    return {"part": part, "missed": len(missed), **metrics.figures(truth, chances, predictor)}


def _unseen(record: Mapping[str, Any], pictures: "Pictures") -> tuple[np.ndarray, str]:
    """Return the rows that a network did not learn from, and "all" or "held out"."""
    from mer.data import dataset

    stages = record.get("training", {}).get("stages", [])
    learned = [s for s in stages if pictures.fingerprint in {d["fingerprint"] for d in s["data"]}]
    if not learned:
        return np.arange(len(pictures)), "all"
    settings = learned[-1]["settings"]
    return dataset.split(pictures, settings["validation"], settings["seed"])[1], "held out"
