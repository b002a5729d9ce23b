"""Pictures by format, each decoded by what takes least memory; only ever called in a worker."""

import contextlib
import os
import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, NamedTuple

import cv2
import numpy as np
import pillow_heif
from PIL import Image, UnidentifiedImageError

from mer.errors import ImageError
from mer.io import images
from mer.io.decoding import CHOOSE_PICTURE, LIMITS, too_large, too_much

# Only these: some of Pillow's other readers start programs (EPS runs Ghostscript).
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
MAX_SCANS: Final = 100  # a progressive JPEG has about ten
MAX_SEGMENTS: Final = 1000  # of a JPEG before its picture; a colour profile has at most 255
MAX_COMMENTS: Final = 65_536  # bytes of a GIF's comments: Pillow's time grows with their square
# Bytes that a pixel takes at the peak, as measured.
_AVIF: Final = 14.5
_HEIF: Final = 7.8
_WEBP_ALPHA: Final = 8.2
_USABLE: Final = 0.97  # of the memory, the rest being for what does not grow with the picture
_HEAD: Final = 4096  # bytes within which brands, and a PPM's sizes, stand

_ORIENTATION: Final = 0x0112
# By an EXIF orientation from 0 on, OpenCV's code of a flip, and the steps in which rows and columns
# are read; from 4 on the same, after rows and columns change places.
_FLIPS: Final = ((None, 1, 1), (1, 1, -1), (-1, -1, -1), (0, -1, 1))


class Opened(NamedTuple):
    """A picture that waits for the memory to put it into, upright."""

    width: int
    height: int
    fill: Callable[[np.ndarray], object]  # puts it into RGB uint8 (height, width, 3); as `opened`


def opened(file: BinaryIO, content: memoryview, path: str, name: str) -> Opened:
    """A picture whose size is known; some are decoded by then, some when they are filled in.

    `file` is at its beginning, `content` all of it, `path` where OpenCV can open it, `name` what
    errors call it. Raises an ImageError where it cannot be read; its cause tells a MemoryError.
    """
    with _sentences(name):
        start = bytes(content[:_HEAD])
        avif = re.search(rb"avi[fs]", start[8 : min(int.from_bytes(start[:4], "big"), 256)])
        words = re.sub(rb"#[^\r\n]*", b"", start).split(maxsplit=3)  # of a PPM, less its comments
        if start.startswith(b"\xff\xd8\xff"):
            picture = _jpeg(file, content, path, name)
        elif start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            picture = _webp(file, content, path, start, name)
        elif start[4:8] == b"ftyp" and not avif and pillow_heif.is_supported(file):
            picture = _heif(file, name)
        elif start.startswith(b"GIF8") and _gif_comments(content) > MAX_COMMENTS:
            raise _odd(name, "GIF")
        elif re.match(rb"P[1-7fF]", start) and len(words) < 3:  # or Pillow takes square time
            raise _odd(name, "PPM picture")
        else:
            picture = _pillow(file, FORMATS, name)
    return picture._replace(fill=_sentences(name)(picture.fill))


def decoded_here(file: BinaryIO, name: str) -> np.ndarray:
    """A picture decoded in this very process, from an open file; raises as `opened`."""
    content = memoryview(file.read())
    file.seek(0)
    picture = opened(file, content, f"/dev/fd/{file.fileno()}", name)
    out = np.empty((picture.height, picture.width, 3), np.uint8)
    picture.fill(out)
    return out


@contextlib.contextmanager
def _sentences(name: str) -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except (MemoryError, cv2.error) as error:
        raise ImageError(too_much(name)) from MemoryError(str(error))
    except Image.DecompressionBombError as error:
        raise ImageError(too_large(name, "far too many pixels")) from error
    except UnidentifiedImageError as error:
        message = f"{name} is not a picture that can be read: damaged, or another kind of file."
        raise ImageError(f"{message} {CHOOSE_PICTURE}") from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        message = f"{name} is damaged or incomplete: save or download it again"
        raise ImageError(f"{message}, or choose another picture.") from error


def _odd(name: str, kind: str) -> ImageError:
    return ImageError(
        f"{name} is an oddly built {kind}: open it in a picture editor and save it anew."
    )


def _check_size(width: int, height: int, name: str, size: int = 0, each: float = 0) -> None:
    """Refuse more pixels than are read, or than there is memory for at `each` bytes a pixel."""
    room = LIMITS.memory_for(size) * _USABLE
    most = min(LIMITS.pixels, int(room / each)) if each else LIMITS.pixels
    if width * height > most:
        raise ImageError(too_large(name, f"{width} x {height} pixels", most))


