"""Pictures made worse in one way at a time, with the boxes of their faces.

`mer.evaluation.robustness.SWEEPS` says by how much.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic import head_turn
from mer.faces import measures, rotation
from mer.faces.detection import Face

Picture = NDArray[np.uint8]  # RGB (height, width, 3)
Boxes = NDArray[np.float64]  # (n, 4): x, y, width, height in pixels, not clipped to the picture
Change = Callable[[Picture, Boxes, float, np.random.Generator], tuple[Picture, Boxes]]


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


def _yaw(
    picture: Picture, boxes: Boxes, degrees: float, rng: np.random.Generator
) -> tuple[Picture, Boxes]:
    """Each head turned to a side drawn by chance; one in which no points are found stays."""
    for x, y, width, height in boxes if degrees else ():
        face = Face((round(x), round(y), round(width), round(height)), 1.0)
        found = measures.landmarks(picture, face)
        side = rng.choice((-1, 1))
        if found is not None:
            picture = head_turn.turn(picture, found, side * degrees)
    return picture, boxes


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


CHANGES: Final[dict[str, Change]] = {
    "height": _height,
    "roll": _roll,
    "levelled": _roll,
    "yaw": _yaw,
    "blur": _blur,
    "light": _light,
    "noise": _noise,
    "compression": _compression,
    "cover": _cover,
    "plain": _plain,
}


def _uint8(values: np.ndarray) -> Picture:
    pixels: Picture = np.clip(values, 0, 255).astype(np.uint8)
    return pixels
