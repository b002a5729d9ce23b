"""The command line. Each command reads its arguments and calls one public function.

Imports of torch and the rest stay inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mer import __version__
from mer.errors import MerError

if TYPE_CHECKING:
    import pandas as pd

# Written out here because the registries lie behind torch and OpenCV; a test compares them.
MODELS: Final = ("cnn1", "cnn2", "resnet18")
DETECTORS: Final = ("yunet", "haar")
DEFAULT_MODEL: Final = "cnn1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 with one sentence on stderr."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.command(options) or 0
        sys.stdout.flush()
    except MerError as error:
        return _say(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _say(f"{error.filename}: {error.strerror}." if error.filename else f"{error}.")
    return status


def _say(sentence: str) -> int:
    print(f"mer: {sentence}", file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    root = argparse.ArgumentParser(
        prog="python -m mer",
        description="Reads which of seven facial expressions a face looks like.",
    )
    root.add_argument("--version", action="version", version=f"mer {__version__}")
    commands = root.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (_app, _predict, _train, _evaluate, _compare, _audit, _bench):
        add(commands)
    return root


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{text}.")
    command.set_defaults(command=run)
    return command


def _app(commands: Any) -> None:
    add = _command(commands, "app", app, "Serve the page").add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=int, default=7860, help="port to listen on (default %(default)s)")
    add("--share", action="store_true", help="also open a public Gradio link, for 72 hours")


def app(options: argparse.Namespace) -> None:
    """Serve the page until it is interrupted."""
    from mer.ui import launch

    launch(host=options.host, port=options.port, share=options.share)


def _predict(commands: Any) -> None:
    text = "Say what the faces in pictures look like"
    add = _command(commands, "predict", predict, text).add_argument
    add("paths", nargs="+", metavar="PATH", help="a picture, or a folder of pictures")
    add("--model", choices=MODELS, default=DEFAULT_MODEL, help="network (default %(default)s)")
    add("--detector", choices=DETECTORS, default="yunet", help="default %(default)s")
    add("--csv", type=Path, metavar="OUT", help="write a CSV file: one row a face")
    add("--json", type=Path, metavar="OUT", help="write a JSON file: one entry a face")


def predict(options: argparse.Namespace) -> int:
    """Print one line a face; a picture that cannot be read is named and the rest go on."""
    from mer import images, predictor, results

    network = predictor.get_predictor(options.model, options.detector)
    pictures, status = [], 0
    for path in _pictures(options.paths):
        try:
            pictures.append((str(path), network.predict(images.read(path))))
        except MerError as error:
            status = _say(str(error))
    table = results.table(
        pictures,
        network=options.model,
        version=str(network.record["version"]),
        detector=options.detector,
    )
    _print_faces(pictures, table)
    if options.csv:
        options.csv.write_text(results.to_csv(table), encoding="utf-8")
    if options.json:
        options.json.write_text(results.to_json(table), encoding="utf-8")
    return status


def _pictures(paths: Sequence[str]) -> list[Path]:
    """Return the files among `paths`, and the pictures that lie directly in the folders."""
    from mer.data import SUFFIXES

    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else []
        pictures = [file for file in inside if file.suffix.lower() in SUFFIXES]
        if path.is_dir() and not pictures:
            raise MerError(f"There are no pictures in the folder {path}. Name another.")
        found += pictures or [path]
    return found


def _print_faces(pictures: Sequence[tuple[str, Sequence[Any]]], table: pd.DataFrame) -> None:
    if len(table):
        columns = ["file", "face", "x", "y", "width", "height", "emotion", "probability"]
        shown = table[columns].rename(columns={"emotion": "looks like"})
        print(shown.to_string(index=False, float_format="{:.2f}".format))
    for name, predictions in pictures:
        if not predictions:
            print(f"{name}: no face found. Try a larger, brighter or more frontal face.")


def _train(commands: Any) -> None:
    add = _command(commands, "train", train, "Train a network, or go on training it").add_argument
    add("--model", choices=MODELS, required=True, help="network")
    where = "data set: a folder or zip of class folders, or of train/ and test/ with them inside"
    add("--data", type=Path, nargs="+", required=True, metavar="DIR", help=where)
    add("--out", type=Path, default=Path("runs"), help="folder to write to (default %(default)s)")
    add("--start", type=Path, metavar="FILE", help="weights to begin from (.safetensors)")
    add("--epochs", type=int, help="at most so many (default 12)")
    add("--batch", type=int, help="pictures a step (default 128)")
    add("--learning-rate", type=float, help="the highest of the schedule (default 0.001)")
    add("--copies", type=int, help="transformed copies of each original (default 2)")
    add("--seed", type=int, help="of everything random (default 0)")
    text = "as the paper: no batch normalisation (cnn1, cnn2)"
    add("--no-norm", dest="norm", action="store_false", default=None, help=text)
    add("--precision", choices=("float32", "bfloat16"), help="of the arithmetic (default float32)")


def train(options: argparse.Namespace) -> None:
    """Train one network."""
    from mer import training

    names = ("epochs", "batch", "learning_rate", "copies", "seed", "norm", "precision")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = training.Settings(**given)
    path = training.train(
        options.model, options.data, out=options.out, settings=settings, start=options.start
    )
    print(f"written: {path} and {_curves(options.model, options.out)}")


def _curves(model: str, folder: Path) -> Path:
    """Draw the learning curves beside the weights, as a page that opens offline."""
    from mer import charts, weights

    path = folder / f"{model}.curves.html"
    charts.curves(weights.read_record(model, folder=folder)).write_html(path)
    return path


def _evaluate(commands: Any) -> None:
    text = "Measure a network on pictures named by class"
    add = _command(commands, "evaluate", evaluate, text).add_argument
    add("--model", choices=MODELS, required=True, help="network")
    add("--data", type=Path, required=True, metavar="DIR", help="data set: a folder or zip")
    add("--split", default="test", help="part of the data set (default %(default)s)")
    add("--twins", type=Path, metavar="CSV", help="list of test pictures and their twins in train")
    add("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    add("--save", action="store_true", help="keep the figures in the network's record")


def evaluate(options: argparse.Namespace) -> None:
    """Print the figures as JSON."""
    import json

    from mer import evaluation

    figures = evaluation.evaluate_model(
        options.model, options.data, twins=options.twins, split=options.split
    )
    text = json.dumps(figures, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.save:
        evaluation.save(options.model, options.split, figures)


def _compare(commands: Any) -> None:
    text = "Print the measured figures of the shipped networks as a Markdown table"
    _command(commands, "compare", compare, text)


def compare(options: argparse.Namespace) -> int:
    """Print the comparison from the records, beside the paper's own figures."""
    from mer import comparison, paper

    records, problems = comparison.read_records()
    table = comparison.table(records).set_index("figure")
    printed = {row.ours: row for row in paper.TABLE_1}
    for split in ("train", "test"):
        row = [f"{getattr(printed[name], split):.2f} %" for name in table.columns]
        table.loc[f"The paper's {split} accuracy"] = row
    measured = table.loc[(table != "–").any(axis=1)]
    print(_markdown(measured.reset_index()))
    return max([_say(problem) for problem in problems], default=0)


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _audit(commands: Any) -> None:
    text = "Find pictures that a data set holds twice, and leaks between its splits"
    add = _command(commands, "audit", audit, text).add_argument
    add("data", type=Path, metavar="DIR", help="data set: a folder or zip")
    add("--csv", type=Path, metavar="OUT", help="write every pair found to this file")


def audit(options: argparse.Namespace) -> None:
    """Print what the audit found."""
    from mer import audit as auditing

    auditing.main(options.data, options.csv)


def _bench(commands: Any) -> None:
    text = "Time every stage from a file to a drawn picture"
    add = _command(commands, "bench", bench, text).add_argument
    add("--model", choices=MODELS, default=DEFAULT_MODEL, help="network (default %(default)s)")
    add("--picture", type=Path, metavar="FILE", help="a face to use, where scikit-image is absent")
    add("--repeats", type=int, default=20, help="runs to take medians of (default %(default)s)")
    text = "instead: accuracy against the margin of the face crop, on pictures held out of DIR"
    add("--framing", type=Path, metavar="DIR", help=text)


def bench(options: argparse.Namespace) -> None:
    """Print the benchmark's tables."""
    from mer import bench as benchmark
    from mer import framing

    if options.framing:
        table = framing.framing(options.model, options.framing)
        print(table.to_string(index=False, float_format="{:.3f}".format))
        return
    print(benchmark.report(options.model, picture=options.picture, repeats=options.repeats))