def _turn(image: np.ndarray, turn: int, out: np.ndarray) -> None:
    if np.shares_memory(image, out):
        image = image.copy()
    flip = _FLIPS[(turn - 1) % 4][0]
    image = cv2.transpose(image, out) if turn > 4 else image
    if flip is not None:
        cv2.flip(image, flip, out)


def _stored(out: np.ndarray, turn: int) -> np.ndarray:
    """The pixels of an upright picture as a file of this orientation has them."""
    _, down, right = _FLIPS[(turn - 1) % 4]
    flipped = out[::down, ::right]
    return flipped.transpose(1, 0, 2) if turn > 4 else flipped


def orientation(exif: bytes) -> int:
    """The orientation that EXIF tells, 1 to 8; 1 where it tells none, or is damaged."""
    # All else is left alone: a few hundred kilobytes of metadata took Pillow 1.5 GB.
    exif = exif.removeprefix(b"Exif\0\0")
    with contextlib.suppress(KeyError, struct.error):
        order = {b"II": "<", b"MM": ">"}[exif[:2]]
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, number = struct.unpack_from(f"{order}HHI", exif, entry)
            if (tag, number) == (_ORIENTATION, 1) and kind in (3, 4):  # whole numbers
                (value,) = struct.unpack_from(order + {3: "H", 4: "I"}[kind], exif, entry + 8)
                return value if 1 <= value <= 8 else 1
    return 1


