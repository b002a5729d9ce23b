"""Small files and values that ask for much memory or time; each stands for a kind of attack."""

import io
import struct
import zlib
from typing import Final

import numpy as np
from PIL import Image

from tools.security import seeds


def saved(kind: str, side: int = 8, **options: object) -> bytes:
    """A picture of noise in one of Pillow's formats."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, kind, **options)
    return buffer.getvalue()


def _directory(tags: list[tuple[int, int, int, int]], body: bytes = b"") -> bytes:
    """A TIFF of one directory: tag, type, count and value of each entry; `body` follows."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return head + entries + bytes(4) + body


_PLAIN: Final = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]


def bmp_of_deltas() -> bytes:
    """Run-length steps that lead far out of the picture."""
    head = struct.pack("<IiiHHIIiiII", 40, 4_000_000, 8, 1, 8, 1, 0, 0, 0, 256, 0)
    steps = b"\0\2\xff\xff" * 200
    offset = 14 + len(head) + 1024
    size = struct.pack("<IHHI", offset + len(steps), 0, 0, offset)
    return b"BM" + size + head + bytes(1024) + steps


def tiff_of_overlapping_tags() -> bytes:
    """Five thousand tags over the same bytes."""
    same = [(40000 + number, 7, 60_000, 8) for number in range(5000)]
    return _directory([*_PLAIN, (273, 4, 1, 8), (279, 4, 1, 64), *same], bytes(64))


def tiff_of_one_tile() -> bytes:
    """One tile of 1.6 billion pixels."""
    tile = [(322, 4, 1, 40_000), (323, 4, 1, 40_000), (324, 4, 1, 8), (325, 4, 1, 64)]
    packed = [tag for tag in _PLAIN if tag[0] != 259] + [(259, 3, 1, 5)]
    return _directory(packed + tile, bytes(64))


def png_of_overlapping_exif() -> bytes:
    """Ten thousand tags over the same bytes."""
    exif = _directory([(40000 + n, 7, 100_000, 8) for n in range(10_000)])
    content = saved("PNG")
    chunk = b"eXIf" + exif
    extra = struct.pack(">I", len(exif)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return content[:33] + extra + content[33:]


def avif_of_another_size() -> bytes:
    """A header that lies about the size."""
    content = saved("AVIF", 64, speed=10)
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", 16_384, 16_384) + content[at + 8 :]


def ppm_of_comments() -> bytes:
    """A comment of three million characters."""
    return b"P6\n" + b"#" * 3_000_000 + b"\n8 8\n255\n" + bytes(192)


def gif_of_comments() -> bytes:
    """Twenty thousand blocks of comment."""
    content = saved("GIF")
    at = 13 + (3 << (content[10] & 7) + 1)
    comment = b"\x21\xfe" + (b"\xff" + b"x" * 255) * 20_000 + b"\0"
    return content[:at] + comment + content[at:]


def jpeg_of_segments() -> bytes:
    """Two million segments that say nothing."""
    content = saved("JPEG")
    return content[:2] + b"\xff\xed\0\x04ab" * 2_000_000 + content[2:]


def webp_of_another_size() -> bytes:
    """A header that lies about the size."""
    content = bytearray(saved("WEBP", 16))
    struct.pack_into("<HH", content, 26, 7000, 7000)
    return bytes(content)


def png_of_zeros() -> bytes:
    """Fifty million pixels in 150 kB: as much as is read."""
    buffer = io.BytesIO()
    Image.new("RGB", (7070, 7070)).save(buffer, "PNG")
    return buffer.getvalue()


def mp4_of_many_samples() -> bytes:
    """A table that says thirty million frames."""
    content = bytearray(next(one for one in seeds.videos() if one[4:8] == b"ftyp"))
    at = content.index(b"stsz") + 12
    struct.pack_into(">I", content, at, 30_000_000)
    return bytes(content)


def values_of_lists() -> bytes:
    """Twenty million bytes of empty lists."""
    return b'{"data": [' + b"[]," * 6_600_000 + b"[]]}"


def values_of_depth() -> bytes:
    """Lists in lists."""
    return b'{"data": ' + b"[" * 900 + b"]" * 900 + b"}"


def values_of_a_name() -> bytes:
    """A visitor whose name has ten million characters."""
    return b'{"data": [], "session_hash": "' + b"x" * 10_000_000 + b'"}'


PICTURES: Final = (
    *(bmp_of_deltas, tiff_of_overlapping_tags, tiff_of_one_tile, png_of_overlapping_exif),
    *(avif_of_another_size, ppm_of_comments, gif_of_comments, webp_of_another_size, png_of_zeros),
)
VALUES: Final = (values_of_lists, values_of_depth, values_of_a_name)
