"""`python -m tools.motion`: trains or scores the classifier of facial motion."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mer.cli.common import command


def parser() -> argparse.ArgumentParser:
    """Return the parser of `train` and `evaluate`."""
    root = argparse.ArgumentParser(prog="python -m tools.motion", description="Facial motion.")
    commands = root.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _train(commands)
    _evaluate(commands)
    return root


def _train(commands: Any) -> None:
    text = "Train on motion maps, and score it as `evaluate` does"
    add = command(commands, "train", train, text).add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="maps, with index.csv")
    add("--out", type=Path, default=Path("runs"), help="folder to write to (default %(default)s)")


def train(options: argparse.Namespace) -> None:
    """Write the weights and their record, and print the scores in it."""
    from tools.motion import training

    options.out.mkdir(parents=True, exist_ok=True)
    print(training.fit(options.data, options.out))
    print(f"\nwritten: {options.out / 'motion.safetensors'}")


def _evaluate(commands: Any) -> None:
    text = "Leave one person out, every choice made among the others: UF1 and UAR"
    add = command(commands, "evaluate", evaluate, text).add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="maps, with index.csv")


def evaluate(options: argparse.Namespace) -> None:
    """Print the scores, for three seeds."""
    from tools.motion import training

    print(training.cross_validate(options.data))


if __name__ == "__main__":
    options = parser().parse_args()
    options.command(options)
