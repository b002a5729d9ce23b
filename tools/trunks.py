"""Pretrained trunks from images (n, 3, h, w) in 0..1 to maps, for `tools.linear_probe`."""

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mer.errors import WeightsError
from mer.models.faceres import Convolution
from mer.models.sface import SFace
from mer.models.torchvision_import import import_models
from mer.weights import store

# Where TensorFlow's kernels have torch's axes (out, channels, height, width).
AXES: Final = {"Conv2D": (3, 2, 0, 1), "DepthwiseConv2dNative": (2, 3, 0, 1)}


class Normalised(nn.Module):
    """Images (n, 3, h, w) in 0..1 as a network was used to see them, in BGR if it was."""

    def __init__(
        self, mean: Sequence[float], deviation: Sequence[float], bgr: bool = False
    ) -> None:
        super().__init__()
        self.mean, self.deviation = (torch.tensor(x).view(-1, 1, 1) for x in (mean, deviation))
        self.bgr = bgr

    def forward(self, images: Tensor) -> Tensor:
        """The same shape, in the range that the network learned with."""
        return ((images.flip(1) if self.bgr else images) - self.mean) / self.deviation


def sface(path: Path) -> nn.Sequential:
    """SFace's trunk from what `sface_import` wrote.

    Raises:
        WeightsError: the file or its record is missing or damaged.
    """
    model = SFace()
    store.read_start(model, path)
    return nn.Sequential(Normalised((0.5,), (128 / 255,)), model.low, model.high, model.norm).eval()


def mobilenet(path: Path) -> nn.Sequential:
    """MobileNetV2 (Sandler et al. 2018) up to its averaging, as torchvision trained it on ImageNet.

    Raises:
        WeightsError: the file is missing or another.
    """
    model = import_models().mobilenet_v2()
    try:
        model.load_state_dict(load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise WeightsError(
            f"{path} is not torchvision's mobilenet_v2-b0353104.pth as safetensors."
        ) from error
    seen = Normalised((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return nn.Sequential(seen, model.features).eval()


def faceres(folder: Path) -> nn.Sequential:
    """HSE-FaceRes (Savchenko 2019), a MobileNet-v1 that learned faces, up to its averaging.

    Raises:
        WeightsError: faceres-deep.json or .bin is missing, damaged or another.
    """
    try:
        blocks = _blocks(folder / "faceres-deep.json", folder / "faceres-deep.bin")
    except (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{folder} does not hold faceres-deep.json and .bin.") from error
    mean, deviation = (103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,)
    return nn.Sequential(Normalised(mean, deviation, bgr=True), *blocks).eval()


def _blocks(graph: Path, content: Path) -> list[Convolution]:
    """The convolutions before the averaging, with what is multiplied and added after each."""
    described = json.loads(graph.read_text(encoding="utf-8"))
    constants = dict(_constants(described["weightsManifest"][0]["weights"], content.read_bytes()))
    blocks: list[Convolution] = []
    nodes = described["modelTopology"]["node"]
    for node in itertools.takewhile(lambda node: node["op"] != "Mean", nodes):
        if node["op"] in AXES:
            kernel = constants[node["input"][1]].permute(AXES[node["op"]])
            blocks.append(_filled(kernel, int(node["attr"]["strides"]["list"]["i"][1])))
        elif node["op"] == "Mul":
            blocks[-1].weight.data *= constants[node["input"][1]][:, None, None, None]
        elif node["op"] == "Add":
            blocks[-1].bias.data += constants[node["input"][1]]  # type: ignore[union-attr]
    if not blocks:
        raise ValueError("no convolution")
    return blocks


def _filled(kernel: Tensor, stride: int) -> Convolution:
    """A convolution of kernels (out, channels, size, size); one channel: each sees its own."""
    out, channels, size, _ = kernel.shape
    block = Convolution(out if channels == 1 else channels, out, size, stride)
    block.load_state_dict({"weight": kernel, "bias": torch.zeros(out)})
    return block


def _constants(entries: list[dict[str, Any]], content: bytes) -> Iterator[tuple[str, Tensor]]:
    offset = 0
    for entry in entries:
        values = np.frombuffer(content, entry["dtype"], math.prod(entry["shape"]), offset)
        offset += values.nbytes
        yield entry["name"], torch.from_numpy(values.reshape(entry["shape"]).copy())
