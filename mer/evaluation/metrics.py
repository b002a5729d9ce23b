"""Figures of a network from its confusion matrix, on all and on the clean test pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mer.emotions import EMOTIONS
from mer.errors import DataError
from mer.evaluation import calibration, splits
from mer.evaluation.statistics import wilson

if TYPE_CHECKING:
    from mer.data.dataset import Pictures
    from mer.inference.predictor import Predictor

BATCH: Final = 256  # pictures classified at once
KEYS: Final = ("precision", "recall", "f1")


def evaluate(confusion: np.ndarray, names: Sequence[str] = EMOTIONS) -> dict[str, Any]:
    """Compute all figures from a confusion matrix of counts, whose rows are the true classes.

    `names` are the classes of rows and columns.

    Fractions are 0..1, and the result is valid JSON: what is undefined is None. A class without
    a picture has no recall and no F1, and stays out of the macro averages and of the unweighted
    average recall (`uar`, the same as `macro_recall`); its precision is 0 where it is
    predicted, else None. A class that is never predicted has precision 0, as in scikit-learn.
    `accuracy_interval` is Wilson's, at 95 %. Kappa is None if truth and answers are all one class.

    Raises:
        ValueError: the matrix has another shape, holds something else than counts, or is empty.
    """
    counts = _checked(confusion, len(names))
    total, hits = int(counts.sum()), counts.diagonal()
    support, named = counts.sum(axis=1), counts.sum(axis=0)
    rows = [_ratio(hits, named), _ratio(hits, support), _ratio(2 * hits, named + support)]
    figures = np.stack(rows, axis=1)  # (classes, 3), in the order of KEYS
    macro, weighted = (
        dict(zip(KEYS, np.average(figures, axis=0, weights=weights).tolist(), strict=True))
        for weights in (support > 0, support)
    )
    return {
        "n": total,
        "accuracy": int(hits.sum()) / total,
        "accuracy_interval": wilson(int(hits.sum()), total),
        "uar": macro["recall"],
        **{f"macro_{key}": macro[key] for key in KEYS},
        **{f"weighted_{key}": weighted[key] for key in KEYS},
        "kappa": _kappa(counts),
        "per_class": {
            name: {**dict(zip(KEYS, figures[row].tolist(), strict=True)), "support": n}
            if (n := int(support[row]))
            else {
                "precision": 0.0 if named[row] else None,
                "recall": None,
                "f1": None,
                "support": 0,
            }
            for row, name in enumerate(names)
        },
        "confusion": counts.tolist(),
    }


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each part of its whole; 0 where that is 0."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _checked(confusion: np.ndarray, classes: int = len(EMOTIONS)) -> NDArray[np.int64]:
    given = np.asarray(confusion)
    counts = given.astype(np.int64) if given.dtype.kind in "iuf" else np.full((1, 1), -1)
    shape = (classes, classes)
    if given.shape != shape or (counts != given).any() or (counts < 0).any():
        raise ValueError(f"A confusion matrix holds {shape} counts, rows being the truth.")
    if not counts.any():
        raise ValueError("The confusion matrix counts no picture.")
    return counts


def _kappa(counts: NDArray[np.int64]) -> float | None:
    """Cohen's kappa: agreement of truth and answers beyond that of chance."""
    total = counts.sum()
    chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / float(total) ** 2
    agreed = float(np.trace(counts) / total)
    return None if chance == 1.0 else (agreed - chance) / (1 - chance)


