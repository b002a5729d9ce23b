"""The paper's ResNet-18 classifier (He et al. 2016, torchvision's build, the paper's head)."""

import importlib
from types import ModuleType
from typing import ClassVar

import torch
from torch import Tensor, nn

from mer.models.base import CLASSES, BaseClasificacionImagenes
from mer.models.registry import NETWORKS

_keep: list[torch.library.Library] = []  # the schemas in it vanish with the object


class ModeloMERCNN(BaseClasificacionImagenes):
    """ResNet-18 whose `fc` is the identity, a reduction to 512 units, and the seven classes.

    The names are the paper's: its `feature_reduction` keeps 512 features and its `regularization`
    is a plain linear layer. `python -m tools.import_imagenet` makes a start of ImageNet's weights.
    """

    size: ClassVar[int] = NETWORKS["resnet18"].size
    explained: tuple[str, ...] = ("base_model.layer2", "base_model.layer3")

    def __init__(self, *, classes: int = CLASSES) -> None:
        super().__init__()
        self.base_model = torchvision_models().resnet18()
        features = self.base_model.fc.in_features
        self.base_model.fc = nn.Identity()
        self.feature_reduction = nn.Sequential(nn.Linear(features, 512), nn.ReLU(inplace=True))
        self.regularization = nn.Sequential(nn.Linear(512, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, 96, 96) in 0..1 to logits (n, 7)."""
        logits: Tensor = self.regularization(self.feature_reduction(self.base_model(images)))
        return logits


def torchvision_models() -> ModuleType:
    """Return `torchvision.models`, also where torchvision was built for another torch.

    Beside a CPU build of torch, a package index may serve only torchvision's CUDA build, whose
    compiled operators fail to load. Networks need none: declaring two schemas lets the import pass.
    """
    try:
        return importlib.import_module("torchvision.models")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    _keep.append(library)
    return importlib.import_module("torchvision.models")
