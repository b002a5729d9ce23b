"""sface and faceres: networks of face recognition on MobileNet-v1, with a head for expressions."""

from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer.models.base import CLASSES, BaseClasificacionImagenes
from mer.models.registry import NETWORKS

# Output channels and strides of the depthwise-separable blocks.
BLOCKS: Final = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
STEM: Final = 32  # channels of the first convolution
FEATURES: Final = BLOCKS[-1][0]  # channels of the last feature maps
FROZEN: Final = 4  # number of first blocks, with the stem, that training does not change
EPSILON: Final = 2e-5  # epsilon of SFace's last batch normalisation


class MobileNet(BaseClasificacionImagenes):
    """The layers of MobileNet-v1 (Howard et al. 2017), their features averaged, and the classes.

    The first blocks detect edges and skin anywhere: not training them saves a third of the time.
    """

    # A layer, made from input channels, output channels, kernel size and stride.
    convolution: ClassVar[type[nn.Module]]
    stride: ClassVar[int]  # of the first layer

    def __init__(self, *, classes: int = CLASSES) -> None:
        super().__init__()
        blocks = [self.convolution(3, STEM, 3, self.stride)]
        channels = STEM
        for out, step in BLOCKS:
            depthwise = self.convolution(channels, channels, 3, step)
            blocks.append(nn.Sequential(depthwise, self.convolution(channels, out, 1, 1)))
            channels = out
        self.low = nn.Sequential(*blocks[:FROZEN]).requires_grad_(False)
        self.high = nn.Sequential(*blocks[FROZEN:])
        self.norm: nn.Module = nn.Identity()
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(FEATURES, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, size, size) in 0..1 to logits (n, classes)."""
        centred = (images * 255 - 127.5) / 128
        with torch.no_grad():
            low = self.low(centred)
        logits: Tensor = self.head(self.norm(self.high(low)).mean((2, 3)))
        return logits


class SFaceConvolution(nn.Module):
    """A convolution with folded batch normalisation, then a leaky ReLU with a slope a channel.

    The slopes stay as face recognition learned them: their gradient alone would take a third of
    the training time on a processor. In training, strided depthwise convolutions are slow backward:
    every second row and column of one without stride is kept.
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
        layer, stride = self.convolution, self.stride
        if not torch.is_grad_enabled():
            out = functional.conv2d(
                images, layer.weight, layer.bias, stride, layer.padding, 1, layer.groups
            )
        else:
            out = layer(images)
            if stride > 1:
                out = out[:, :, ::stride, ::stride].contiguous(memory_format=torch.channels_last)
        slope = self.slope.to(out.dtype)
        return torch.addcmul(functional.relu(out) * (1 - slope), out, slope)


class SFace(MobileNet):
    """SFace's convolutions (Zhong et al. 2021) up to its embedding, and seven classes.

    `python -m tools.import_sface` makes the weights to begin with.
    """

    size: ClassVar[int] = NETWORKS["sface"].size
    convolution: ClassVar[type[nn.Module]] = SFaceConvolution
    stride: ClassVar[int] = 1
    explained: tuple[str, ...] = ("high.0", "high.5")

    def __init__(self, *, classes: int = CLASSES) -> None:
        super().__init__(classes=classes)
        self.norm: nn.BatchNorm2d = nn.BatchNorm2d(FEATURES, eps=EPSILON)


class FaceResConvolution(nn.Conv2d):
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


class FaceRes(MobileNet):
    """HSE-FaceRes's convolutions (Savchenko 2019), and seven classes.

    `python -m tools.import_faceres` makes the weights to begin with.
    """

    size: ClassVar[int] = NETWORKS["faceres"].size
    convolution: ClassVar[type[nn.Module]] = FaceResConvolution
    stride: ClassVar[int] = 2
    explained: tuple[str, ...] = ("high.1", "high.8")
