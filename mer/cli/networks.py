"""`publish`, `audit`, `train`, `calibrate`, `evaluate`, `compare`: networks and their data."""

import argparse
import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

from mer.cli.common import OUT, command, network, say
from mer.emotions import EMOTIONS
from mer.models.registry import DEFAULT_MODEL, NETWORKS
from mer.training.config import Settings


def add_publish(commands: Any) -> None:
    """Put `publish` among the commands."""
    parser = command(commands, "publish", publish)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--space", metavar="OWNER/NAME", help="the Space to push the page to")
    where.add_argument("--model", metavar="OWNER/NAME", help="the repository of a network")
    network(parser.add_argument, "--network", DEFAULT_MODEL, "network to push with --model")
    text = "push nothing: write what would be pushed to this folder"
    parser.add_argument("--dry-run", type=Path, metavar="DIR", help=text)


def publish(options: argparse.Namespace) -> None:
    """Push the page as a Space, or a network with its model card, to the Hugging Face Hub."""
    from mer import hub

    kind = "space" if options.space else "model"
    write = hub.space if options.space else partial(hub.model, options.network)
    if options.dry_run:
        write(options.dry_run)
        files = sorted(path for path in options.dry_run.rglob("*") if path.is_file())
        print("\n".join(path.relative_to(options.dry_run).as_posix() for path in files))
        return
    repository = options.space or options.model
    commit = hub.push(repository, kind, write)
    print(f"pushed: {repository}, commit {commit}")
    if options.model:
        print(f"to use it: MER_HUB={repository}@{commit}")


def add(commands: Any) -> None:
    """Put `audit`, `train`, `calibrate`, `evaluate` and `compare` among the commands."""
    option = command(commands, "audit", audit).add_argument
    option("data", type=Path, metavar="DIR", help="data set: a folder or zip")
    option("--csv", help="write every pair found to this file", **OUT)

    training(command(commands, "train", train).add_argument, Settings)

    text = "Choose a network's views, temperature and threshold"
    text += " on the pictures its training held out"
    option = command(commands, "calibrate", calibrate, text).add_argument
    network(option)
    option("--data", type=Path, required=True, metavar="DIR", help="what it was trained on last")
    option("--save", action="store_true", help="keep them in the network's record, for its answers")

    option = command(commands, "evaluate", evaluate).add_argument
    network(option, default=DEFAULT_MODEL)
    text = "data set: a folder or zip; several are judged as faces from elsewhere"
    option("--data", type=Path, nargs="+", required=True, metavar="DIR", help=text)
    option("--split", default="test", help="part of the data set (default %(default)s)")
    option("--json", help="also write the figures to this file", **OUT)
    option("--save", action="store_true", help="keep the figures in the network's record")

    option = command(commands, "compare", compare).add_argument
    text = "table: Markdown; csv and json: the leaderboard's figures as numbers"
    text += " (default %(default)s)"
    option("--format", choices=("table", "csv", "json"), default="table", help=text)


def training(add: Any, settings: type[Settings]) -> None:
    """Add the options of a training; of a setting that is on, `--no-` turns it off."""
    add("--model", choices=NETWORKS, required=True, help="network, or what yours is built like")
    text = "what to call a network of your own; without it, the new one is called as --model"
    add("--name", metavar="NAME", help=text)
    text = "what to tell apart: names of class folders (default: the seven expressions)"
    add("--classes", nargs="+", metavar="CLASS", help=text)
    where = "data set: a folder or zip of class folders, or of train/ and test/ with them inside"
    add("--data", type=Path, nargs="+", required=True, metavar="DIR", help=where)
    text = "more data sets, of pictures that show more than a face: it is found and cut out"
    add("--cut", type=Path, nargs="+", default=(), metavar="DIR", help=text)
    add("--out", type=Path, default=Path("runs"), help="folder to write to (default %(default)s)")
    add("--start", type=Path, metavar="FILE", help="weights to begin from (.safetensors)")
    for setting in dataclasses.fields(settings):
        option, default = setting.name.replace("_", "-"), setting.default
        how: dict[str, Any] = dict(setting.metadata)
        if how and isinstance(default, bool):
            action = "store_false" if default else "store_true"
            add(f"--{'no-' * default}{option}", dest=setting.name, action=action, **how)
        elif how:
            how["help"] += " (default %(default)s)"
            add(f"--{option}", type=type(default), default=default, **how)


def audit(options: argparse.Namespace) -> None:
    """Find pictures that a data set holds twice, and leaks between its splits."""
    from mer.data import audit as auditing

    found = auditing.audit(options.data)
    print(auditing.to_text(found))
    if options.csv:
        auditing.write(found, options.csv)
        print(f"\nEvery pair is in {options.csv}.")


def train(options: argparse.Namespace) -> None:
    """Train a network, or go on training it."""
    from mer.training import devices, trainer

    devices.keep_freed_memory()
    path = trainer.train(options.model, options.data, **chosen(options, Settings))
    print(f"written: {path} and {curves(options.name or options.model, options.out)}")


def chosen(options: argparse.Namespace, settings: type[Settings]) -> dict[str, Any]:
    """What `trainer.train` is told by the options, beside network and data."""
    told = [one.name for one in dataclasses.fields(settings) if one.metadata]
    return {name: getattr(options, name) for name in ("out", "start", "name", "cut")} | {
        "settings": settings(**{name: getattr(options, name) for name in told}),
        "classes": [name.lower() for name in options.classes] if options.classes else EMOTIONS,
    }


def curves(model: str, folder: Path) -> Path:
    """Write the learning curves beside the weights, as a page that opens offline."""
    from mer.results import charts
    from mer.weights import store

    path = folder / f"{model}.curves.html"
    charts.curves(store.read_record(model, folder=folder)).write_html(path)
    return path


def calibrate(options: argparse.Namespace) -> None:
    """Print views, temperature, threshold and the calibration error before and after, as JSON."""
    from mer.evaluation import calibration

    fitted = calibration.calibrate(options.model, options.data)
    print(json.dumps(fitted, indent=1))
    if options.save:
        calibration.save(options.model, fitted)


def evaluate(options: argparse.Namespace) -> None:
    """Measure a network on pictures named by class."""
    from mer.data import dataset
    from mer.evaluation import datasets
    from mer.inference.predictor import Predictor

    judged, source = Predictor(options.model), options.data[0]
    if len(options.data) > 1:
        part, figures = "elsewhere", datasets.evaluate_sets(judged, options.data)
    else:
        part = "ferplus" if dataset.is_ferplus(source) else options.split
        figures = datasets.evaluate_predictor(judged, source, split=options.split)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.save:
        datasets.save(options.model, part, figures)


def compare(options: argparse.Namespace) -> int:
    """Print the measured figures of the networks, beside the paper's own."""
    import pandas as pd

    from mer.io import files
    from mer.results import comparison, documents

    records, problems = comparison.read_records()
    figures = comparison.leaderboard(records)
    if options.format == "json":
        print(json.dumps(figures, indent=1))
    elif options.format == "csv":
        print(files.csv_text(pd.DataFrame(figures).round(4)), end="")
    else:
        print(documents.markdown_frame(comparison.beside_the_paper(records)))
    return max([say(problem) for problem in problems], default=0)
