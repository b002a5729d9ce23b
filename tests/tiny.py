"""A network of two layers that trains in milliseconds; it stands in for the real ones."""

from typing import ClassVar, Final

from torch import Tensor, nn

from mer.models.base import BaseClasificacionImagenes
from mer.models.registry import NETWORKS, Entry


class Tiny(BaseClasificacionImagenes):
    """One convolution with batch normalisation, dropout, one linear layer."""

    size: ClassVar[int] = 16
    explained: tuple[str, ...] = ("layers",)

    def __init__(self, *, norm: bool = True, classes: int = 7) -> None:
        super().__init__()
        norms = [nn.BatchNorm2d(8)] if norm else []
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2), *norms, nn.ReLU(), nn.Flatten(), nn.Dropout(0.2)
        )
        self.out = nn.Linear(8 * 7 * 7, classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.layers(images))
        return logits


ENTRY: Final = Entry("tests.tiny:Tiny", size=Tiny.size, description="two layers")


def register() -> None:
    """Put `tiny` among the networks."""
    NETWORKS["tiny"] = ENTRY
