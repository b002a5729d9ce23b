"""The paper's CNN Model 2: twelve convolutions in four blocks, three linear layers, dropout."""

from typing import ClassVar

from torch import Tensor

from mer.models.base import CLASSES, BaseClasificacionImagenes, convolutions, initialise, perceptron
from mer.models.registry import NETWORKS


class CNN2(BaseClasificacionImagenes):
    """4 x (3 convolutions, max-pool), then 1024, 512 and 7 linear units.

    Dropout of one half follows the 1024 and the 512 units, as in the paper. Widths are ours
    (3.7 M parameters), and so is `norm`: batch normalisation behind each convolution.
    """

    size: ClassVar[int] = NETWORKS["cnn2"].size
    widths: ClassVar[tuple[int, ...]] = (32, 64, 128, 192)
    explained: ClassVar[tuple[str, ...]] = ("features.28", "features.38")

    def __init__(self, *, norm: bool = True, classes: int = CLASSES) -> None:
        super().__init__()
        self.features = convolutions(self.widths, norm=norm)
        inputs = self.widths[-1] * (self.size >> len(self.widths)) ** 2
        self.classifier = perceptron(inputs, (1024, 512), classes, dropout=0.5)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, 48, 48) in 0..1 to logits (n, 7)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
