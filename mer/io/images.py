"""Untrusted pictures in, upright RGB uint8 out."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.errors import ImageError
from mer.io import decoding, files, pixels
from mer.io.protocol import CHOOSE_PICTURE, LIMITS, too_large

MAX_PIXELS: Final = LIMITS.pixels
MAX_BYTES: Final = 160_000_000  # a little over MAX_PIXELS of uncompressed RGB

_EMPTY: Final = "{} is empty: save or download it again, or choose another picture."


def read(source: str | os.PathLike[str] | bytes | np.ndarray) -> np.ndarray:
    """A picture as RGB uint8 (height, width, 3), turned upright by its EXIF orientation.

    Transparency is laid on white, 16-bit values are scaled to 8 bits, an animation gives its
    first frame. An array may be gray, gray with alpha, RGB or RGBA; booleans, integers in 0..255,
    16-bit integers, or floats in 0..1 or 0..255. An RGB uint8 array is not copied.

    Args:
        source: a file's path, a file's bytes, or an array (height, width[, 1 to 4 channels]).

    Raises:
        ImageError: no such file, no picture, a damaged one, or one of more than MAX_PIXELS.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, "The picture")
    if isinstance(source, bytes):
        if not source:
            raise ImageError(_EMPTY.format("The picture"))
        return decoding.POOL.picture(source, "The picture")
    with _opened(Path(source)) as file:
        return decoding.POOL.picture(file, f"'{files.shown(Path(source).name)}'")


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """The picture as (size, size, 3) uint8: the one resize that feeds the networks."""
    shrinking = max(image.shape[:2]) > size
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR  # area: shrinks without aliasing
    return cv2.resize(image, (size, size), interpolation=method)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The descriptor of an ordinary file, not too large, or an ImageError."""
    with files.readable(path, ImageError, CHOOSE_PICTURE, "name a picture inside it."):
        size, name = path.stat().st_size, f"'{files.shown(path.name)}'"
        if size > MAX_BYTES:
            raise ImageError(
                f"{name} is larger than {MAX_BYTES // 1_000_000} MB: "
                "save it smaller, as a JPEG for instance, and try again."
            )
        if not size:
            raise ImageError(_EMPTY.format(name))
        file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)


def _from_array(array: np.ndarray, name: str) -> np.ndarray:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or not array.size:
        raise ImageError(
            f"{name} has the shape {array.shape}: "
            "give (height, width), or (height, width, channels) with 1 to 4 channels."
        )
    height, width = array.shape[:2]
    if width * height > MAX_PIXELS:
        raise ImageError(too_large(name, f"{width} x {height} pixels"))
    if array.dtype == np.uint8 and channels == 3:
        return np.ascontiguousarray(array)
    return pixels.fill(np.empty((height, width, 3), np.uint8), pixels.rows_of(array, name))
