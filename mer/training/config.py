"""The settings of a training, which are options of `python -m mer train`; names of own networks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mer.errors import MerError, WeightsError
from mer.models.registry import MODELS


def flag(default: Any, text: str, **more: Any) -> Any:
    """A setting that `python -m mer train` takes as an option; `text` is its help."""
    return field(default=default, metadata={"help": text, **more})


@dataclass(frozen=True)
class Settings:
    """The settings of a training; all of them go into the record."""

    epochs: int = flag(12, "at most so many")
    batch: int = flag(128, "pictures a step")
    learning_rate: float = flag(1e-3, "the highest, reached after a tenth of the steps")
    weight_decay: float = flag(0.02, "of AdamW")
    copies: int = flag(2, "transformed copies of each original, drawn anew in each epoch")
    label_smoothing: float = 0.1
    validation: float = 0.1  # share of each class that is held out for validation
    patience: int = flag(5, "epochs without a better validation accuracy that end it")
    average: float = flag(0.998, "decay of the weights' moving average, which is what ships")
    precision: str = flag(
        "float32",
        "of the arithmetic; bfloat16 is twice as fast where the processor has it",
        choices=("float32", "bfloat16"),
    )
    norm: bool = flag(True, "as the paper: no batch normalisation, where it is an option")
    seed: int = flag(0, "of everything random")


# Names of columns that tables have beside the classes, and of parts of a data set. The tables stand
# in a room above this one; tests/results/test_tables.py holds that all their columns are here.
RESERVED: Final = frozenset((
    "file", "face", "x", "y", "width", "height", "detector_score", "emotion", "probability", "sure",
    "concerns", "reason", "network", "version", "detector", "time", "person", "covered", "fps",
    "mer", "train", "test",
))  # fmt: skip


def check_names(architecture: str, name: str, classes: Sequence[str], folder: Path) -> None:
    """Raise a MerError for an invalid name of a network in `folder` or of its classes."""
    from mer.weights import store

    a_file = re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name)  # on every system
    if not a_file or (name in MODELS and name != architecture):
        raise MerError(
            f"A network cannot be called {name!r}: choose small letters, digits, - and _, and not "
            "the name of another network."
        )
    if (folder / f"{name}.json").exists():
        try:
            built = store.read_record(name, folder=folder).get("architecture", name)
        except WeightsError:
            built = None
        if built != architecture:
            text = f"{folder / name}.json is something else: choose another --name or --out."
            raise MerError(text)
    a_folder = re.compile(r"[a-z0-9][a-z0-9 _-]{0,39}")  # and a column of a table
    bad = [one for one in classes if not a_folder.fullmatch(one) or one in RESERVED]
    if bad or len(set(classes)) != len(classes) or len(classes) < 2:
        raise MerError(
            "Name two classes or more, all different, in small letters, digits, - and _, and none "
            f"of {', '.join(sorted(RESERVED))}" + (f": not {', '.join(bad)}." if bad else ".")
        )
