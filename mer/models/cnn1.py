"""The paper's CNN Model 1: nine convolutions in three blocks, three linear layers, no dropout."""

from typing import ClassVar

from mer.models.base import PaperCNN
from mer.models.registry import NETWORKS


class CNN1(PaperCNN):
    """The output is linear. The paper gives no widths: these hold 3.0 M parameters."""

    size: ClassVar[int] = NETWORKS["cnn1"].size
    widths: ClassVar[tuple[int, ...]] = (32, 64, 128)
    units: ClassVar[tuple[int, ...]] = (512, 256)
    dropout: ClassVar[float] = 0.0
