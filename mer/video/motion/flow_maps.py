"""The motion between two moments of a face as a small map, in the form of the training maps.

The training maps (see `motion_training.read`) are the input of STSTNet (Liong et al. 2019): flow
from onset to apex across and down, and its strain, 28x28, each channel stretched to 0..255. So a
map tells neither how far anything moved nor where rest is; `levelled` finds rest again.
"""

from typing import Final

import cv2
import numpy as np

from mer.video.motion import flow

SIDE: Final = 28  # cells a side of a map
CHANNELS: Final = ("across", "down", "strain")  # to the picture's right, down, and deformation

# Which part of the aligned face (pixels of 320) a map covers: left, top, right, bottom. In the
# training maps blinks put the eyes 16 cells apart and in row 6.7; CASME II's and SMIC's faces were
# cut out a fifth higher than wide; and smiles of our own then lie where theirs do.
CROP: Final = (55, 52, 265, 315)


# Pixels of the aligned face, 99th percentile: a face beside itself has 0.013, from rounding and the
# edges, which a map would stretch to full range; one beside a noisy copy (2 gray levels) 0.19.
STILL: Final = 0.02


def flow_map(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """What moves between two views of a face, float32 (28, 28, 3), each channel from 0 to 255.

    Both are RGB uint8 (320, 320, 3) and aligned, the apex onto the onset.
    """
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (onset, apex)]
    field = flow.smooth(gray[0], gray[1])
    moved = np.percentile(np.abs(field), 99) >= STILL
    return from_flow(field if moved else np.zeros_like(field))


def from_flow(field: np.ndarray) -> np.ndarray:
    """A map, float32 (28, 28, 3), from the flow over an aligned face, float32 (320, 320, 2)."""
    left, top, right, bottom = CROP
    both = np.dstack([field, strain(field)])[top:bottom, left:right]
    return stretched(cv2.resize(both, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def strain(field: np.ndarray) -> np.ndarray:
    """Optical strain, float32 (h, w): how much a flow (h, w, 2) deforms, whichever way."""
    across_down, across_right = np.gradient(field[..., 0])
    down_down, down_right = np.gradient(field[..., 1])
    shear = across_down + down_right
    deformed: np.ndarray = np.sqrt(across_right**2 + down_down**2 + shear**2 / 2)
    return deformed


def stretched(channels: np.ndarray) -> np.ndarray:
    """Each channel of (h, w, c) from 0 to 255, float32; one that is the same all over is 0."""
    low, high = channels.min((0, 1)), channels.max((0, 1))
    even: np.ndarray = (channels - low) * (255 / np.where(high > low, high - low, 1))
    return even.astype(np.float32)


def levelled(maps: np.ndarray) -> np.ndarray:
    """Maps (n, 28, 28, 3) on any scale as channels first, rest at zero: float32 (n, 3, 28, 28).

    Most of a face rests or follows the head, so what the median does is taken for rest.
    """
    values = np.moveaxis(np.array(maps, np.float32), 3, 1)  # a copy
    flows = values[:, :2].reshape(len(values), 2, SIDE * SIDE)  # strain has its zero already
    values[:, :2] -= np.median(flows, 2)[..., None, None]
    return values


def unit(values: np.ndarray) -> np.ndarray:
    """Channels (n, 3, h, w) with a root mean square of 1; one that is 0 all over stays so."""
    size = np.sqrt((values**2).mean((2, 3), keepdims=True))
    return values / np.where(size > 0, size, 1)


def mirrored(values: np.ndarray) -> np.ndarray:
    """Levelled channels (n, 3, h, w) of the mirrored faces: what went right goes left."""
    turned = values[..., ::-1].copy()
    turned[:, 0] *= -1
    return turned
