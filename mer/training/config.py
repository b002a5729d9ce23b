"""The settings of a training, which are also the options of `python -m mer train`."""

from dataclasses import dataclass, field
from typing import Any


def _flag(default: Any, text: str, **more: Any) -> Any:
    """A setting that `python -m mer train` takes as an option; `text` is its help."""
    return field(default=default, metadata={"help": text, **more})


@dataclass(frozen=True)
class Settings:
    """The settings of a training; all of them go into the record."""

    epochs: int = _flag(12, "at most so many")
    batch: int = _flag(128, "pictures a step")
    learning_rate: float = _flag(1e-3, "the highest, reached after a tenth of the steps")
    weight_decay: float = _flag(0.02, "of AdamW")
    copies: int = _flag(2, "transformed copies of each original, drawn anew in each epoch")
    label_smoothing: float = 0.1
    even: float = _flag(0.0, "1: data sets and their classes come equally often, not by size")
    draws: int = _flag(0, "pictures an epoch, drawn by chance; 0: each original and copy once")
    balance: float = _flag(0.0, "rare classes weigh more: their share to the power of minus this")
    mixup: float = _flag(0.0, "blends pairs of pictures: Beta's parameter; 0: none")
    taught: float = _flag(0.7, "the teachers' part of the target, where there are any")
    once: bool = _flag(False, "teachers see each picture once, not every copy of it: much quicker")
    validation: float = 0.1  # share of each class that is held out for validation
    patience: int = _flag(5, "epochs without a better validation accuracy that end it")
    average: float = _flag(0.998, "decay of the weights' moving average, which is what ships")
    precision: str = _flag(
        "float32",
        "of the arithmetic; bfloat16 is twice as fast where the processor has it",
        choices=("float32", "bfloat16"),
    )
    norm: bool = _flag(True, "as the paper: no batch normalisation, where it is an option")
    seed: int = _flag(0, "of everything random")
