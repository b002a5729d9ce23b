"""Untrusted pictures in, upright RGB uint8 out."""

import functools
import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from mer.errors import ImageError

MAX_PIXELS: Final = 50_000_000
MAX_BYTES: Final = 160_000_000  # a little over MAX_PIXELS of uncompressed RGB
MAX_SCANS: Final = 100  # a progressive JPEG has about ten

# Only these: some of Pillow's other readers start programs (EPS runs Ghostscript).
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "HEIF", "AVIF")
_CHOOSE: Final = "Choose a JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF picture."
_STRIP: Final = 512  # rows turned into RGB at a time, so that no second whole copy is ever held

# EXIF orientation: what brings the picture upright.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
        return _decode(source, "The picture")
    return _decode(_bytes(source), f"'{Path(source).name}'")


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """The picture as (size, size, 3) uint8: the one resize that feeds the networks."""
    shrinking = max(image.shape[:2]) > size
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR  # area: shrinks without aliasing
    return cv2.resize(image, (size, size), interpolation=method)


def _bytes(source: str | os.PathLike[str]) -> bytes:
    path = Path(source)
    try:
        if path.is_dir():
            raise ImageError(f"'{path}' is a folder: name a picture inside it.")
        if not path.exists():
            raise ImageError(f"There is no file '{path}': check its name and folder.")
        if not path.is_file():  # reading a pipe or a device may never end
            raise ImageError(f"'{path}' is no ordinary file. {_CHOOSE}")
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(
                f"'{path.name}' is larger than {MAX_BYTES // 1_000_000} MB: "
                "save it smaller, as a JPEG for instance, and try again."
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"'{path}' cannot be opened ({reason}): choose another file.") from error


def _decode(data: bytes, name: str) -> np.ndarray:
    if not data:
        raise ImageError(f"{name} is empty: save or download it again, or choose another picture.")
    # Pillow warns of large sizes and untidy EXIF, both of which are dealt with here. The filter
    # stays: warnings.catch_warnings would undo other threads' filters, and this line never does.
    warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
    _add_heif()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image.width, image.height, name)
            pixels = _decode_jpeg(data, image, name)
            return _decode_any(image, name) if pixels is None else pixels
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(name, "far too many pixels")) from error
    except UnidentifiedImageError as error:
        message = f"{name} is not a picture that can be read: damaged, or another kind of file."
        raise ImageError(f"{message} {_CHOOSE}") from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        message = f"{name} is damaged or incomplete: save or download it again"
        raise ImageError(f"{message}, or choose another picture.") from error


@functools.cache
def _add_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(_too_large(name, f"{width} x {height} pixels"))


def _too_large(name: str, size: str) -> str:
    limit = f"at most {MAX_PIXELS // 1_000_000} million are read"
    return f"{name} has {size}, and {limit}: make the picture smaller and try again."


def _decode_jpeg(data: bytes, image: Image.Image, name: str) -> np.ndarray | None:
    """A JPEG's pixels by OpenCV, upright; None for what Pillow has to decode or to refuse.

    Both give the same pixels. A 12-megapixel photograph takes OpenCV 75 ms, and Pillow 155 to
    180 ms with its copies; OpenCV gives None for a truncated one.
    """
    if image.format not in ("JPEG", "MPO"):
        return None
    # Each scan passes over the whole picture: a few kilobytes could keep a decoder busy for hours.
    if data.count(b"\xff\xda") > MAX_SCANS:
        raise ImageError(f"{name} is an oddly built JPEG: open it in a picture editor, save it.")
    if image.mode not in ("RGB", "L"):
        return None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def _decode_any(image: Image.Image, name: str) -> np.ndarray:
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    if turn is not None:
        turned = image.transpose(turn)
        image.close()  # frees the first copy, up to 200 MB
        image = turned
    if image.mode.startswith("I"):  # 16-bit gray, which Pillow's convert would clip at 255
        gray = np.asarray(image)
        if gray.dtype != np.uint16:
            gray = gray.clip(0, 65535).astype(np.uint16)
        return _from_array(gray, name)
    if image.mode == "F":
        return _from_array(np.asarray(image), name)
    mode = "RGBA" if image.has_transparency_data else "RGB"

    def rows(top: int, bottom: int) -> np.ndarray:
        return _rgb(np.asarray(image.crop((0, top, image.width, bottom)).convert(mode)))

    return _by_strips(rows, image.height, image.width)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF is no reason to refuse a picture
        return 1


def _from_array(array: np.ndarray, name: str) -> np.ndarray:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or not array.size:
        raise ImageError(
            f"{name} has the shape {array.shape}: "
            "give (height, width), or (height, width, channels) with 1 to 4 channels."
        )
    height, width = array.shape[:2]
    _check_size(width, height, name)
    if array.dtype == np.uint8 and channels == 3:
        return np.ascontiguousarray(array)
    factor, half = np.float32(_factor(array, name)), np.float32(0.5)  # half the time of float64

    def rows(top: int, bottom: int) -> np.ndarray:
        strip = array[top:bottom].reshape(bottom - top, width, channels)
        return _rgb(strip if array.dtype == np.uint8 else (strip * factor + half).astype(np.uint8))

    return _by_strips(rows, height, width)


def _factor(array: np.ndarray, name: str) -> float:
    """What the array's values are multiplied by to lie in 0..255."""
    if array.dtype == np.bool_:
        return 255.0
    if array.dtype == np.uint8:
        return 1.0
    if array.dtype == np.uint16:  # its whole range, as in a 16-bit PNG
        return 255 / 65535
    if array.dtype.kind in "iuf":
        low, high = float(array.min()), float(array.max())
        if low >= 0 and high <= 255:  # also false where a value is not a number
            return 255.0 if array.dtype.kind == "f" and high <= 1 else 1.0
    raise ImageError(
        f"{name} is an array of {array.dtype} whose values are no brightness: "
        "give integers in 0..255, or floats in 0..1 or 0..255."
    )


def _rgb(strip: np.ndarray) -> np.ndarray:
    """RGB from uint8 (rows, width, channels): 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA."""
    channels = strip.shape[2]
    color = strip[..., : 1 if channels < 3 else 3]
    if channels in (2, 4):
        alpha = strip[..., -1:].astype(np.uint16)
        color = ((color * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.broadcast_to(color, (*strip.shape[:2], 3))


def _by_strips(rows: Callable[[int, int], np.ndarray], height: int, width: int) -> np.ndarray:
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        pixels[top:bottom] = rows(top, bottom)
    return pixels
