"""Damage to files, as by a bad disk or by somebody who looks for a weakness; seeded."""

import struct
import zlib
from collections.abc import Sequence
from random import Random
from typing import Final

from tools.security import structure

MOST: Final = 200_000  # bytes of a damaged file
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SIZES: Final = (1, 2, 4, 8)  # bytes of a number in a file
_NUMBERS: Final = (0, 1, 2, 7, 24, 127, 128, 255, 256, 4096, 7000, 32767, 65535, 1 << 20)
_LARGE: Final = (7071, 16_384, 40_000, 1 << 24, 30_000_000, 1 << 31)  # as sizes and counts


def damaged(chance: Random, good: Sequence[bytes], odd: Sequence[bytes] = ()) -> bytes:
    """A file, damaged in one to six places; a PNG often gets checksums that fit.

    Args:
        chance: the only source of chance.
        good: whole files.
        odd: damaged ones that were answered in a new way; every third file is one of them.
    """
    pool = odd if odd and chance.random() < 1 / 3 else good
    content = bytearray(chance.choice(pool))
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        chance.choice(_WAYS)(chance, content, pool)
    if content.startswith(_PNG) and chance.random() < 0.7:
        return _with_checksums(bytes(content[:MOST]))
    return bytes(content[:MOST])


def _place(chance: Random, content: bytearray) -> int:
    """Anywhere, but as often in the first hundred bytes, where headers are."""
    end = len(content) if chance.random() < 0.5 else min(len(content), 100)
    return chance.randrange(end) if end else 0


def _flip(chance: Random, content: bytearray, _: Sequence[bytes]) -> None:
    if content:
        content[_place(chance, content)] ^= 1 << chance.randrange(8)


def _overwrite(chance: Random, content: bytearray, _: Sequence[bytes]) -> None:
    at = _place(chance, content)
    content[at : at + chance.randint(1, 8)] = chance.randbytes(chance.randint(1, 8))


def _number(chance: Random, content: bytearray, _: Sequence[bytes]) -> None:
    """A length, a size or an offset becomes a telling one."""
    at, size = _place(chance, content), chance.choice(_SIZES)
    top = 1 << 8 * size
    value = chance.choice((*_NUMBERS, top - 1, top // 2, top // 2 - 1, len(content)))
    order = chance.choice(("big", "little"))
    content[at : at + size] = (value % top).to_bytes(size, order)  # type: ignore[arg-type]


def _steer(chance: Random, content: bytearray, _: Sequence[bytes]) -> None:
    """A length, a count, a dimension or a tag that is known to be one lies."""
    known = [one for one in structure.fields(bytes(content)) if one.at + one.size <= len(content)]
    if not known:
        return _number(chance, content, _)
    at, size, order = chance.choice(known)
    value = chance.choice((*_NUMBERS, *_LARGE, len(content), (1 << 8 * size) - 1))
    if order == "digits":
        content[at : at + size] = str(value).encode()
        return None
    content[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, order)  # type: ignore[arg-type]
    return None


def _multiply(chance: Random, content: bytearray, pool: Sequence[bytes]) -> None:
    """A tag, a segment, a chunk, a box or a block comes up to thousands of times."""
    known = [one for one in structure.parts(bytes(content)) if one.at < one.end <= len(content)]
    if not known:
        return _repeat(chance, content, pool)
    part = chance.choice(known)
    times = min(chance.choice((2, 10, 300, 5000)), MOST // (part.end - part.at))
    content[part.at : part.at] = bytes(content[part.at : part.end]) * times
    return None


def _cut(chance: Random, content: bytearray, _: Sequence[bytes]) -> None:
    del content[_place(chance, content) :]


def _drop(chance: Random, content: bytearray, _: Sequence[bytes]) -> None:
    at = _place(chance, content)
    del content[at : at + chance.choice((1, 2, 4, 16, 64, 512))]


def _repeat(chance: Random, content: bytearray, _: Sequence[bytes]) -> None:
    at = _place(chance, content)
    piece = bytes(content[at : at + chance.choice((1, 4, 16, 64, 512))])
    content[at:at] = piece * chance.choice((1, 2, 8, 64))


def _splice(chance: Random, content: bytearray, pool: Sequence[bytes]) -> None:
    other = chance.choice(pool)
    start = chance.randrange(len(other)) if other else 0
    content[_place(chance, content) :] = other[start:]


_WAYS: Final = (
    *(_flip, _flip, _overwrite, _number, _number, _number, _cut, _drop, _repeat, _splice),
    *(_steer, _steer, _steer, _steer, _multiply),
)


def _with_checksums(content: bytes) -> bytes:
    """A PNG whose chunks have the checksum that belongs to them, so that more of it is read."""
    made, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        end = at + 8 + length
        if end + 4 > len(content):
            break
        made += content[at:end] + struct.pack(">I", zlib.crc32(content[at + 4 : end]))
        at = end + 4
    return bytes(made + content[at:])
