"""How a network does on data sets: on all and on clean test pictures, and on faces from elsewhere.

Clean are the test pictures without a twin (near-duplicate) in the training set. Twins with
different labels also show how reliable the labels are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mer.data import dataset, near_duplicates
from mer.data.audit import SPLITS
from mer.data.dataset import Pictures
from mer.errors import DataError
from mer.evaluation import calibration
from mer.evaluation.metrics import ceiling, evaluate
from mer.inference.predictor import Predictor
from mer.weights import store

BATCH: Final = 256  # pictures classified at once
MEANING: Final = (
    "Elsewhere are people whom the network did not learn from, found, cut out and classified as "
    "yours are, so they say most about what to expect of it. Of a set marked as held out it "
    "learned from other people. Of a set marked as left out, a network of a shorter training that "
    "saw nothing of it was judged: so it does on a kind of picture that is wholly new."
)


def evaluate_predictor(
    predictor: Predictor, source: str | Path, *, split: str = "test"
) -> dict[str, Any]:
    """Classify the pictures of a data set with a network: `evaluate`, and the same of `clean` ones.

    `confidence` holds what `mer.evaluation.calibration.confidence` says of the probabilities,
    `mistakes` the names of the pictures taken for another class, by which
    `metrics.significant_pairs` compares networks, and `label_noise` how far the labels themselves
    can be trusted. A source without train and test is taken whole. Else `split` says which part is
    scored; "train" has no clean figures. For other parts `clean` holds the same figures of the
    pictures that have no twin in the training set, which lies in `source` beside `split`, or beside
    `source` where that is itself a folder called `test` or `validation`. Where it does not, `clean`
    is None. `clean_note` says how the clean pictures were found. Raises DataError: pictures cannot
    be read, or the network learned from them.
    """
    divided = dataset.has_split(source, "train") or dataset.has_split(source, "test")
    pictures = dataset.load(source, predictor.size, split if divided else "", predictor.classes)
    if not divided and _learned_in(predictor.record, pictures):
        raise DataError(
            f"{predictor.model} learned from these very pictures, so they say little about it. Put "
            f"some of them aside: in {source}, make train and test, with the class folders in both."
        )
    given = _classified(predictor, pictures.pixels)
    scores = _figures(pictures.labels, given, predictor)
    if divided and split == "train":
        return scores
    wrong = given.argmax(axis=1) != pictures.labels
    names = np.array(["/".join(name.split("/")[-2:]) for name in pictures.names])  # fear/fear7.jpg
    known = clean(pictures, source, predictor.size, divided=divided)
    scores |= {"mistakes": names[wrong].tolist(), **known.label_noise}
    if known.has_twin is None or known.has_twin.all():
        return {**scores, "clean": None, "clean_note": known.note}
    chosen = ~known.has_twin
    apart = _figures(pictures.labels[chosen], given[chosen], predictor)
    apart["mistakes"] = names[wrong & chosen].tolist()
    return {**scores, "clean": apart, "clean_note": known.note}


class Clean(NamedTuple):
    """Which test pictures have a twin in the training set."""

    has_twin: NDArray[np.bool_] | None  # (n,); None where the training pictures are not at hand
    note: str  # a sentence on how this is known, or why it is not
    label_noise: Mapping[str, Any]  # the record's `label_noise`: {} without twins


def clean(pictures: Pictures, source: str | Path, size: int, *, divided: bool) -> Clean:
    """Find the test pictures with twins among the training pictures at hand.

    These lie beside the pictures' `source`, or in it where that is `divided` into train and test;
    they are read at `size` pixels. Raises DataError: the training pictures cannot be read.
    """
    path, split = Path(source).resolve(), "train"
    at_hand = divided and dataset.has_split(path, "train")
    if not divided and path.is_dir() and SPLITS.get(path.name.lower(), "train") != "train":
        path, split = path.parent / "train", ""
        at_hand = path.is_dir()
    if not at_hand:
        unknown = "Which pictures are clean is unknown: there are no training pictures in reach."
        return Clean(None, f"{unknown} Name the folder that holds train and test.", {})
    trained = dataset.load(path, size, split, pictures.classes)
    found = near_duplicates.pairs(pictures.thumbnails, trained.thumbnails)
    order = np.argsort(found.correlation, kind="stable")  # the last twin of each is the nearest
    nearest = dict(zip(found.first[order].tolist(), found.second[order].tolist(), strict=True))
    tests, twins = list(nearest), list(nearest.values())
    has_twin = np.zeros(len(pictures), bool)
    has_twin[tests] = True
    noise = {}
    if nearest:
        relabelled = int((pictures.labels[tests] != trained.labels[twins]).sum())
        best, interval = ceiling(relabelled, len(tests))
        counts = {"twins": len(tests), "relabelled": relabelled}
        noise = {"label_noise": {**counts, "ceiling": best, "ceiling_interval": interval}}
    note = (
        f"Clean are the pictures without a twin in train: none of its {len(trained)} pictures, "
        "plain or mirrored, correlates with them by "
        f"{near_duplicates.THRESHOLD:.2f} or more at 32x32 gray."
    )
    return Clean(has_twin, "Every picture has a twin in train." if has_twin.all() else note, noise)


def evaluate_sets(predictor: Predictor, sources: Sequence[str | Path]) -> dict[str, Any]:
    """Return the figures of each data set by its folder's name, and their `mean` over the sets.

    In each picture a face is found, cut out and classified; pictures without one count as wrong.
    Sets with train and test, and FER+, hold face crops, whose test part is taken as it is. Of a set
    that the network learned from, only the pictures count that its last training held out, which
    show other people (`part` is then "held out").

    A set's figures are those of `metrics.evaluate`, with `confidence` and `missed`, the number of
    pictures without a face; those of `mean` weigh each set the same.

    Raises DataError: a data set cannot be read.
    """
    sets = {Path(source).resolve().name: _figures_of_set(predictor, source) for source in sources}
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


def _figures_of_set(predictor: Predictor, source: str | Path) -> dict[str, Any]:
    divided = dataset.has_split(source, "test")
    split, classes = "test" if divided else "", predictor.classes
    pictures = dataset.load(source, predictor.size, split, classes, cut=not divided)
    rows, part = np.arange(len(pictures)), "all"
    if stage := _learned_in(predictor.record, pictures):
        how, part = stage["settings"], "held out"
        _, rows = dataset.split(pictures, how["validation"], how["seed"])
    chances = _classified(predictor, pictures.pixels[rows])
    truth = pictures.labels[rows]
    missed = np.flatnonzero([row in pictures.missed for row in rows.tolist()])
    # A picture without a face counts as a wrong answer of the lowest confidence.
    chances[missed] = 1 / (len(classes) - 1)
    chances[missed, truth[missed]] = 0
    return {"part": part, "missed": len(missed), **_figures(truth, chances, predictor)}


def save(name: str, part: str, evaluation: dict[str, Any]) -> None:
    """Keep figures of a part ("train", "test", "ferplus", "elsewhere") in the network's record.

    The record counts in `test_reads` how often the paper's test was read for these weights and for
    those that their training began with. Raises WeightsError: the record is missing or damaged.
    """
    record = store.read_record(name, folder=store.FOLDER)
    kept = record.get("evaluation", {}) | {part: evaluation}
    reads = record.get("test_reads", 0) + (part == "test")
    changed = record | {"test_reads": reads, "evaluation": kept}
    store.write_record(name, changed, folder=store.FOLDER)


def _figures(
    truth: NDArray[np.int64], given: NDArray[np.float64], predictor: Predictor
) -> dict[str, Any]:
    """Compute all figures of probabilities (n, classes), with those of the confidence."""
    n = len(predictor.classes)
    counts = np.bincount(truth * n + given.argmax(axis=1), minlength=n**2).reshape(n, n)
    least = list(predictor.thresholds["views"].values())
    sure = calibration.confidence(given, truth, least)
    return {**evaluate(counts, predictor.classes), "confidence": sure}


def _classified(predictor: Predictor, pixels: np.ndarray) -> NDArray[np.float64]:
    """Probabilities (n, classes) of the pictures (n, size, size, 3)."""
    from tqdm import tqdm

    starts = range(0, len(pixels), BATCH)
    shown = tqdm(starts, "classifying", unit=" batches", leave=False, disable=None)
    return np.concatenate([predictor.classify(list(pixels[at : at + BATCH])) for at in shown])


def _learned_in(record: Mapping[str, Any], pictures: Pictures) -> Mapping[str, Any]:
    """The last stage of the training on these very pictures; {} where there is none."""
    stages = record.get("training", {}).get("stages", [])
    learned = [s for s in stages if pictures.fingerprint in {d["fingerprint"] for d in s["data"]}]
    return learned[-1] if learned else {}
