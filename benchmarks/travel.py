"""How a network travels: learned from all data sets but some, and judged on those.

For each group of sets that is left out, one training from the same start on a short schedule, which
sees neither them nor what is held out of the others. What the networks then say of pictures that
they did not learn from also shows which temperature and threshold keep the promise of sure answers
on faces of a kind that was not learned from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import class_thresholds
from mer.data import dataset
from mer.data.dataset import Corpus
from mer.emotions import EMOTIONS
from mer.evaluation import calibration, datasets, metrics
from mer.evaluation.calibration import Answers
from mer.inference.predictor import Predictor
from mer.inference.probabilities import temperature_softmax
from mer.models.registry import MODELS
from tools.average_weights import average
from tools.training import distillation
from tools.training.run import LabRun, LabSettings, has_bfloat16

DOUBTED: Final = "affectnet"  # of its labels two thirds are clearly right
SCHEDULE: Final = LabSettings(
    epochs=2,
    draws=20_000,
    batch=96,
    copies=3,
    even=0.5,
    learning_rate=6e-4,
    weight_decay=0.05,
    mixup=0.2,
    average=0.985,
    patience=99,
    precision="bfloat16" if has_bfloat16() else "float32",
    taught=0.5,
    once=True,
    taught_sets=DOUBTED,
)
AGREED: Final = 2 / 3  # of votes: a picture's least share of its class, to be judged by
LEAST: Final = 200  # pictures of a set by which a threshold is chosen
HEADER: Final = (
    "| left out | judged on | n | right | 95 % | UAR | anger, fear | ECE | sure, right of these |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def report(
    model: str,
    start: Path,
    data: Sequence[Path],
    cut: Sequence[Path],
    groups: Sequence[Sequence[str]],
    out: Path,
    share: float = 1.0,
    epochs: int | None = None,
    teachers: Sequence[Path] = (),
    seeds: int = 1,
) -> tuple[str, dict[str, Any]]:
    """Train without each of `groups`; the table, and the fitted part of a record's calibration.

    Judged is the mean of the weights of so many trainings as `seeds`, each with a seed of its own,
    or, with a `share` below 1, the mean of that and of `start`. A share of 0 trains nothing:
    it is for a `start` that has learned from none of `groups`. The schedule is SCHEDULE, or with so
    many `epochs`. The answers of `teachers` are half of the targets of the doubted data set.

    Raises:
        MerError: a data set, the start or a checkpoint in `out` cannot be used.
    """
    corpus = dataset.gather(
        data, MODELS[model].size, fraction=SCHEDULE.validation, seed=SCHEDULE.seed, cut=cut
    )
    schedule = SCHEDULE if epochs is None else replace(SCHEDULE, epochs=epochs)
    how = [replace(schedule, seed=seed) for seed in range(seeds)]
    answers = {
        tuple(g): leave(model, corpus, g, start, out / "+".join(g), share, how, teachers)
        for g in groups
    }
    left = {name: answers[g][name] for g in answers for name in g if name in answers[g]}
    held = {name: one for found in answers.values() for name, one in found.items()}
    fitted = fit(held | left)
    if share:
        taught = distillation.fingerprints(teachers)
        fitted["schedule"] = asdict(schedule) | {"seeds": seeds, "teachers": taught}
    fitted["left_out"] = {name: summary(judged(one, fitted)) for name, one in left.items()}
    rows = [
        row(group if name in group else (), name, judged(one, fitted))
        for group, found in answers.items()
        for name, one in found.items()
    ]
    return "\n".join([HEADER, *rows]), fitted


def leave(
    model: str, corpus: Corpus, names: Sequence[str], start: Path, out: Path, share: float,
    how: Sequence[LabSettings], teachers: Sequence[Path] = (),
) -> dict[str, Answers]:  # fmt: skip
    """Train without the sets `names`; what the network says of all that it did not see, by set."""
    left = without(corpus, names)
    judged_file = _trained(model, left, start, out, share, how, teachers) if share else start
    predictor = Predictor(model, folder=judged_file.parent)
    found = {}
    for name, rows in unseen(corpus, names):
        parts = np.array_split(rows, max(1, len(rows) // datasets.BATCH))
        pixels = corpus.pictures.pixels
        logits = [predictor.logits(list(pixels[part]), predictor.zooms) for part in parts]
        found[name] = np.concatenate(logits, axis=1), corpus.pictures.labels[rows]
    return found


def _trained(
    model: str, corpus: Corpus, start: Path, out: Path, share: float, how: Sequence[LabSettings],
    teachers: Sequence[Path],
) -> Path:  # fmt: skip
    """Train once for each of the settings `how`; the mean of all these weights and of `start`."""
    if DOUBTED not in (part["name"] for part in corpus.description):
        teachers = ()
    trained = []
    for one in how:
        folder = out / f"seed{one.seed}"
        run = LabRun(model, corpus, one, folder, start, model, teachers=teachers)
        trained.append(run.trained())
    shares = [1 - share, *[share / len(trained)] * len(trained)]
    return average([start, *trained], shares, out / "mean")


def without(corpus: Corpus, names: Sequence[str]) -> Corpus:
    """The corpus whose rows of neither side are of the data sets called `names`."""
    left = [i for i, part in enumerate(corpus.description) if part["name"] in names]
    train, held = (
        rows[~np.isin(corpus.sets[rows], left)] for rows in (corpus.train, corpus.validation)
    )
    kept = [i for i in range(len(corpus.description)) if i not in left]
    numbers = np.full(len(corpus.description), -1)  # of the sets as they are counted without these
    numbers[kept] = np.arange(len(kept))
    described = [corpus.description[i] for i in kept]
    sets = numbers[corpus.sets]
    return replace(corpus, train=train, validation=held, description=described, sets=sets)


def unseen(corpus: Corpus, names: Sequence[str]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Name and rows of all of each left-out set, then of what is held out of each other set.

    Only pictures whose class is clear: blends and pictures of many minds are left aside.
    """
    clear = corpus.pictures.targets.max(1) >= AGREED
    listed: set[str] = set()
    for number, part in enumerate(corpus.description):
        name = part["name"]
        rows = np.flatnonzero(clear & (corpus.sets == number))
        if name not in names:
            rows = np.intersect1d(rows, corpus.validation)
        if len(rows) and name not in listed:
            listed.add(name)
            yield name, rows


