"""The layers that sface and faceres share: those of MobileNet-v1 (Howard et al. 2017)."""

from collections.abc import Callable
from typing import Final

from torch import nn

# Output channels and strides of the depthwise-separable blocks.
BLOCKS: Final = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
STEM: Final = 32  # channels of the first convolution
FEATURES: Final = BLOCKS[-1][0]  # channels of the last feature maps
FROZEN: Final = 4  # number of first blocks, with the stem, that training does not change


def low_and_high(
    convolution: Callable[[int, int, int, int], nn.Module], stride: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the blocks that training does not change, and those that it does.

    Args:
        convolution: makes a layer from input channels, output channels, kernel size and stride.
        stride: stride of the first convolution.
    """
    blocks: list[nn.Module] = [convolution(3, STEM, 3, stride)]
    channels = STEM
    for out, step in BLOCKS:
        depthwise = convolution(channels, channels, 3, step)
        blocks.append(nn.Sequential(depthwise, convolution(channels, out, 1, 1)))
        channels = out
    low = nn.Sequential(*blocks[:FROZEN]).requires_grad_(False)
    return low, nn.Sequential(*blocks[FROZEN:])
