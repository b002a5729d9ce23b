"""Custom networks: valid names of them and of their classes."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mer.errors import MerError, WeightsError
from mer.models.registry import MODELS
from mer.weights import store

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # of a file, on every system
_CLASS: Final = re.compile(r"[a-z0-9][a-z0-9 _-]{0,39}")  # of a folder, and a column of a table
# Names of columns that tables have beside the classes, and of parts of a data set. The tables stand
# in a room above this one; tests/results/test_tables.py holds that all their columns are here.
RESERVED: Final = frozenset(
    {
        *("file", "face", "x", "y", "width", "height", "detector_score"),
        *("emotion", "probability", "sure", "concerns", "reason"),
        *("network", "version", "detector", "time", "person", "covered", "fps", "mer"),
        *("train", "test"),
    }
)


def check(architecture: str, name: str, classes: Sequence[str], folder: Path) -> None:
    """Refuse invalid names of a network in `folder` or of its classes.

    Raises:
        MerError: with what to choose instead.
    """
    if not _NAME.fullmatch(name) or (name in MODELS and name != architecture):
        raise MerError(
            f"A network cannot be called {name!r}: choose small letters, digits, - and _, and not "
            "the name of another network."
        )
    if (folder / f"{name}.json").exists() and not _is(architecture, name, folder):
        raise MerError(f"{folder / name}.json is something else: choose another --name or --out.")
    bad = [one for one in classes if not _CLASS.fullmatch(one) or one in RESERVED]
    if bad or len(set(classes)) != len(classes) or len(classes) < 2:
        raise MerError(
            "Name two classes or more, all different, in small letters, digits, - and _, and none "
            f"of {', '.join(sorted(RESERVED))}" + (f": not {', '.join(bad)}." if bad else ".")
        )


def _is(architecture: str, name: str, folder: Path) -> bool:
    try:
        record = store.read_record(name, folder=folder)
    except WeightsError:
        return False
    return bool(record.get("architecture", name) == architecture)
