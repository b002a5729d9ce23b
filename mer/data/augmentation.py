"""The paper's augmentation: crop, flip, rotation and blur, and beside them what cameras do.

That is: faces far away and faces that lean, light, gray, noise and holes.

Originals and transformed copies together make the training set, as in the paper; the copies are
drawn anew in each epoch, after the validation pictures were set aside.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from mer.data.dataset import Pictures
from mer.io import images
from mer.models.base import Batch

Picture = NDArray[np.uint8]  # (size, size, 3), RGB


def to_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels (n, h, w, 3) to bytes (n, 3, h, w), channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)


class Batches(Dataset[Batch]):
    """Batches of (images, targets) over chosen rows: originals, and `copies` of each transformed.

    Beside copies, an original is mirrored every other time. Order and copies depend on `seed` and
    `epoch` alone, and each batch on its number beside them: it can be drawn anywhere, and again.
    Images are bytes, a quarter of what floats would take to move.
    """

    def __init__(
        self,
        pictures: Pictures,
        rows: NDArray[np.int64],
        *,
        batch: int,
        copies: int = 0,
        shuffle: bool = False,
        seed: int = 0,
    ) -> None:
        self.pictures, self.rows, self.batch = pictures, rows, batch
        self.copies, self.shuffle, self.seed = copies, shuffle, seed
        self.start(0)

    def start(self, epoch: int) -> None:
        """Draw the order of another epoch."""
        self.epoch = epoch
        n = len(self.rows) * (1 + self.copies)
        rng = np.random.default_rng((self.seed, epoch))
        self.order = rng.permutation(n) if self.shuffle else np.arange(n)

    def __len__(self) -> int:
        """Number of batches; when shuffled, a last one that is not full is left out."""
        n = len(self.order)
        return max(n // self.batch, 1) if self.shuffle else -(-n // self.batch)

    def __getitem__(self, number: int) -> Batch:
        """Images, uint8 (n, 3, size, size), and targets (n, classes) of one batch."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        rng = np.random.default_rng((self.seed, self.epoch, number))
        places = self.order[number * self.batch : (number + 1) * self.batch]
        rows = self.rows[places % len(self.rows)]
        pixels = self.pictures.pixels[rows]
        for place in np.flatnonzero(places >= len(self.rows)):
            pixels[place] = transformed(pixels[place], rng)
        if self.copies:
            mirrored = (places < len(self.rows)) & (rng.random(len(places)) < 0.5)
            pixels[mirrored] = pixels[mirrored, :, ::-1]
        return to_tensor(pixels), torch.from_numpy(self.pictures.targets[rows])


def transformed(picture: Picture, rng: np.random.Generator) -> Picture:
    """One transformed copy of a picture, of the same shape."""
    chance = rng.random(6)
    picture = _warp(picture, rng, 60 if chance[0] < 0.15 else 25)
    if chance[1] < 0.2:
        picture = cv2.GaussianBlur(picture, (5, 5), rng.uniform(0.4, 1.4)).astype(np.uint8)
    if chance[2] < 0.3:
        picture = _far(picture, rng)
    if chance[3] < 0.2:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    picture = _light(picture, rng)
    if chance[4] < 0.15:
        picture = _noise(picture, rng)
    return _hole(picture, rng) if chance[5] < 0.25 else picture


def _warp(picture: Picture, rng: np.random.Generator, most: float) -> Picture:
    """Crop or widen by up to a quarter, shift by up to 8 %, turn by at most so much, mirror."""
    size = len(picture)
    turn, zoom, stretch, right, down = rng.uniform(
        (-most, 0.8, 0.92, -0.08, -0.08), (most, 1.3, 1.08, 0.08, 0.08)
    )
    centre = (size - 1) / 2
    matrix = cv2.getRotationMatrix2D((centre, centre), turn, zoom)
    matrix[:, 0] *= stretch if rng.random() < 0.5 else -stretch
    middle = matrix[:, :2] @ (centre, centre)
    matrix[:, 2] = centre - middle + (right * size, down * size)
    warped = cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.uint8, copy=False)


def _far(picture: Picture, rng: np.random.Generator) -> Picture:
    """As it comes from a camera that saw only 10 to 40 of its pixels, each way."""
    side = round(np.exp(rng.uniform(np.log(10), np.log(40))))
    return images.resize(images.resize(picture, side), len(picture))


def _noise(picture: Picture, rng: np.random.Generator) -> Picture:
    """Noise of up to 25 gray levels, in every pixel and channel."""
    grain = rng.standard_normal(picture.shape, np.float32) * rng.uniform(2, 25)
    return (picture + grain).clip(0, 255).astype(np.uint8)


def _light(picture: Picture, rng: np.random.Generator) -> Picture:
    """Contrast by up to a third and brightness by up to a fifth of the range."""
    contrast, brightness = rng.uniform((0.67, -50), (1.33, 50))
    table = (np.arange(256) - 128) * contrast + 128 + brightness
    return cv2.LUT(picture, table.clip(0, 255).astype(np.uint8)).astype(np.uint8, copy=False)


def _hole(picture: Picture, rng: np.random.Generator) -> Picture:
    """Random erasing (Zhong et al. 2020): a gray square of 15 to 40 % of the width."""
    size = len(picture)
    width = int(rng.uniform(0.15, 0.4) * size)
    top, left = rng.integers(-width // 2, size - width // 2, 2).clip(0)
    picture[top : top + width, left : left + width] = 128
    return picture
