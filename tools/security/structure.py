"""Where a file keeps its lengths, counts, dimensions and tags, for `mutation` to make them lie."""

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

MOST: Final = 2000  # fields of a file that are looked for
_BOXES: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"meta", b"iprp", b"ipco")
_WORDS: Final = 8  # numbers at the beginning of a box's or a header's content
_TAG: Final = 12  # bytes of an entry of a TIFF's directory


class Field(NamedTuple):
    """A number in a file: where it is, its bytes, and their order ("big" or "little")."""

    at: int
    size: int
    order: str


class Part(NamedTuple):
    """A piece that formats repeat: a tag, a segment, a chunk, a box, a block."""

    at: int
    end: int


def fields(content: bytes) -> list[Field]:
    """The numbers that steer whoever reads this file; empty where its format is not known."""
    return [found for found in _found(content) if isinstance(found, Field)][:MOST]


def parts(content: bytes) -> list[Part]:
    """The pieces that could as well be there a thousand times."""
    return [found for found in _found(content) if isinstance(found, Part)][:MOST]


def _found(content: bytes) -> Iterator[Field | Part]:
    for walk in (_tiff, _png, _jpeg, _gif, _bmp, _riff, _boxes, _ppm):
        try:
            yield from walk(content)
        except (struct.error, IndexError):  # it ends in the middle
            continue


def _tiff(content: bytes) -> Iterator[Field | Part]:
    """Directories of tags, of a TIFF or in the EXIF of any other file."""
    for start in re.finditer(rb"II\*\0|MM\0\*", content):
        order, sign = ("little", "<") if start[0][:1] == b"I" else ("big", ">")
        base = start.start()
        yield Field(base + 4, 4, order)
        at = base + struct.unpack_from(f"{sign}I", content, base + 4)[0]
        (count,) = struct.unpack_from(f"{sign}H", content, at)
        yield Field(at, 2, order)
        for entry in range(at + 2, at + 2 + _TAG * min(count, 100), _TAG):
            yield Part(entry, entry + _TAG)
            for place, size in ((0, 2), (2, 2), (4, 4), (8, 4), (8, 2)):
                yield Field(entry + place, size, order)


def _png(content: bytes) -> Iterator[Field | Part]:
    at = 8 if content.startswith(b"\x89PNG") else len(content)
    while at + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        yield Field(at, 4, "big")
        yield Part(at, at + 12 + length)
        if content[at + 4 : at + 8] == b"IHDR":
            yield from (Field(at + 8 + place, size, "big") for place, size in _IHDR)
        at += 12 + length


_IHDR: Final = ((0, 4), (4, 4), (8, 1), (9, 1), (12, 1))


def _jpeg(content: bytes) -> Iterator[Field | Part]:
    at = 2 if content.startswith(b"\xff\xd8") else len(content)
    while at + 4 <= len(content) and content[at] == 0xFF:
        (length,) = struct.unpack_from(">H", content, at + 2)
        yield Field(at + 2, 2, "big")
        yield Part(at, at + 2 + length)
        if 0xC0 <= content[at + 1] <= 0xC2:
            yield from (Field(at + place, size, "big") for place, size in _SOF)
        at += 2 + length


_SOF: Final = ((1, 1), (4, 1), (5, 2), (7, 2), (9, 1), (11, 1), (14, 1))


def _gif(content: bytes) -> Iterator[Field | Part]:
    if not content.startswith(b"GIF8"):
        return
    yield from (Field(place, 2, "little") for place in (6, 8))
    yield Field(10, 1, "little")
    for block in re.finditer(rb"[\x2c\x21]", content[13:]):
        at = 13 + block.start()
        yield from (Field(at + place, 2, "little") for place in (1, 3, 5, 7))
        yield Part(at, min(at + 20, len(content)))


def _bmp(content: bytes) -> Iterator[Field | Part]:
    if content.startswith(b"BM"):
        yield from (Field(place, 4, "little") for place in range(10, 54, 4))
        yield Field(28, 2, "little")
        yield Part(54, min(58, len(content)))


def _riff(content: bytes) -> Iterator[Field | Part]:
    """Chunks of WebP and AVI, and what lies in their lists."""
    at = 12 if content.startswith(b"RIFF") else len(content)
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        yield Field(at + 4, 4, "little")
        yield from (Field(at + 8 + 4 * word, 4, "little") for word in range(_WORDS))
        yield Part(at, at + 8 + length)
        at += 12 if kind == b"LIST" else 8 + length + length % 2


def _boxes(content: bytes, at: int = 0, end: int | None = None) -> Iterator[Field | Part]:
    """Boxes of MP4, MOV, HEIC and AVIF, and what lies in them."""
    end = len(content) if end is None else end
    if not at and content[4:8] != b"ftyp":
        return
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", content, at)
        yield Field(at, 4, "big")
        yield Part(at, at + length)
        yield from (Field(at + 8 + 4 * word, 4, "big") for word in range(_WORDS))
        if kind in _BOXES:
            yield from _boxes(content, at + 8 + 4 * (kind == b"meta"), min(at + length, end))
        at += max(length, 8)


def _ppm(content: bytes) -> Iterator[Field | Part]:
    """The digits of its sizes, and the head as something to repeat."""
    if re.match(rb"P[1-7]\s", content):
        for number in re.finditer(rb"\d+", content[2:20]):
            yield Field(2 + number.start(), len(number[0]), "digits")
        yield Part(2, min(20, len(content)))
