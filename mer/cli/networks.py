"""`train`, `calibrate`, `evaluate`, `compare`: networks and records."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mer.cli.common import command, network, say
from mer.emotions import EMOTIONS
from mer.models.registry import NETWORKS

if TYPE_CHECKING:
    from mer.results import paper


def add(commands: Any) -> None:
    """Put `train`, `calibrate`, `evaluate`, `compare` among the commands."""
    _train(commands)
    _calibrate(commands)
    _evaluate(commands)
    _compare(commands)


def _train(commands: Any) -> None:
    add = command(commands, "train", train, "Train a network, or go on training it").add_argument
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
    add("--epochs", type=int, help="at most so many (default 12)")
    add("--patience", type=int, help="epochs without a better one that end it (default 5)")
    add("--batch", type=int, help="pictures a step (default 128)")
    add("--learning-rate", type=float, help="the highest of the schedule (default 0.001)")
    add("--copies", type=int, help="transformed copies of each original (default 2)")
    add("--weight-decay", type=float, help="of AdamW (default 0.02)")
    add("--balance", type=float, help="rare classes weigh more: a power of share (default 0.0)")
    text = "1: data sets and their classes come equally often, not by their size (default 0.0)"
    add("--even", type=float, help=text)
    text = "pictures an epoch, drawn by chance; 0: each original and copy once (default 0)"
    add("--draws", type=int, help=text)
    text = "decay of the moving average of the weights, which is what ships (default 0.998)"
    add("--average", type=float, help=text)
    add("--mixup", type=float, help="blends pairs of pictures: Beta's parameter (default 0.0)")
    text = "learn the answers of these networks too (.safetensors)"
    add("--teachers", type=Path, nargs="+", default=(), metavar="FILE", help=text)
    add("--taught", type=float, help="the teachers' part of the target (default 0.7)")
    text = "teachers see each picture once, not every copy and blend of it: much quicker"
    add("--once", action="store_true", default=None, help=text)
    add("--seed", type=int, help="of everything random (default 0)")
    normed = ", ".join(name for name, one in NETWORKS.items() if "norm" in one.options)
    text = f"as the paper: no batch normalisation ({normed})"
    add("--no-norm", dest="norm", action="store_false", default=None, help=text)
    add("--precision", choices=("float32", "bfloat16"), help="of the arithmetic (default float32)")


def train(options: argparse.Namespace) -> None:
    """Train one network."""
    from mer.training import devices, distributed, trainer
    from mer.training.config import Settings

    devices.keep_freed_memory()
    names = [field.name for field in dataclasses.fields(Settings)]
    given = {name: getattr(options, name, None) for name in names}
    settings = Settings(**{name: one for name, one in given.items() if one is not None})
    path = trainer.train(
        options.model,
        options.data,
        out=options.out,
        settings=settings,
        start=options.start,
        teachers=options.teachers,
        name=options.name,
        classes=[name.lower() for name in options.classes] if options.classes else EMOTIONS,
        cut=options.cut,
    )
    if distributed.first():
        print(f"written: {path} and {_curves(options.name or options.model, options.out)}")


def _curves(model: str, folder: Path) -> Path:
    """Draw the learning curves beside the weights, as a page that opens offline."""
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
    add("--twins", type=Path, metavar="CSV", help="list of test pictures and their twins in train")
    add("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    add("--save", action="store_true", help="keep the figures in the network's record")


def evaluate(options: argparse.Namespace) -> None:
    """Print the figures as JSON."""
    import json

    from mer.data import ferplus
    from mer.evaluation import elsewhere, metrics
    from mer.inference.predictor import Predictor

    first, *others = options.data
    part = "ferplus" if ferplus.there(first) else options.split
    if others:
        part, figures = "elsewhere", elsewhere.evaluate_sets(Predictor(options.model), options.data)
    else:
        figures = metrics.evaluate_model(
            options.model, first, twins=options.twins, split=options.split
        )
    text = json.dumps(figures, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.save:
        metrics.save(options.model, part, figures)


def _compare(commands: Any) -> None:
    text = "Print the measured figures of the shipped networks as a Markdown table"
    command(commands, "compare", compare, text)


def compare(options: argparse.Namespace) -> int:
    """Print the comparison from the records, beside the paper's own figures."""
    from mer.results import comparison, markdown, paper

    records, problems = comparison.read_records()
    table = comparison.table(records).set_index("figure")
    printed = {row.ours: row for row in paper.TABLE_1}
    for split in ("train", "test"):
        row = [_printed(printed.get(name), split) for name in table.columns]
        table.loc[f"The paper's {split} accuracy"] = row
    measured = table.loc[(table != "–").any(axis=1)]
    print(markdown.frame(measured.reset_index()))
    return max([say(problem) for problem in problems], default=0)


def _printed(row: paper.Row | None, split: str) -> str:
    return f"{getattr(row, split):.2f} %" if row else "–"
