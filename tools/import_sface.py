"""SFace's published weights as a start for `sface`: `python -m tools.import_sface ONNX OUT`.

The file is face_recognition_sface_2021dec.onnx of OpenCV Zoo (Apache-2.0).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from mer.errors import WeightsError
from mer.models.mobilenet import SFace, SFaceConvolution
from tools import starts

SHA256: Final = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"
INNER_EPSILON: Final = 1e-3  # of the normalisations that are folded; OpenCV does not tell it


def convert(source: Path, out: Path) -> Path:
    """Write the convolutions of `source`, and a fresh head, as `<out>/sface.safetensors`.

    Raises:
        WeightsError: it is not the published file.
    """
    if not source.is_file() or hashlib.sha256(source.read_bytes()).hexdigest() != SHA256:
        raise WeightsError(f"{source} is not face_recognition_sface_2021dec.onnx of OpenCV Zoo.")
    torch.manual_seed(0)  # the head's
    model = SFace()
    blobs = _blobs(source)
    for module in model.modules():
        if isinstance(module, SFaceConvolution):
            _fold(module, next(blobs), next(blobs), next(blobs))
    _fill(model.norm, next(blobs))
    origin = {"name": source.name, "source": "OpenCV Zoo", "licence": "Apache-2.0"}
    return starts.save(model, "sface", origin, out)


def _blobs(source: Path) -> Iterator[list[Tensor]]:
    """The tensors of each convolution, normalisation and rectifier, in the network's order."""
    net = cv2.dnn.readNetFromONNX(str(source))
    for name in net.getLayerNames():
        layer = net.getLayer(name)
        if layer.type in {"Convolution", "BatchNorm", "PReLU"}:
            yield [torch.from_numpy(np.array(blob)) for blob in layer.blobs]


def _fold(
    module: SFaceConvolution, kernel: list[Tensor], norm: list[Tensor], slope: list[Tensor]
) -> None:
    mean, variance, scale, shift = (tensor.flatten() for tensor in norm)
    factor = scale / torch.sqrt(variance + INNER_EPSILON)
    assert module.convolution.bias is not None
    with torch.no_grad():
        module.convolution.weight.copy_(kernel[0] * factor[:, None, None, None])
        module.convolution.bias.copy_(shift - mean * factor)
        module.slope.copy_(slope[0].reshape(1, -1, 1, 1))


def _fill(norm: nn.BatchNorm2d, tensors: list[Tensor]) -> None:
    mean, variance, scale, shift = (tensor.flatten() for tensor in tensors)
    norm.load_state_dict(
        {"running_mean": mean, "running_var": variance, "weight": scale, "bias": shift},
        strict=False,
    )


if __name__ == "__main__":
    starts.run(convert, "import_sface", "ONNX", "OUT")
