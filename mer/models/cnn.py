"""The paper's two plain networks. It gives no widths: these make 3.0 and 3.7 M parameters."""

import itertools
from typing import ClassVar

from torch import Tensor, nn

from mer.models.base import CLASSES, BaseClasificacionImagenes
from mer.models.registry import NETWORKS


class PaperCNN(BaseClasificacionImagenes):
    """Blocks of three 3x3 convolutions with ReLU and a 2x2 max-pool each, then linear layers.

    `norm` puts batch normalisation behind each convolution, which the paper does not mention.
    """

    widths: ClassVar[tuple[int, ...]]  # channels of each block
    units: ClassVar[tuple[int, ...]]  # of the linear layers before the last
    dropout: ClassVar[float]  # behind each of those

    def __init__(self, *, norm: bool = True, classes: int = CLASSES) -> None:
        super().__init__()
        features: list[nn.Module] = []
        for before, width in itertools.pairwise((3, *self.widths)):
            for channels in (before, width, width):
                features.append(nn.Conv2d(channels, width, 3, padding=1, bias=not norm))
                features += [nn.BatchNorm2d(width)] if norm else []
                features.append(nn.ReLU(inplace=True))
            features.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*features)
        pools = [row for row, one in enumerate(features) if isinstance(one, nn.MaxPool2d)]
        self.explained = tuple(f"features.{row - 1}" for row in pools[-2:])

        layers: list[nn.Module] = [nn.Flatten()]
        flat = self.widths[-1] * (self.size >> len(self.widths)) ** 2
        for inputs, width in itertools.pairwise((flat, *self.units)):
            layers += [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
            layers += [nn.Dropout(self.dropout)] if self.dropout else []
        self.classifier = nn.Sequential(*layers, nn.Linear(self.units[-1], classes))
        # He et al. 2015, without which nine plain convolutions hardly train
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, size, size) in 0..1 to logits (n, classes)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


class CNN1(PaperCNN):
    """CNN Model 1: nine convolutions in three blocks, three linear layers, no dropout."""

    size: ClassVar[int] = NETWORKS["cnn1"].size
    widths: ClassVar[tuple[int, ...]] = (32, 64, 128)
    units: ClassVar[tuple[int, ...]] = (512, 256)
    dropout: ClassVar[float] = 0.0


class CNN2(PaperCNN):
    """CNN Model 2: twelve convolutions in four blocks, three linear layers, dropout."""

    size: ClassVar[int] = NETWORKS["cnn2"].size
    widths: ClassVar[tuple[int, ...]] = (32, 64, 128, 192)
    units: ClassVar[tuple[int, ...]] = (1024, 512)
    dropout: ClassVar[float] = 0.5
