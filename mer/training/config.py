"""The settings of a training, which are also the options of `python -m mer train`."""

from dataclasses import dataclass, field
from typing import Any


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