def _jpeg(file: BinaryIO, content: memoryview, path: str, name: str) -> Opened:
    """By OpenCV, in half the time and with the same pixels, but for what only Pillow can decode."""
    width, height, channels, turn, at = _jpeg_head(content, name)
    _check_size(width, height, name, len(content), _jpeg_cost(content, at, channels))
    rest = np.frombuffer(content[at:], np.uint8)
    markers = rest[1:][rest[:-1] == 0xFF]
    if (markers == 0xDA).sum() > MAX_SCANS:  # a few kilobytes of scans could take a decoder hours
        raise _odd(name, "JPEG")
    if channels not in (1, 3) or 0xD9 not in markers:  # OpenCV fills what is missing with gray
        return _pillow(file, ("JPEG",), name, turn)

    def fill(out: np.ndarray) -> None:
        # Into `out` itself where it need not be turned, or memory is scarce.
        own, shape = turn > 1 and out.nbytes < LIMITS.kept, (height, width, 3)
        room = np.empty(shape, np.uint8) if own else out.reshape(shape)
        image = cv2.imread(path, room, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None or image.shape != shape:
            _pillow(file, ("JPEG",), name, turn).fill(out)
        elif turn > 1:
            _turn(image, turn, out)
        elif not np.shares_memory(image, out):
            out[:] = image

    return Opened(*((height, width) if turn > 4 else (width, height)), fill)


def _jpeg_head(content: memoryview, name: str) -> tuple[int, int, int, int, int]:
    """Width, height, channels, orientation, and where what follows them begins."""
    at, turn = 2, 1
    for _ in range(MAX_SEGMENTS):
        while content[at] == 0xFF and content[at + 1] == 0xFF:  # padding
            at += 1
        marker = content[at + 1]
        (length,) = struct.unpack_from(">H", content, at + 2)
        if content[at] != 0xFF or length < 2:
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, channels = struct.unpack_from(">HHB", content, at + 5)
            return width, height, channels, turn, at
        if marker == 0xE1 and bytes(content[at + 4 : at + 10]) == b"Exif\0\0":
            turn = orientation(bytes(content[at + 4 : at + 2 + length]))
        at += 2 + length
    raise _odd(name, "JPEG")


def _jpeg_cost(content: memoryview, at: int, channels: int) -> float:
    """Bytes a pixel: all coefficients of a progressive JPEG are held, two bytes each."""
    if content[at + 1] != 0xC2:
        return 0
    sampled = [content[at + 11 + 3 * channel] for channel in range(channels)]
    most = max(one >> 4 for one in sampled) * max(one & 15 for one in sampled)
    return 3 + 2 * sum((one >> 4) * (one & 15) for one in sampled) / max(most, 1)


def _webp(file: BinaryIO, content: memoryview, path: str, start: bytes, name: str) -> Opened:
    """By OpenCV: Pillow holds a WebP four times over. Animations by Pillow."""
    width, height, alpha, animated = _webp_head(start)
    if animated:
        return _pillow(file, ("WEBP",), name)
    turn = orientation(_chunk(content, b"EXIF"))
    _check_size(width, height, name, len(content), _WEBP_ALPHA if alpha else 0)

    def fill(out: np.ndarray) -> None:
        room = np.empty((height, width, 3 + alpha), np.uint8)
        image = cv2.imread(path, room, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None or image.shape[:2] != (height, width):
            raise ValueError("damaged")
        order = [2, 1, 0, 3][: image.shape[2]]
        stored = _stored(out, turn)
        images.put(stored, lambda top, bottom: images.rgb(image[top:bottom, :, order]))

    return Opened(*((height, width) if turn > 4 else (width, height)), fill)


def _webp_head(start: bytes) -> tuple[int, int, bool, bool]:
    """Width, height, whether it has alpha, and whether it is an animation."""
    kind = start[12:16]
    if kind == b"VP8X":
        wide, high = (int.from_bytes(start[at : at + 3], "little") for at in (24, 27))
        return wide + 1, high + 1, bool(start[20] & 16), bool(start[20] & 2)
    if kind == b"VP8L":
        bits = int.from_bytes(start[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1), False
    wide, high = struct.unpack_from("<HH", start, 26)
    return wide & 0x3FFF, high & 0x3FFF, False, False


def _chunk(content: memoryview, wanted: bytes) -> bytes:
    """The first chunk of a RIFF file that is called so; empty where there is none."""
    at = 12
    for _ in range(MAX_SEGMENTS):
        if at + 8 > len(content):
            break
        kind, length = struct.unpack_from("<4sI", content, at)
        if kind == wanted:
            return bytes(content[at + 8 : at + 8 + min(length, 65_536)])
        at += 8 + length + length % 2
    return b""


def _heif(file: BinaryIO, name: str) -> Opened:
    """Straight from libheif, which turns it upright; Pillow would hold it twice more."""
    picture = pillow_heif.open_heif(file, convert_hdr_to_8bit=True)
    width, height = picture.size
    _check_size(width, height, name, os.fstat(file.fileno()).st_size, _HEIF)

    def fill(out: np.ndarray) -> None:
        images.put(out, images.rows_of(np.asarray(picture)[:, :width], name))

    return Opened(width, height, fill)


def _gif_comments(content: memoryview) -> int:
    """Bytes of the comments before a GIF's first picture."""
    flags, found = content[10], 0
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while at + 1 < len(content) and content[at] == 0x21:
        comment, at = content[at + 1] == 0xFE, at + 2
        while at < len(content) and content[at]:
            found += content[at] if comment else 0
            at += content[at] + 1
        at += 1
    return found


def _pillow(file: BinaryIO, formats: tuple[str, ...], name: str, turn: int = 0) -> Opened:
    """By Pillow; `turn` is the orientation where it is known already."""
    image = Image.open(file, formats=formats)
    length = os.fstat(file.fileno()).st_size
    _check_size(*image.size, name, length, _AVIF if image.format == "AVIF" else 0)
    width, height = image.size
    image.load()
    if image.format == "TIFF":
        turn = image.tag_v2.get(_ORIENTATION, 1)  # type: ignore[attr-defined]
        turn = int(turn) if turn in range(1, 9) else 1
    turn = turn or orientation(image.info.get("exif", b""))

    size = (height, width) if turn > 4 else (width, height)
    return Opened(*size, lambda out: images.put(_stored(out, turn), _rows(image, name)))


def _rows(image: Image.Image, name: str) -> images.Rows:
    eight_bit = image.mode == "I" and image.format == "TIFF"  # some programs write 8-bit gray so
    eight_bit = eight_bit and float(image.getextrema()[1]) <= 255  # type: ignore[arg-type]
    if eight_bit or image.mode == "F":
        return images.rows_of(np.asarray(image), name)
    mode = "RGBA" if image.has_transparency_data else "RGB"

    def rows(top: int, bottom: int) -> np.ndarray:
        strip = image.crop((0, top, image.width, bottom))
        if not image.mode.startswith("I"):
            return images.rgb(np.asarray(strip.convert(mode)))
        gray = np.asarray(strip)  # of 16 bits, which Pillow's convert would clip at 255
        gray = gray if gray.dtype == np.uint16 else gray.clip(0, 65535).astype(np.uint16)
        return images.rows_of(gray, name)(0, bottom - top)

    return rows
