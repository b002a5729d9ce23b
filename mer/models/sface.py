"""The convolutions of SFace, a face-recognition network, with a head for the expressions."""

from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer.models import mobilenet
from mer.models.base import CLASSES, BaseClasificacionImagenes
from mer.models.registry import NETWORKS

EPSILON: Final = 2e-5  # epsilon of SFace's last batch normalisation


class Convolution(nn.Module):
    """A convolution with folded batch normalisation, then a leaky ReLU with a slope a channel.

    The slopes stay as face recognition learned them: their gradient alone would take a third of
    the training time on a processor. In training a stride of 2 is computed as a convolution without
    stride of which every second row and column is kept, since the gradient of strided depthwise
    convolutions takes several times as long.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        groups = channels if kernel == 3 and channels == out else 1
        self.convolution = nn.Conv2d(channels, out, kernel, padding=kernel // 2, groups=groups)
        self.register_buffer("slope", torch.full((1, out, 1, 1), 0.25))
        self.slope: Tensor
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, channels, h, w) to (n, out, h / stride, w / stride)."""
        out = self._convolved(images)
        slope = self.slope.to(out.dtype)
        return torch.addcmul(functional.relu(out) * (1 - slope), out, slope)

    def _convolved(self, images: Tensor) -> Tensor:
        layer = self.convolution
        if not torch.is_grad_enabled():
            return functional.conv2d(
                images, layer.weight, layer.bias, self.stride, layer.padding, 1, layer.groups
            )
        out: Tensor = layer(images)
        if self.stride > 1:
            out = out[:, :, :: self.stride, :: self.stride]
            out = out.contiguous(memory_format=torch.channels_last)
        return out


class SFace(BaseClasificacionImagenes):
    """SFace's convolutions (Zhong et al. 2021) up to its embedding, averaged, and seven classes.

    `python -m tools.import_sface` makes the weights to begin with. The first blocks detect edges
    and skin as in any network; not training them saves a third of the time.
    """

    size: ClassVar[int] = NETWORKS["sface"].size
    explained: tuple[str, ...] = ("high.0", "high.5")

    def __init__(self, *, classes: int = CLASSES) -> None:
        super().__init__()
        self.low, self.high = mobilenet.low_and_high(Convolution, 1)
        self.norm = nn.BatchNorm2d(mobilenet.FEATURES, eps=EPSILON)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(mobilenet.FEATURES, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, 80, 80) in 0..1 to logits (n, 7)."""
        centred = (images * 255 - 127.5) / 128
        with torch.no_grad():
            low = self.low(centred)
        features = self.norm(self.high(low)).mean((2, 3))
        logits: Tensor = self.head(features)
        return logits