def fit(answers: Mapping[str, Answers]) -> dict[str, Any]:
    """Temperature and thresholds by which sure answers are right often enough on each set.

    Smoothed answers are means of quick ones, and held to the threshold of those.
    """
    temperature = calibration.fit(*answers.values())
    trusted = {k: v for k, v in answers.items() if k != DOUBTED and len(v[1]) >= LEAST}
    thresholds = {}
    for way, views in {"views": None, "quick": 1}.items():  # the crop alone stands first
        chances = [
            (temperature_softmax(logits[:views], temperature), labels)
            for logits, labels in trusted.values()
        ]
        least = class_thresholds.choose(chances)
        thresholds[way] = dict(zip(EMOTIONS, least, strict=True))
    return {
        "temperature": temperature,
        "thresholds": thresholds | {"smoothed": thresholds["quick"]},
        "thresholds_fitted_on": list(trusted),
        "n": sum(len(labels) for _, labels in trusted.values()),
    }


def judged(answers: Answers, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """All figures of `metrics.evaluate`, with `confidence`, at the fitted temperature."""
    logits, labels = answers
    chances = temperature_softmax(logits, fitted["temperature"])
    counts = np.zeros((chances.shape[1],) * 2, int)
    np.add.at(counts, (labels, chances.argmax(1)), 1)
    least = list(fitted["thresholds"]["views"].values())
    sure = calibration.confidence(chances, labels, least)
    return metrics.evaluate(counts) | {"confidence": sure}


def summary(scores: Mapping[str, Any]) -> dict[str, Any]:
    """What a record keeps of a set that was left out."""
    sure = scores["confidence"]["sure"]
    kept = {key: scores[key] for key in ("n", "accuracy", "accuracy_interval", "uar")}
    return {**kept, "coverage": sure["coverage"], "sure_accuracy": sure["accuracy"]}


def row(group: Sequence[str], name: str, scores: Mapping[str, Any]) -> str:
    """A line of the table; no group where the set was learned from and these are held out."""
    recall = [scores["per_class"][emotion]["recall"] for emotion in ("anger", "fear")]
    shown = ", ".join("–" if part is None else f"{part:.2f}" for part in recall)
    sure = scores["confidence"]["sure"]
    right = "–" if sure["accuracy"] is None else f"{sure['accuracy']:.1%}"
    low, high = scores["accuracy_interval"]
    return (
        f"| {', '.join(group) or 'a tenth'} | {name} | {scores['n']} | {scores['accuracy']:.1%} "
        f"| {low:.1%}–{high:.1%} | {scores['uar']:.2f} | {shown} "
        f"| {scores['confidence']['ece']:.3f} | {sure['coverage']:.0%}, {right} |"
    )
