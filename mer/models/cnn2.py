"""The paper's CNN Model 2: twelve convolutions in four blocks, three linear layers, dropout."""

from typing import ClassVar

from mer.models.base import PaperCNN
from mer.models.registry import NETWORKS


class CNN2(PaperCNN):
    """Dropout is as in the paper; the widths are ours (3.7 M parameters)."""

    size: ClassVar[int] = NETWORKS["cnn2"].size
    widths: ClassVar[tuple[int, ...]] = (32, 64, 128, 192)
    units: ClassVar[tuple[int, ...]] = (1024, 512)
    dropout: ClassVar[float] = 0.5
