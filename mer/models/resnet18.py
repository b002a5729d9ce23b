"""The paper's ResNet-18 classifier (He et al. 2016, torchvision's build, the paper's head)."""

from typing import ClassVar

from torch import Tensor, nn

from mer.models.base import CLASSES, BaseClasificacionImagenes
from mer.models.registry import NETWORKS
from mer.models.torchvision_import import import_models


class ModeloMERCNN(BaseClasificacionImagenes):
    """ResNet-18 whose `fc` is the identity, a reduction to 512 units, and the seven classes.

    The names are the paper's: its `feature_reduction` keeps 512 features and its
    `regularization` is a plain linear layer. Torchvision's ImageNet weights as a start come from
    `python -m tools.import_imagenet`.
    """

    size: ClassVar[int] = NETWORKS["resnet18"].size
    explained: ClassVar[tuple[str, ...]] = ("base_model.layer2", "base_model.layer3")

    def __init__(self, *, classes: int = CLASSES) -> None:
        super().__init__()
        self.base_model = import_models().resnet18()
        features = self.base_model.fc.in_features
        self.base_model.fc = nn.Identity()
        self.feature_reduction = nn.Sequential(nn.Linear(features, 512), nn.ReLU(inplace=True))
        self.regularization = nn.Sequential(nn.Linear(512, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, 96, 96) in 0..1 to logits (n, 7)."""
        logits: Tensor = self.regularization(self.feature_reduction(self.base_model(images)))
        return logits
