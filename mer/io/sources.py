"""Pictures by what people name: files, folders, patterns, zips and the standard input.

They come one at a time, and what cannot be read comes as the error that says why, so that a long
list goes on behind a bad item.
"""

import glob
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from mer.errors import DataError, ImageError, MerError
from mer.io import images

STDIN: Final = "-"
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
ENDINGS: Final = SUFFIXES | {".gif", ".heic", ".heif", ".avif", ".ppm"}
MAX_INPUT: Final = 1_000_000_000  # bytes of the standard input, a zip of pictures at most

Item = tuple[str, np.ndarray | MerError]  # what it is called; the picture, RGB uint8, or why not


def pictures(names: Iterable[str]) -> Iterator[Item]:
    """Every picture among `names`, in their order; in folders and zips by name.

    Args:
        names: files; folders, with all below them; patterns such as `album/**/*.jpg`; zips; or
            "-" for the standard input, which is one picture or one zip.
    """
    for name in names:
        if name == STDIN:
            yield from _content("stdin", sys.stdin.buffer.read(MAX_INPUT + 1))
        else:
            yield from _named(name)


def _named(name: str) -> Iterator[Item]:
    path = Path(name)
    if path.is_dir():
        yield from _folder(path)
    elif not path.exists() and glob.has_magic(name):
        yield from _pattern(name)
    elif path.suffix.lower() == ".zip" and path.is_file():
        yield from _zip(name, path)
    else:
        yield _item(name, path)


def _folder(path: Path) -> Iterator[Item]:
    found = sorted(f for f in path.rglob("*") if f.suffix.lower() in ENDINGS and f.is_file())
    if not found:
        error = f"There are no pictures in the folder {path}, nor below it. Name another."
        yield str(path), ImageError(error)
    yield from (_item(str(file), file) for file in found)


def _pattern(pattern: str) -> Iterator[Item]:
    # Path.glob would refuse an absolute pattern.
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    if not found:
        yield pattern, ImageError(f"No file is called like '{pattern}'. Name another.")
    for name in found:
        yield from _named(name)


def _content(name: str, content: bytes) -> Iterator[Item]:
    if len(content) > MAX_INPUT:
        limit = MAX_INPUT // 1_000_000
        yield name, ImageError(f"The standard input has more than {limit} MB. Name files instead.")
    elif content.startswith(b"PK\3\4"):
        yield from _zip(name, io.BytesIO(content))
    else:
        yield _item(name, content)


def _zip(name: str, source: Path | io.BytesIO) -> Iterator[Item]:
    try:
        with zipfile.ZipFile(source) as archive:
            listed = sorted(archive.infolist(), key=lambda one: one.filename)
            wanted = [one for one in listed if Path(one.filename).suffix.lower() in ENDINGS]
            for entry in wanted:
                yield _entry(f"{name}/{entry.filename}", archive, entry)
    except Exception as error:  # a damaged one makes zipfile raise nearly anything
        yield name, ImageError(f"'{name}' is no readable zip ({error}). Pack it again.")
        return
    if not wanted:
        yield name, ImageError(f"There are no pictures in '{name}'. Name another zip.")


def _entry(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Item:
    try:
        content = unpacked(archive, entry.filename)
    except DataError as error:
        return name, ImageError(str(error))
    except Exception as error:  # damaged, encrypted, or packed in a way that Python does not know
        return name, ImageError(f"'{name}' cannot be unpacked ({error}). Pack the zip again.")
    return _item(name, content)


def unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """A picture file of a zip, in bounded memory: a few kilobytes could be gigabytes.

    Raises:
        DataError: it is larger than any picture, or packed with LZMA, whose own header says how
            many gigabytes are set aside to unpack it.
    """
    if archive.getinfo(name).compress_type == zipfile.ZIP_LZMA:
        raise DataError(f"{name} in the zip is packed with LZMA. Pack it again without.")
    with archive.open(name) as file:
        content = file.read(images.MAX_BYTES + 1)
    if len(content) > images.MAX_BYTES:
        limit = images.MAX_BYTES // 1_000_000
        raise DataError(f"{name} in the zip is larger than {limit} MB. Save it smaller.")
    return content


def _item(name: str, source: Path | bytes) -> Item:
    try:
        return name, images.read(source)
    except ImageError as error:
        return name, ImageError(str(error).replace("The picture", f"'{name}'", 1))
