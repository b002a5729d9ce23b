"""Arrays of any kind into RGB uint8, some rows at a time: no second whole copy is ever held."""

from collections.abc import Callable
from typing import Final

import numpy as np

from mer.errors import ImageError

_STRIP: Final = 100_000  # pixels that are turned into RGB at a time
# What values are multiplied by to lie in 0..255; uint16 with its whole range, as in a 16-bit PNG.
_FACTORS: Final = {np.dtype(bool): 255.0, np.dtype("u1"): 1.0, np.dtype("u2"): 255 / 65535}

Rows = Callable[[int, int], np.ndarray]  # from one row to another: RGB uint8 (rows, width, 3)


def fill(out: np.ndarray, rows: Rows) -> np.ndarray:
    """Put a picture into `out`, RGB uint8 (height, width, 3), strip by strip; gives `out`."""
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
    """What gives the rows of an array (height, width[, 1 to 4 channels]), scaled to 0..255.

    Raises:
        ImageError: its values are no brightness.
    """
    factor = _FACTORS.get(array.dtype)
    if factor is None and array.dtype.kind in "iuf":
        low, high = float(array.min()), float(array.max())
        if low >= 0 and high <= 255:  # also false where a value is not a number
            factor = 255.0 if array.dtype.kind == "f" and high <= 1 else 1.0
    if factor is None:
        raise ImageError(
            f"{name} is an array of {array.dtype} whose values are no brightness: "
            "give integers in 0..255, or floats in 0..1 or 0..255."
        )
    scale, half = np.float32(factor), np.float32(0.5)  # half the time of float64
    shape = (array.shape[1], array.shape[2] if array.ndim == 3 else 1)

    def rows(top: int, bottom: int) -> np.ndarray:
        strip = array[top:bottom].reshape(bottom - top, *shape)
        return rgb(strip if array.dtype == np.uint8 else (strip * scale + half).astype(np.uint8))

    return rows
