"""The convolutions of HSE-FaceRes, a face-recognition network, with a head for expressions."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer.models import mobilenet
from mer.models.base import CLASSES, BaseClasificacionImagenes
from mer.models.registry import NETWORKS


class Convolution(nn.Conv2d):
    """A convolution with its batch normalisation folded in, and a rectifier that ends at 6.

    It is padded as TensorFlow's SAME, which halves an even length without a row above or left: half
    a pixel to and fro at each stride, to which the weights are used.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1) -> None:
        groups = channels if kernel == 3 and channels == out else 1
        super().__init__(channels, out, kernel, stride, groups=groups)

    def forward(self, images: Tensor) -> Tensor:
        """Square images (n, channels, h, h) to (n, out, h / stride, h / stride), rounded up."""
        length, stride = int(images.shape[3]), self.stride[0]
        # Backward, oneDNN is ten times slower through a depthwise convolution with stride.
        learning = self.training and torch.is_grad_enabled()
        skip = stride if learning and self.groups > 1 else 1
        lack = max((-(-length // stride) - 1) * stride + self.kernel_size[0] - length, 0)
        if lack % 2:  # the odd one goes right and below
            images = functional.pad(images, [lack // 2, lack - lack // 2] * 2)
        maps = functional.conv2d(
            images, self.weight, self.bias, stride // skip, 0 if lack % 2 else lack // 2,
            groups=self.groups,
        )  # fmt: skip
        return functional.relu6(maps[:, :, ::skip, ::skip])


class FaceRes(BaseClasificacionImagenes):
    """HSE-FaceRes's convolutions (Savchenko 2019), averaged, and seven classes.

    `python -m tools.import_faceres` makes the weights to begin with. The first blocks detect edges
    and skin as in any network; not training them saves a third of the time.
    """

    size: ClassVar[int] = NETWORKS["faceres"].size
    explained: tuple[str, ...] = ("high.1", "high.8")

    def __init__(self, *, classes: int = CLASSES) -> None:
        super().__init__()
        self.low, self.high = mobilenet.low_and_high(Convolution, 2)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(mobilenet.FEATURES, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, 112, 112) in 0..1 to logits (n, 7)."""
        centred = (images * 255 - 127.5) / 128
        with torch.no_grad():
            low = self.low(centred)
        logits: Tensor = self.head(self.high(low).mean((2, 3)))
        return logits
