"""The networks, by name: one file each, one registry."""

from typing import Final

from mer.models.base import BaseClasificacionImagenes
from mer.models.cnn1 import CNN1
from mer.models.cnn2 import CNN2
from mer.models.resnet18 import ModeloMERCNN
from mer.models.sface import SFace

__all__ = ["CNN1", "CNN2", "MODELS", "BaseClasificacionImagenes", "ModeloMERCNN", "SFace"]

MODELS: Final[dict[str, type[BaseClasificacionImagenes]]] = {
    "cnn1": CNN1,
    "cnn2": CNN2,
    "resnet18": ModeloMERCNN,
    "sface": SFace,
}
