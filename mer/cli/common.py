"""Helpers of the commands: options that several share, and sentences on stderr."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

from mer.errors import MerError
from mer.models.registry import DEFAULT_MODEL, NETWORKS

# The detectors are named here, too, since their module imports OpenCV; a test compares both.
DETECTORS: Final = ("yunet", "haar", "none")
OUT: Final[dict[str, Any]] = {"type": Path, "metavar": "OUT"}  # of an option for a file to write
BOM: Final = "begin CSV files with a byte order mark, by which Excel knows UTF-8"


def command(commands: Any, name: str, run: Any, text: str = "") -> argparse.ArgumentParser:
    """Add a command, whose options `run` gets; its help is `text`, or the first line of its doc."""
    text = text or (run.__doc__ or name).splitlines()[0].removesuffix(".")
    added: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{text}.")
    added.set_defaults(command=run)
    return added


def network(add: Any, option: str = "--model", default: str = "", what: str = "network") -> None:
    """Add an option of any network's name: custom ones are looked up with the weights."""
    text = f"{what}: {', '.join(NETWORKS)}, or one of your own"
    text += f" (default {default})" if default else ""
    add(option, metavar="NAME", default=default or None, required=not default, help=text)


def reading(add: Any) -> None:
    """Add `--model` and `--detector`, which read faces."""
    network(add, default=DEFAULT_MODEL)
    text = "what finds faces; none: each picture is a cut-out face (default %(default)s)"
    add("--detector", choices=DETECTORS, default="yunet", help=text)


def check_folders(*outputs: Path | None) -> None:
    """Refuse with a MerError to write to folders that are missing, before the work."""
    for path in outputs:
        if path and not path.parent.is_dir():
            raise MerError(f"There is no folder '{path.parent}' to write {path.name} to. Make it.")


def say(sentence: str) -> int:
    """Print a sentence on stderr and return the exit status that goes with it."""
    from mer.io.files import shown

    print("\n".join(map(shown, f"mer: {sentence}".splitlines())), file=sys.stderr)
    return 2


def nobody_listens() -> None:
    """Print into nothing from now on: the reader, such as `head`, has seen enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
