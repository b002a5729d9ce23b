"""The figures of the paper that this follows, as printed there."""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from mer.evaluation.metrics import evaluate
from mer.results.wording import percent

SOURCE: Final = (
    "F. T. Sánchez García, B. López Lin, R. Romero-Herrera: "
    "Detection of facial micro-expressions using CNN (IPN ESCOM)"
)


class Row(NamedTuple):
    """One line of Table 1; accuracies in per cent, as printed."""

    network: str  # the paper's name
    ours: str  # the network here that was built after it
    train: float
    test: float
    finished: str  # its place when the trainings were timed


TABLE_1: Final = (
    Row("CNN Model 1", "cnn1", 91.20, 82.53, "first"),
    Row("CNN Model 2", "cnn2", 90.05, 81.83, "second"),
    Row("ResNet18", "resnet18", 94.20, 80.81, "third"),
)

# Confusion matrix of CNN Model 1 on the 1860 test pictures: rows are the true class, rows
# and columns in the order of EMOTIONS. Its accuracy is 1529 / 1860; the 82.53 of Table 1 is
# the mean of the accuracies of five batches, the last of which is smaller.
FIGURE_6: Final[tuple[tuple[int, ...], ...]] = (
    (280, 22, 4, 12, 14, 17, 1),
    (22, 113, 6, 6, 2, 8, 3),
    (5, 4, 82, 0, 1, 5, 23),
    (6, 3, 8, 450, 3, 4, 6),
    (5, 2, 4, 3, 127, 19, 0),
    (12, 17, 22, 10, 16, 251, 2),
    (2, 1, 23, 8, 0, 0, 226),
)


def table() -> pd.DataFrame:
    """Table 1 as the paper prints it, accuracies as text."""
    frame = pd.DataFrame(TABLE_1).drop(columns="ours")
    return frame.assign(**frame[["train", "test"]].map(lambda share: percent(share / 100, 2)))


def scores() -> dict[str, Any]:
    """Figures of the paper's CNN Model 1, as `metrics.evaluate` gives them for Figure 6."""
    return evaluate(np.array(FIGURE_6))
