"""`cover`: the model that tells covered faces from bare ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mer.cli.common import command


def add(commands: Any) -> None:
    """Put `cover` among the commands."""
    text = "Train what tells a covered face from a bare one, by drawing hands over faces"
    add = command(commands, "cover", cover, text).add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="pictures of faces, in any folders")
    add("--out", type=Path, default=Path("runs"), help="folder to write to (default %(default)s)")
    add("--count", type=int, default=6000, help="pictures drawn from it (default %(default)s)")


def cover(options: argparse.Namespace) -> None:
    """Write the weights and their record, and print the score in it."""
    from mer.video import cover_training

    options.out.mkdir(parents=True, exist_ok=True)
    print(cover_training.fit(options.data, options.out, options.count))
    print(f"\nwritten: {options.out / 'cover.safetensors'}")
