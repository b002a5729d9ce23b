"""How a network travels: learned from all data sets but some, and judged on those.

`python -m benchmarks travel --start weights/faceres.safetensors --data A B --cut C D E \\
  --leave C D+E --out runs/travel` trains once for each group that is left out, on a short schedule,
and prints a row for each set that a network did not see: those left out, and what is held out of
the others for validation.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mer.data import corpora
from mer.data.corpora import Corpus
from mer.evaluation import calibration, metrics
from mer.inference.predictor import Predictor
from mer.models.registry import MODELS
from mer.training import devices
from mer.training.config import Settings
from mer.training.trainer import Run

SCHEDULE: Final = Settings(
    epochs=5,
    draws=20_000,
    copies=3,
    even=0.5,
    learning_rate=6e-4,
    weight_decay=0.05,
    mixup=0.2,
    average=0.996,
    patience=99,
    precision="bfloat16",
)
HEADER: Final = (
    "| left out | judged on | n | right | 95 % | UAR | anger, fear | sure, of those right |"
)


def without(corpus: Corpus, names: Sequence[str]) -> Corpus:
    """The corpus whose rows of neither side are of the data sets called `names`."""
    left = [i for i, part in enumerate(corpus.description) if part["name"] in names]
    train, held = (
        rows[~np.isin(corpus.sets[rows], left)] for rows in (corpus.train, corpus.validation)
    )
    kept = [part for i, part in enumerate(corpus.description) if i not in left]
    return replace(corpus, train=train, validation=held, description=kept)


def unseen(corpus: Corpus, names: Sequence[str]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Name and rows of all of each left-out set, then of what is held out of each other set."""
    listed: set[str] = set()
    for number, part in enumerate(corpus.description):
        name = part["name"]
        rows = np.flatnonzero(corpus.sets == number)
        if name not in names:
            rows = np.intersect1d(rows, corpus.validation)
        if len(rows) and name not in listed and (corpus.pictures.targets[rows] == 1).any():
            listed.add(name)
            yield name, rows


def figures(predictor: Predictor, corpus: Corpus, rows: NDArray[np.int64]) -> dict[str, Any]:
    """All figures of `metrics.evaluate` on these rows, with `confidence`."""
    chances = np.concatenate(
        [
            predictor.classify(list(corpus.pictures.pixels[part]))
            for part in np.array_split(rows, max(1, len(rows) // 256))
        ]
    )
    truth, classes = corpus.pictures.labels[rows], corpus.pictures.classes
    counts = np.zeros((len(classes),) * 2, int)
    np.add.at(counts, (truth, chances.argmax(1)), 1)
    confidence = calibration.confidence(chances, truth, predictor.threshold)
    return metrics.evaluate(counts, classes) | {"confidence": confidence}


def row(left: Sequence[str], name: str, one: dict[str, Any]) -> str:
    """A line of the table."""
    recall = [one["per_class"][emotion]["recall"] for emotion in ("anger", "fear")]
    sure = one["confidence"]["sure"]
    low, high = one["accuracy_interval"]
    shown = ", ".join("–" if part is None else f"{part:.2f}" for part in recall)
    right = "–" if sure["accuracy"] is None else f"{sure['accuracy']:.1%}"
    return (
        f"| {'+'.join(left) or '–'} | {name} | {one['n']} | {one['accuracy']:.1%} "
        f"| {low:.1%}–{high:.1%} | {one['uar']:.2f} | {shown} | {sure['coverage']:.0%}, {right} |"
    )


def leave(
    model: str, corpus: Corpus, names: Sequence[str], start: Path, out: Path, settings: Settings
) -> dict[str, Any]:
    """Train without the sets `names`, and judge on all that was not seen."""
    run = Run(model, without(corpus, names), settings, out, start, (), model)
    run.resume()
    run.fit()
    run.finish()
    predictor = Predictor(model, folder=out)
    judged = {name: figures(predictor, corpus, rows) for name, rows in unseen(corpus, names)}
    return {"left_out": list(names), "settings": asdict(settings), "judged": judged}


def main(arguments: list[str]) -> None:
    """Train and judge once for each group; print the table and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks travel", description=__doc__)
    parser.add_argument("--model", default="faceres", choices=sorted(MODELS))
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--cut", type=Path, nargs="+", default=[])
    parser.add_argument("--leave", nargs="+", required=True, metavar="SET[+SET]")
    parser.add_argument("--out", type=Path, default=Path("runs/travel"))
    options = parser.parse_args(arguments)
    devices.keep_freed_memory()
    corpus = corpora.gather(
        options.data, MODELS[options.model].size, fraction=SCHEDULE.validation, seed=SCHEDULE.seed,
        cut=options.cut,
    )  # fmt: skip
    print(HEADER, "| --- " * 8 + "|", sep="\n")
    results = []
    for group in options.leave:
        names = group.split("+")
        out = options.out / group
        results.append(leave(options.model, corpus, names, options.start, out, SCHEDULE))
        for name, one in results[-1]["judged"].items():
            print(row(names, name, one), flush=True)
    (options.out / "travel.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
