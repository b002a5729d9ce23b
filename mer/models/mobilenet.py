"""The layout that the networks of our own share: MobileNet-v1's (Howard et al. 2017)."""

from collections.abc import Callable
from typing import Final

from torch import nn

# Output channels and strides of the depthwise-separable blocks.
BLOCKS: Final = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
STEM: Final = 32  # channels of the first convolution
FEATURES: Final = BLOCKS[-1][0]  # channels of the last maps
FROZEN: Final = 4  # first blocks, the stem among them, that training leaves as they came


def low_and_high(
    convolution: Callable[[int, int, int, int], nn.Module], stride: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """The blocks that training leaves as they came, and those that it changes.

    Args:
        convolution: makes one of channels in and out, size and stride.
        stride: of the first convolution.
    """
    blocks: list[nn.Module] = [convolution(3, STEM, 3, stride)]
    channels = STEM
    for out, step in BLOCKS:
        depthwise = convolution(channels, channels, 3, step)
        blocks.append(nn.Sequential(depthwise, convolution(channels, out, 1, 1)))
        channels = out
    low = nn.Sequential(*blocks[:FROZEN]).requires_grad_(False)
    return low, nn.Sequential(*blocks[FROZEN:])
