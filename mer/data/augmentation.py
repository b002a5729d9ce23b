"""Augmentation: the crop, flip, rotation and blur of the paper, and more that cameras cause.

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
    """Turn pixels (n, h, w, 3) into bytes (n, 3, h, w), with channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)


class Batches(Dataset[Batch]):
    """Batches of (images, targets) over chosen rows: originals, and `copies` of each transformed.

    Where copies are made, half of the originals are mirrored. A batch depends on `seed`, `epoch`
    and its number alone, so any process can make it. Images are bytes, not floats, for the memory.
    """

    def __init__(
        self, pictures: Pictures, rows: NDArray[np.int64], *,
        batch: int, copies: int = 0, shuffle: bool = False, seed: int = 0,
    ) -> None:  # fmt: skip
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
    chance = rng.random(8)
    picture = _surround(picture, rng)
    picture = _warp(picture, rng, 60 if chance[0] < 0.15 else 25)
    if chance[1] < 0.2:
        picture = cv2.GaussianBlur(picture, (5, 5), rng.uniform(0.4, 1.4)).astype(np.uint8)
    if chance[2] < 0.2:  # 10 to 40 pixels a side and enlarged again, as of a face far away
        side = round(np.exp(rng.uniform(np.log(10), np.log(40))))
        picture = images.resize(images.resize(picture, side), len(picture))
    if chance[3] < 0.35:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    picture = _light(picture, rng)
    if chance[6] < 0.2:
        picture = _lit_from_a_side(picture, rng)
    if chance[4] < 0.15:  # Gaussian noise with a standard deviation of 2 to 25 gray levels
        grain = rng.standard_normal(picture.shape, np.float32) * rng.uniform(2, 25)
        picture = (picture + grain).clip(0, 255).astype(np.uint8)
    if chance[7] < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 70))]
        _, content = cv2.imencode(".jpg", picture, quality)
        picture = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
    if chance[5] < 0.25:  # a gray square of 15 to 40 % of the width (Zhong et al. 2020)
        size, width = len(picture), int(rng.uniform(0.15, 0.4) * len(picture))
        top, left = rng.integers(-width // 2, size - width // 2, 2).clip(0)
        picture[top : top + width, left : left + width] = 128
    return picture


def _warp(picture: Picture, rng: np.random.Generator, most: float) -> Picture:
    """Zoom by 0.8 to 1.3, shift by up to 8 %, rotate by up to `most` degrees, mirror half."""
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


def _light(picture: Picture, rng: np.random.Generator) -> Picture:
    """Change gamma by 0.67 to 1.5, contrast by a third, brightness by up to 50 gray levels."""
    contrast, brightness, gamma = rng.uniform((0.67, -50, -0.4), (1.33, 50, 0.4))
    bent = 255 * (np.arange(256) / 255) ** np.exp(gamma)
    table = (bent - 128) * contrast + 128 + brightness
    return cv2.LUT(picture, table.clip(0, 255).astype(np.uint8)).astype(np.uint8, copy=False)


def _lit_from_a_side(picture: Picture, rng: np.random.Generator) -> Picture:
    """Make one side brighter and the other darker by up to 60 %, in any direction."""
    angle, most = rng.uniform((0, 0.2), (2 * np.pi, 0.6))
    along = np.linspace(-1, 1, len(picture), dtype=np.float32)
    gain = 1 + most * (np.cos(angle) * along[None] + np.sin(angle) * along[:, None])
    return np.asarray((picture * gain[:, :, None]).clip(0, 255), np.uint8)


def _surround(picture: Picture, rng: np.random.Generator) -> Picture:
    """Fill the black surround of a face, and cut some of the other faces to an oval.

    AffectNet's faces are cut to an oval on black. So that a network does not learn that border, it
    is filled in two of three copies, and one in six of the other faces is cut to an oval.
    """
    size = len(picture)
    outside = _black(picture)
    chance = rng.random()
    if outside.any():
        return _filled(picture, outside, rng) if chance < 0.67 else picture
    if chance > 1 / 6:
        return picture
    axes = rng.uniform(0.4, 0.55, 2) * size
    oval = cv2.ellipse(
        np.ones((size, size), np.uint8), ((size / 2, size / 2), tuple(2 * axes), 0), 0, -1
    )
    return _filled(picture, oval.astype(bool), rng)


def _black(picture: Picture) -> NDArray[np.bool_]:
    """Return the black regions that touch a corner of the picture, wider by two pixels."""
    size = len(picture)
    dark = (picture.max(axis=2) < 10).astype(np.uint8)
    for corner in ((0, 0), (size - 1, 0), (0, size - 1), (size - 1, size - 1)):
        if dark[corner[1], corner[0]] == 1:
            cv2.floodFill(dark, None, corner, (2,))
    return cv2.dilate((dark == 2).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)


def _filled(picture: Picture, outside: NDArray[np.bool_], rng: np.random.Generator) -> Picture:
    """Fill `outside` with black, one colour, a gradient or blobs of colour."""
    if rng.random() < 0.25:
        colours = np.zeros((1, 1, 3), np.uint8)
    else:
        side = int(rng.choice((1, 2, 4, 8)))
        colours = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        if rng.random() < 0.5:
            colours[:] = colours[:, :, :1]
    fill = cv2.resize(colours, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(outside[:, :, None], fill, picture)
