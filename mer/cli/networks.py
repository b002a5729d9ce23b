"""`audit`, `train`, `calibrate`, `evaluate`, `compare`: data sets, networks and records."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from mer.cli.common import command, network, say
from mer.emotions import EMOTIONS
from mer.models.registry import NETWORKS
from mer.training.config import Settings


def add(commands: Any) -> None:
    """Add these commands to the others."""
    _audit(commands)
    _train(commands)
    _calibrate(commands)
    _evaluate(commands)
    _compare(commands)


def _audit(commands: Any) -> None:
    text = "Find pictures that a data set holds twice, and leaks between its splits"
    add = command(commands, "audit", audit, text).add_argument
    add("data", type=Path, metavar="DIR", help="data set: a folder or zip")
    add("--csv", type=Path, metavar="OUT", help="write every pair found to this file")


def audit(options: argparse.Namespace) -> None:
    """Print what the audit found."""
    from mer.data import audit as auditing

    found = auditing.audit(options.data)
    print(auditing.to_text(found))
    if options.csv:
        auditing.write(found, options.csv)
        print(f"\nEvery pair is in {options.csv}.")


def _train(commands: Any) -> None:
    text = "Train a network, or go on training it"
    training(command(commands, "train", train, text).add_argument, Settings)


def training(add: Any, settings: type[Settings]) -> None:
    """Add the options of a training."""
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
        if setting.metadata:
            _setting(add, setting)


def _setting(add: Any, setting: dataclasses.Field[Any]) -> None:
    """Add the option of one of the settings; of one that is on by default, `--no-` turns it off."""
    name, default = setting.name.replace("_", "-"), setting.default
    how: dict[str, Any] = dict(setting.metadata)
    if isinstance(default, bool):
        prefix, how["action"] = ("no-", "store_false") if default else ("", "store_true")
        add(f"--{prefix}{name}", dest=setting.name, **how)
    else:
        how["help"] += " (default %(default)s)"
        add(f"--{name}", type=type(default), default=default, **how)


def train(options: argparse.Namespace) -> None:
    """Train one network."""
    from mer.training import devices, trainer

    devices.keep_freed_memory()
    path = trainer.train(options.model, options.data, **chosen(options, Settings))
    print(f"written: {path} and {curves(options.name or options.model, options.out)}")


def chosen(options: argparse.Namespace, settings: type[Settings]) -> dict[str, Any]:
    """What `trainer.train` is told by the options, beside network and data."""
    told = [one.name for one in dataclasses.fields(settings) if one.metadata]
    return {
        "out": options.out,
        "settings": settings(**{name: getattr(options, name) for name in told}),
        "start": options.start,
        "name": options.name,
        "classes": [name.lower() for name in options.classes] if options.classes else EMOTIONS,
        "cut": options.cut,
    }


def curves(model: str, folder: Path) -> Path:
    """Write the learning curves beside the weights, as a page that opens offline."""
    from mer.results import charts
    from mer.weights import store

    path = folder / f"{model}.curves.html"
    charts.curves(store.read_record(model, folder=folder)).write_html(path)
    return path


def _calibrate(commands: Any) -> None:
    text = (
        "Choose a network's views, temperature and threshold on the pictures its training held out"
    )
    add = command(commands, "calibrate", calibrate, text).add_argument
    network(add)
    add("--data", type=Path, required=True, metavar="DIR", help="what it was trained on last")
    add("--save", action="store_true", help="keep them in the network's record, for its answers")


def calibrate(options: argparse.Namespace) -> None:
    """Print views, temperature, threshold and the calibration error before and after, as JSON."""
    import json

    from mer.evaluation import calibration

    fitted = calibration.calibrate(options.model, options.data)
    print(json.dumps(fitted, indent=1))
    if options.save:
        calibration.save(options.model, fitted)


def _evaluate(commands: Any) -> None:
    text = "Measure a network on pictures named by class"
    add = command(commands, "evaluate", evaluate, text).add_argument
    network(add)
    text = "data set: a folder or zip; several are judged as faces from elsewhere"
    add("--data", type=Path, nargs="+", required=True, metavar="DIR", help=text)
    add("--split", default="test", help="part of the data set (default %(default)s)")
    add("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    add("--save", action="store_true", help="keep the figures in the network's record")


def evaluate(options: argparse.Namespace) -> None:
    """Print the figures as JSON."""
    import json

    from mer.data import ferplus
    from mer.evaluation import elsewhere, metrics
    from mer.inference.predictor import Predictor

    first, *others = options.data
    judged = Predictor(options.model)
    part = "ferplus" if ferplus.there(first) else options.split
    if others:
        part, figures = "elsewhere", elsewhere.evaluate_sets(judged, options.data)
    else:
        figures = metrics.evaluate_predictor(judged, first, split=options.split)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.save:
        metrics.save(options.model, part, figures)


def _compare(commands: Any) -> None:
    text = "Print the measured figures of the networks, beside the paper's own"
    add = command(commands, "compare", compare, text).add_argument
    text = (
        "table: Markdown; csv and json: the leaderboard's figures as numbers (default %(default)s)"
    )
    add("--format", choices=("table", "csv", "json"), default="table", help=text)


def compare(options: argparse.Namespace) -> int:
    """Print the comparison from the records."""
    import json

    import pandas as pd

    from mer.io import files
    from mer.results import comparison, markdown

    records, problems = comparison.read_records()
    figures = comparison.leaderboard(records)
    if options.format == "json":
        print(json.dumps(figures, indent=1))
    elif options.format == "csv":
        print(files.csv_text(pd.DataFrame(figures).round(4)), end="")
    else:
        print(markdown.frame(comparison.beside_the_paper(records)))
    return max([say(problem) for problem in problems], default=0)
