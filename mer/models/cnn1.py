"""The paper's CNN Model 1: nine convolutions in three blocks, three linear layers, no dropout."""

from typing import ClassVar

from torch import Tensor

from mer.models.base import CLASSES, BaseClasificacionImagenes, convolutions, initialise, perceptron
from mer.models.registry import NETWORKS


class CNN1(BaseClasificacionImagenes):
    """3 x (3 convolutions, max-pool), then 512, 256 and 7 linear units; the output is linear.

    The paper gives no widths: these hold 3.0 M parameters. `norm` puts batch normalisation
    behind each convolution, which the paper does not mention.
    """

    size: ClassVar[int] = NETWORKS["cnn1"].size
    widths: ClassVar[tuple[int, ...]] = (32, 64, 128)
    explained: ClassVar[tuple[str, ...]] = ("features.18", "features.28")

    def __init__(self, *, norm: bool = True, classes: int = CLASSES) -> None:
        super().__init__()
        self.features = convolutions(self.widths, norm=norm)
        inputs = self.widths[-1] * (self.size >> len(self.widths)) ** 2
        self.classifier = perceptron(inputs, (512, 256), classes, dropout=0)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, 48, 48) in 0..1 to logits (n, 7)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
