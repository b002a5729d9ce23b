"""What a training can be told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a training can be told; all of it goes into the record."""

    epochs: int = 12
    batch: int = 128
    learning_rate: float = 1e-3  # the highest, reached after a tenth of the steps
    weight_decay: float = 0.02
    copies: int = 2  # transformed copies of each original, drawn anew in each epoch
    label_smoothing: float = 0.1
    even: float = 0.0  # 1: all data sets and their classes come equally often, see corpora.chances
    draws: int = 0  # pictures of an epoch, drawn by chance; 0: each original and copy once
    balance: float = 0.0  # rare classes weigh more, by their share to the power of minus this
    mixup: float = 0.0  # parameter of the Beta distribution that blends pairs of pictures; 0: none
    taught: float = 0.7  # the teachers' part of the target, where there are any
    once: bool = False  # teachers see each picture once, and not every copy and blend of it
    validation: float = 0.1  # share of each class that is held out
    patience: int = 5  # epochs without a better validation accuracy before it stops
    average: float = 0.998  # decay of the moving average of the weights, which is what ships
    precision: str = "float32"  # or "bfloat16", twice as fast where the processor has it
    norm: bool = True  # batch normalisation, for the networks that have it as an option
    seed: int = 0
