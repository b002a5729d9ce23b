"""Torchvision's ImageNet weights as a start for `resnet18`: `python -m tools.import_imagenet OUT`.

They are downloaded (45 MB, BSD-3-Clause; He et al. 2016).
"""

from pathlib import Path

import torch
from torch import nn

from mer.models.resnet18 import ModeloMERCNN, torchvision_models
from tools import starts


def convert(base: nn.Module, out: Path) -> Path:
    """Write a torchvision ResNet-18 with a fresh head as `<out>/resnet18.safetensors`."""
    torch.manual_seed(0)  # the head's
    model = ModeloMERCNN()
    layers = {name: one for name, one in base.state_dict().items() if not name.startswith("fc.")}
    model.base_model.load_state_dict(layers)
    origin = {
        "name": "ResNet18_Weights.IMAGENET1K_V1",
        "source": "torchvision",
        "licence": "BSD-3-Clause",
    }
    return starts.save(model, "resnet18", origin, out)


def download(out: Path) -> Path:
    """Download torchvision's weights, and convert them."""
    models = torchvision_models()
    return convert(models.resnet18(weights=models.ResNet18_Weights.IMAGENET1K_V1), out)


if __name__ == "__main__":
    starts.run(download, "import_imagenet", "OUT")
