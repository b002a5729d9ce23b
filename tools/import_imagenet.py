"""Torchvision's ImageNet weights as a start for `resnet18`: `python -m tools.import_imagenet OUT`.

They are downloaded (45 MB, BSD-3-Clause; He et al. 2016).
"""

import sys
from pathlib import Path

import torch
from torch import nn

from mer.emotions import EMOTIONS
from mer.models.resnet18 import ModeloMERCNN
from mer.models.torchvision_import import import_models
from mer.version import __version__
from mer.weights import store


def convert(base: nn.Module, out: Path) -> Path:
    """Write a torchvision ResNet-18 with a fresh head as `<out>/resnet18.safetensors`."""
    torch.manual_seed(0)  # the head's
    model = ModeloMERCNN()
    layers = {name: one for name, one in base.state_dict().items() if not name.startswith("fc.")}
    model.base_model.load_state_dict(layers)
    record: store.Record = {
        "model": "resnet18",
        "version": __version__,
        "classes": list(EMOTIONS),
        "size": ModeloMERCNN.size,
        "origin": {
            "name": "ResNet18_Weights.IMAGENET1K_V1",
            "source": "torchvision",
            "licence": "BSD-3-Clause",
        },
        "training": {"stages": []},
    }
    store.save(model, "resnet18", record, out)
    return out / "resnet18.safetensors"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.import_imagenet OUT")
    models = import_models()
    weights = models.resnet18(weights=models.ResNet18_Weights.IMAGENET1K_V1)
    print(f"written: {convert(weights, Path(sys.argv[1]))}")