def evaluate_predictor(
    predictor: "Predictor", source: str | Path, *, split: str = "test"
) -> dict[str, Any]:
    """Classify the pictures of a data set with a network: `evaluate`, and the same of `clean` ones.

    `confidence` holds what `mer.evaluation.calibration.confidence` says of the probabilities,
    `mistakes` the names of the pictures taken for another class, by which
    `mer.evaluation.statistics` compares networks, and `label_noise` how far the labels themselves
    can be trusted. A source without train and test is taken whole. Else `split` says which part is
    scored; "train" has no clean figures. For other parts `clean` holds the same figures of the
    pictures that have no twin in the training set, which lies in `source` beside `split`, or
    beside `source` where that is itself a folder called `test` or `validation`. Where it does not,
    `clean` is None. `clean_note` says how the clean pictures were found.

    Raises:
        DataError: pictures cannot be read, or the network learned from them.
    """
    from mer.data import dataset

    divided = dataset.has_split(source, "train") or dataset.has_split(source, "test")
    pictures = dataset.load(source, predictor.size, split if divided else "", predictor.classes)
    if not divided and pictures.fingerprint in _learned(predictor.record):
        raise DataError(
            f"{predictor.model} learned from these very pictures, so they say little about it. Put "
            f"some of them aside: in {source}, make train and test, with the class folders in both."
        )
    given = chances(predictor, pictures.pixels)
    everyone = np.ones(len(pictures), bool)
    scores = figures(pictures.labels, given, predictor)
    if divided and split == "train":
        return scores
    known = splits.clean(pictures, source, predictor.size, divided=divided)
    scores |= {"mistakes": _mistakes(pictures, given, everyone), **known.label_noise()}
    if known.has_twin is None or known.has_twin.all():
        return {**scores, "clean": None, "clean_note": known.note}
    chosen = ~known.has_twin
    clean = figures(pictures.labels[chosen], given[chosen], predictor)
    clean["mistakes"] = _mistakes(pictures, given, chosen)
    return {**scores, "clean": clean, "clean_note": known.note}


def save(name: str, part: str, evaluation: dict[str, Any]) -> None:
    """Keep figures of a part ("train", "test", "ferplus", "elsewhere") in the network's record.

    The record counts in `test_reads` how often the paper's test was read for these weights and for
    those that their training began with.

    Raises:
        WeightsError: the record is missing or damaged.
    """
    from mer.weights import store

    folder = store.FOLDER
    record = store.read_record(name, folder=folder)
    kept = record.get("evaluation", {}) | {part: evaluation}
    reads = record.get("test_reads", 0) + (part == "test")
    store.write_record(name, record | {"test_reads": reads, "evaluation": kept}, folder=folder)


def figures(
    truth: NDArray[np.int64], given: NDArray[np.float64], predictor: "Predictor"
) -> dict[str, Any]:
    """Compute all figures of probabilities (n, classes), with those of the confidence."""
    names = predictor.classes
    counted = evaluate(_confusion(truth, given.argmax(axis=1), len(names)), names)
    least = list(predictor.thresholds["views"].values())
    sure = calibration.confidence(given, truth, least)
    return {**counted, "confidence": sure}


def _mistakes(
    pictures: "Pictures", chances: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> list[str]:
    """Return the names of the chosen pictures that are misclassified, such as "fear/fear7.jpg"."""
    wrong = np.flatnonzero(chosen & (chances.argmax(axis=1) != pictures.labels))
    return ["/".join(pictures.names[row].split("/")[-2:]) for row in wrong.tolist()]


def chances(predictor: "Predictor", pixels: np.ndarray) -> NDArray[np.float64]:
    """Probabilities (n, classes) of the pictures (n, size, size, 3)."""
    from tqdm import tqdm

    starts = tqdm(
        range(0, len(pixels), BATCH), "classifying", unit=" batches", leave=False, disable=None
    )
    parts = [predictor.classify(list(pixels[start : start + BATCH])) for start in starts]
    return np.concatenate(parts)


def _learned(record: Mapping[str, Any]) -> set[str]:
    """The fingerprints of all data sets that a network was trained on."""
    stages = record.get("training", {}).get("stages", [])
    return {part["fingerprint"] for stage in stages for part in stage["data"]}


def _confusion(
    truth: NDArray[np.int64], answers: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    return np.bincount(truth * classes + answers, minlength=classes**2).reshape(classes, classes)
