"""Trains each network once more by each of three seeds: `python -m tools.seed_study --data DIR`.

It tells which differences between networks are real, and which may be chance.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from mer.errors import DataError, MerError
from mer.evaluation.datasets import evaluate_predictor
from mer.evaluation.metrics import significant_pairs
from mer.inference.predictor import Predictor
from mer.io import files
from mer.models.registry import MODELS
from mer.results import documents
from mer.training import devices, trainer
from mer.training.config import Settings
from mer.weights import provenance, store

FILE: Final = "seeds.json"  # beside the weights; `make documents` reads it
GOAL: Final = 0.8  # validation accuracy; the processor time until it is reached is reported
SEEDS: Final = (0, 1, 2)
# Short, so that all networks and seeds take an hour of one core, and one for all of them.
SCHEDULE: Final = Settings(
    epochs=4, batch=64, learning_rate=5e-4, copies=0, average=0.98, precision="bfloat16"
)

Result = Mapping[str, Any]


def measure(
    networks: Sequence[str], source: Path, out: Path, starts: Mapping[str, Path]
) -> dict[str, Any]:
    """Train each network by each seed on SCHEDULE, and score it on the test pictures.

    A run that was stopped goes on where it was. The seed decides which pictures are held out for
    validation, the order of the others, and the weights to begin with where there is no start.

    Args:
        networks: names in the registry.
        source: the paper's data set, with train and test in it.
        out: folder for weights and checkpoints.
        starts: weights to begin with, by name of the network.

    Returns:
        What `save` keeps: settings, machine, the runs of each network, and in `apart` the pairs
        (better, worse) that `significant_pairs` tells apart by every seed, for each protocol.

    Raises:
        DataError: the data set cannot be read or has no parts, or no network is named.
        MerError: a start or a checkpoint does not belong to its network.
    """
    if not networks:
        raise DataError("There is no network to train.")
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in networks}
    pairs: dict[str, list[set[tuple[str, str]]]] = {"all": [], "clean": []}
    for seed in SEEDS:
        settings = Settings(**(asdict(SCHEDULE) | {"seed": seed}))
        wrong: dict[str, dict[str, list[str]]] = {"all": {}, "clean": {}}
        for name in networks:
            folder = out / f"{name}-{seed}"
            trainer.train(name, [source], out=folder, settings=settings, start=starts.get(name))
            scores = _scores(name, folder, source)
            for protocol, mistakes in scores.pop("mistakes").items():
                wrong[protocol][name] = mistakes
            runs[name].append({"seed": seed, **scores})
        for protocol, mistakes in wrong.items():
            pairs[protocol].append(significant_pairs(mistakes))
    return {
        "settings": asdict(SCHEDULE),
        "data": source.resolve().name,
        "starts": sorted(starts),
        "machine": provenance.machine(),
        "measured": provenance.now(),
        "networks": runs,
        "apart": {kind: sorted(set.intersection(*found)) for kind, found in pairs.items()},
    }


def save(result: Result) -> Path:
    """Keep the figures beside the weights."""
    path = store.FOLDER / FILE
    files.write_json(path, result)
    return path


def read() -> Result | None:
    """Read the figures beside the weights; None where they are missing or damaged."""
    try:
        result: Result = json.loads((store.FOLDER / FILE).read_text(encoding="utf-8"))
        table(result), verdict(result)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return result


def table(result: Result) -> pd.DataFrame:
    """Return a row a network: means and standard deviations over the seeds, as text."""
    rows = [{"network": name, **_row(runs)} for name, runs in result["networks"].items()]
    return pd.DataFrame(rows)


def verdict(result: Result) -> str:
    """Return sentences: the schedule, and the differences that are significant for every seed."""
    settings = result["settings"]
    seeds = len(next(iter(result["networks"].values())))
    text = (
        f"Each network by {seeds} seeds, on {settings['epochs']} passes over the paper's training "
        f"pictures alone: shorter than what ships, so look at the spread, not at the height."
    )
    for kind, pairs in result["apart"].items():
        told = ", ".join(f"{better} over {worse}" for better, worse in pairs)
        text += f" By every seed, on {kind} pictures, more than chance: {told or 'no difference'}."
    return text


def _row(runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    def share(key: str) -> str:
        values = [100 * run[key] for run in runs]
        return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f} %"

    reached = [run["goal_seconds"] for run in runs if run["goal_seconds"] is not None]
    return {
        "all test pictures": share("all"),
        "clean ones": share("clean"),
        "mean recall, clean": share("uar"),
        "validation": share("validation"),
        "processor time": f"{statistics.mean(run['cpu_seconds'] for run in runs):.0f} s",
        f"to {GOAL:.0%} on validation": (
            f"{statistics.mean(reached):.0f} s, {len(reached)} of {len(runs)}"
            if reached
            else "not reached"
        ),
    }


def _scores(name: str, folder: Path, source: Path) -> dict[str, Any]:
    """Accuracies of the weights in `folder`, their time, and the names of mistakes."""
    predictor = Predictor(name, folder=folder)
    figures = evaluate_predictor(predictor, source)
    clean = figures["clean"]
    if not clean:
        raise MerError(f"Name the whole data set, with train and test in it, not {source}.")
    history = predictor.record["training"]["stages"][-1]["history"]
    return {
        "all": figures["accuracy"],
        "clean": clean["accuracy"],
        "uar": clean["uar"],
        "validation": max(epoch["validation_accuracy"] for epoch in history),
        "cpu_seconds": sum(epoch["cpu_seconds"] for epoch in history),
        "goal_seconds": _until(GOAL, history),
        "mistakes": {"all": figures["mistakes"], "clean": clean["mistakes"]},
    }


def _until(goal: float, history: Sequence[Mapping[str, float]]) -> float | None:
    """Processor seconds until validation reached the goal; None where it did not."""
    spent = np.cumsum([epoch["cpu_seconds"] for epoch in history])
    there = [epoch["validation_accuracy"] >= goal for epoch in history]
    return float(spent[there.index(True)]) if any(there) else None


def parser() -> argparse.ArgumentParser:
    """Return the parser of this tool."""
    root = argparse.ArgumentParser(prog="python -m tools.seed_study", description=__doc__)
    where = "the paper's data set: a folder with train and test in it"
    root.add_argument("--data", type=Path, required=True, metavar="DIR", help=where)
    text = "weights that networks begin with, called as they are; see docs/lab/training.md"
    root.add_argument("--start", type=Path, nargs="+", default=(), metavar="FILE", help=text)
    text = "folder for the weights (default %(default)s)"
    root.add_argument("--out", type=Path, default=Path("runs/seeds"), metavar="DIR", help=text)
    root.add_argument(
        "--model", choices=MODELS, nargs="+", default=list(MODELS), help="default: all"
    )
    text = "keep the figures beside the weights, for the documents"
    root.add_argument("--save", action="store_true", help=text)
    return root


def main(options: argparse.Namespace) -> None:
    """Print means and spread, and which networks every seed tells apart."""
    devices.keep_freed_memory()
    starts = {path.stem: path for path in options.start}
    result = measure(options.model, options.data, options.out, starts)
    print(documents.markdown_frame(table(result)))
    print(f"\n{verdict(result)}")
    if options.save:
        print(f"\nwritten: {save(result)}")


if __name__ == "__main__":
    main(parser().parse_args())
