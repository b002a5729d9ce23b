"""`motion`: the recogniser of expressions by their motion."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mer.cli.common import command


def add(commands: Any) -> None:
    """Put `motion train` and `motion evaluate` among the commands."""
    text = "Train or score what tells negative, positive and surprise by motion"
    parser = commands.add_parser("motion", help=text, description=f"{text}.")
    own = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _train(own)
    _evaluate(own)


def _train(commands: Any) -> None:
    text = "Train on motion maps, and score it as `evaluate` does"
    add = command(commands, "train", train, text).add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="maps, with index.csv")
    add("--out", type=Path, default=Path("runs"), help="folder to write to (default %(default)s)")


def train(options: argparse.Namespace) -> None:
    """Write the weights and their record, and print the scores in it."""
    from mer.video import motion_training

    options.out.mkdir(parents=True, exist_ok=True)
    print(motion_training.fit(options.data, options.out))
    print(f"\nwritten: {options.out / 'motion.safetensors'}")


def _evaluate(commands: Any) -> None:
    text = "Leave one person out, every choice made among the others: UF1 and UAR"
    add = command(commands, "evaluate", evaluate, text).add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="maps, with index.csv")


def evaluate(options: argparse.Namespace) -> None:
    """Print the scores, for three seeds."""
    from mer.video import motion_training

    print(motion_training.cross_validate(options.data))
