"""A ResNet-18 of torchvision becomes a start for resnet18; here one of random weights."""

from pathlib import Path

import pytest
import torch
from torch import nn

from mer.models.resnet18 import torchvision_models
from mer.weights import store
from tools import import_imagenet


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        import_imagenet.convert(nn.Linear(2, 2), tmp_path)


def test_all_but_the_last_layer_is_taken(tmp_path: Path) -> None:
    base = torchvision_models().resnet18()
    import_imagenet.convert(base, tmp_path)
    model, record = store.load("resnet18", folder=tmp_path)
    assert record["origin"]["licence"] == "BSD-3-Clause"
    kept = model.state_dict()["base_model.layer4.1.conv2.weight"]
    torch.testing.assert_close(kept, base.layer4[1].conv2.weight.detach().half().float())
