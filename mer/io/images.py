"""Untrusted pictures in, upright RGB uint8 out; arrays of any kind into such."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.errors import ImageError
from mer.io import decoding, files
from mer.io.decoding import CHOOSE_PICTURE, LIMITS, too_large

MAX_PIXELS: Final = LIMITS.pixels
MAX_BYTES: Final = 160_000_000  # a little over MAX_PIXELS of uncompressed RGB

_STRIP: Final = 100_000  # pixels that are turned into RGB at a time
# What values are multiplied by to lie in 0..255; uint16 with its whole range, as in a 16-bit PNG.
_FACTORS: Final = {np.dtype(bool): 255.0, np.dtype("u1"): 1.0, np.dtype("u2"): 255 / 65535}

_EMPTY: Final = "{} is empty: save or download it again, or choose another picture."

Rows = Callable[[int, int], np.ndarray]  # from one row to another: RGB uint8 (rows, width, 3)


def read(source: str | os.PathLike[str] | bytes | np.ndarray) -> np.ndarray:
    """A picture as RGB uint8 (height, width, 3), turned upright by its EXIF orientation.

    Transparency is laid on white, 16-bit values are scaled to 8 bits, an animation gives its
    first frame. `source` is a file's path, a file's bytes, or an array (height, width[, channels]):
    gray, gray with alpha, RGB or RGBA; booleans, integers in 0..255, 16-bit integers, or floats in
    0..1 or 0..255; RGB uint8 is not copied. Raises an ImageError where there is no such file, no
    picture, a damaged one, or one of more than MAX_PIXELS.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, bytes):
        if not source:
            raise ImageError(_EMPTY.format("The picture"))
        return decoding.POOL.picture(source, "The picture")
    path = Path(source)
    name = f"'{files.shown(path.name)}'"
    with files.readable(path, ImageError, CHOOSE_PICTURE, "name a picture inside it."):
        size = path.stat().st_size
        if size > MAX_BYTES:
            text = f"{name} is larger than {MAX_BYTES // 1_000_000} MB: save it smaller,"
            raise ImageError(f"{text} as a JPEG for instance, and try again.")
        if not size:
            raise ImageError(_EMPTY.format(name))
        file = path.open("rb", buffering=0)
    with file:
        return decoding.POOL.picture(file.fileno(), name)


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """The picture as (size, size, 3) uint8: the one resize that feeds the networks."""
    method = cv2.INTER_AREA if max(image.shape[:2]) > size else cv2.INTER_LINEAR  # no aliasing
    return cv2.resize(image, (size, size), interpolation=method)


def _from_array(array: np.ndarray) -> np.ndarray:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or not array.size:
        given = f"The picture has the shape {array.shape}: give (height, width), or"
        raise ImageError(f"{given} (height, width, channels) with 1 to 4 channels.")
    height, width = array.shape[:2]
    if width * height > MAX_PIXELS:
        raise ImageError(too_large("The picture", f"{width} x {height} pixels"))
    if array.dtype == np.uint8 and channels == 3:
        return np.ascontiguousarray(array)
    return put(np.empty((height, width, 3), np.uint8), rows_of(array, "The picture"))


def put(out: np.ndarray, rows: Rows) -> np.ndarray:
    """Put a picture into `out`, RGB uint8 (height, width, 3), by rows: no second copy is held."""
    height = max(1, _STRIP // out.shape[1])
    for top in range(0, len(out), height):
        bottom = min(top + height, len(out))
        out[top:bottom] = rows(top, bottom)
    return out


def rgb(strip: np.ndarray) -> np.ndarray:
    """RGB from uint8 (rows, width, channels): 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA."""
    channels = strip.shape[2]
    color = strip[..., : 1 if channels < 3 else 3]
    if channels in (2, 4):
        alpha = strip[..., -1:].astype(np.uint16)
        color = ((color * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.broadcast_to(color, (*strip.shape[:2], 3))


def rows_of(array: np.ndarray, name: str) -> Rows:
    """The rows of an array (height, width[, 1 to 4 channels]), or ImageError: no brightness."""
    factor = _FACTORS.get(array.dtype)
    if factor is None and array.dtype.kind in "iuf":
        low, high = float(array.min()), float(array.max())
        if low >= 0 and high <= 255:  # also false where a value is not a number
            factor = 255.0 if array.dtype.kind == "f" and high <= 1 else 1.0
    if factor is None:
        given = f"{name} is an array of {array.dtype} whose values are no brightness"
        raise ImageError(f"{given}: give integers in 0..255, or floats in 0..1 or 0..255.")
    scale, half = np.float32(factor), np.float32(0.5)  # half the time of float64
    shape = (array.shape[1], array.shape[2] if array.ndim == 3 else 1)

    def rows(top: int, bottom: int) -> np.ndarray:
        strip = array[top:bottom].reshape(bottom - top, *shape)
        return rgb(strip if array.dtype == np.uint8 else (strip * scale + half).astype(np.uint8))

    return rows
