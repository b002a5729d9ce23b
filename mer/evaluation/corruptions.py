"""Pictures made worse in one way at a time, with the boxes of their faces."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mer.faces import rotation

Picture = NDArray[np.uint8]  # RGB (height, width, 3)
Boxes = NDArray[np.float64]  # (n, 4): x, y, width, height in pixels, not clipped to the picture
Change = Callable[[Picture, Boxes, float, np.random.Generator], tuple[Picture, Boxes]]


@dataclass(frozen=True)
class Sweep:
    """One way to change a picture.

    Attributes:
        title: what changes, for people.
        unit: of the levels.
        levels: from little to much.
        change: what is done at a level.
        asis: the level at which nothing is done, where there is one.
        names: of the levels, where they are no numbers.
        searched: whether leaning faces are searched and turned level, see `mer.faces.rotation`.
    """

    title: str
    unit: str
    levels: tuple[float, ...]
    change: Change
    asis: float | None = 0
    names: tuple[str, ...] = ()
    searched: bool = False

    def labels(self) -> list[str]:
        """The levels as text."""
        return list(self.names) or [f"{level:g}" for level in self.levels]


def _height(
    picture: Picture, boxes: Boxes, pixels: float, _: np.random.Generator
) -> tuple[Picture, Boxes]:
    scale = pixels / float(np.median(boxes[:, 3]))
    size = [max(1, round(scale * side)) for side in picture.shape[1::-1]]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return _uint8(cv2.resize(picture, size, interpolation=way)), boxes * scale


def _roll(
    picture: Picture, boxes: Boxes, degrees: float, _: np.random.Generator
) -> tuple[Picture, Boxes]:
    """Everything turned counter-clockwise; a box keeps its size about the turned centre."""
    if not degrees:
        return picture, boxes
    copy, matrix = rotation.turned(picture, degrees)
    middles = (boxes[:, :2] + boxes[:, 2:] / 2) @ matrix[:, :2].T + matrix[:, 2]
    return copy, np.hstack([middles - boxes[:, 2:] / 2, boxes[:, 2:]])


def _blur(
    picture: Picture, boxes: Boxes, percent: float, _: np.random.Generator
) -> tuple[Picture, Boxes]:
    sigma = percent / 100 * float(np.median(boxes[:, 3]))
    return (_uint8(cv2.GaussianBlur(picture, (0, 0), sigma)) if percent else picture), boxes


def _light(
    picture: Picture, boxes: Boxes, factor: float, _: np.random.Generator
) -> tuple[Picture, Boxes]:
    return _uint8(picture * factor), boxes


def _noise(
    picture: Picture, boxes: Boxes, sigma: float, rng: np.random.Generator
) -> tuple[Picture, Boxes]:
    return _uint8(picture + rng.normal(0, sigma, picture.shape)) if sigma else picture, boxes


def _compression(
    picture: Picture, boxes: Boxes, quality: float, _: np.random.Generator
) -> tuple[Picture, Boxes]:
    if quality == 100:
        return picture, boxes
    content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return _uint8(np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))), boxes


def _cover(
    picture: Picture, boxes: Boxes, percent: float, rng: np.random.Generator
) -> tuple[Picture, Boxes]:
    """A gray bar over this part of each box's height, anywhere in it."""
    covered = picture.copy()
    for x, y, width, height in boxes:
        bar = percent / 100 * height
        top = y + rng.uniform(0, height - bar)
        rows = slice(max(0, round(top)), max(0, round(top + bar)))
        covered[rows, max(0, round(x)) : max(0, round(x + width))] = 128
    return covered, boxes


def _plain(
    picture: Picture, boxes: Boxes, which: float, _: np.random.Generator
) -> tuple[Picture, Boxes]:
    if which == 1:
        mirrored = boxes.copy()
        mirrored[:, 0] = picture.shape[1] - boxes[:, 0] - boxes[:, 2]
        return np.ascontiguousarray(picture[:, ::-1]), mirrored
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return (_uint8(np.repeat(gray[:, :, None], 3, axis=2)) if which == 2 else picture), boxes


_HEIGHTS: Final = (160, 96, 64, 48, 36, 24, 18, 12)
_ROLLS: Final = (0, 15, 30, 45, 60, 90, 180)
_OF_HEIGHT: Final = "% of the face's height"

SWEEPS: Final[dict[str, Sweep]] = {
    "height": Sweep("Height of the face", "pixels", _HEIGHTS, _height, None),
    "roll": Sweep("Roll", "degrees", _ROLLS, _roll),
    "levelled": Sweep("Roll, found in turned copies", "degrees", _ROLLS, _roll, None, (), True),
    "blur": Sweep("Blur", f"standard deviation, {_OF_HEIGHT}", (0, 1, 2, 4, 6, 9), _blur),
    "light": Sweep("Brightness", "times", (2, 1, 0.5, 0.25, 0.12, 0.06), _light, 1),
    "noise": Sweep("Noise", "standard deviation, gray levels", (0, 10, 20, 40), _noise),
    "compression": Sweep("JPEG", "quality", (100, 30, 10, 5), _compression, 100),
    "cover": Sweep("A bar across the face", _OF_HEIGHT, (0, 15, 30, 45), _cover),
    "plain": Sweep("Mirrored, gray", "", (0, 1, 2), _plain, 0, ("as it is", "mirrored", "gray")),
}


def _uint8(values: np.ndarray) -> Picture:
    pixels: Picture = np.clip(values, 0, 255).astype(np.uint8)
    return pixels
