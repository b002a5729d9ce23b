"""What people name: files, folders, zips, lists, patterns, the standard input."""

import csv
import glob
import io
import logging
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import numpy as np

from mer.errors import DataError, ImageError, MerError
from mer.io import images
from mer.io.files import natural, shown

STDIN: Final = "-"
MAX_INPUT: Final = 1_000_000_000  # bytes of the standard input, a zip of pictures at most
PACKED: Final = 20  # times that a video may grow when it is unpacked: it is compressed already
SMALL: Final = 100_000_000  # bytes of a video up to which that does not matter
SPARE: Final = 500_000_000  # bytes that stay free on a disk that something is unpacked to

# The endings of all that the readers read.
_PICTURES: Final = (
    "jpg jpeg jpe jfif jif pjpeg mpo png apng webp gif bmp dib tif tiff ppm pgm pbm pnm pfm heic "
    "heif hif avif"
)
_VIDEOS: Final = (
    "mp4 m4v mov qt webm mkv avi divx mpg mpeg mpe m2v vob ts mts m2ts m2t wmv asf flv f4v 3gp "
    "3gpp 3g2 ogv ogm mxf dv y4m mjpeg mjpg h264 264 hevc h265 265 ivf obu nut rm rmvb wtv"
)
PICTURES: Final = frozenset(f".{ending}" for ending in _PICTURES.split())
VIDEOS: Final = frozenset(f".{ending}" for ending in _VIDEOS.split())
LISTS: Final = frozenset({".csv", ".txt"})
COLUMNS: Final = ("file", "path")  # of a CSV list: the first of them that it has

_NO_ZIP: Final = "{} is no readable zip file ({}). Pack it again."

Picture = tuple[str, np.ndarray | MerError]  # what it is called; RGB uint8, or why not
logger = logging.getLogger(__name__)


class Item(NamedTuple):
    """A picture or a video."""

    name: str  # as it can be shown: its path in the folder or the zip, or as it was given
    path: str  # the file, in full
    entry: str = ""  # its name in the zip that `path` then is; "" for a file of its own

    @property
    def video(self) -> bool:
        """Whether it is taken for a video, by its name."""
        return _ending(self.name) in VIDEOS


def find(source: str) -> list[Item]:
    """All pictures and videos of `source`, each once, in natural order of their names.

    `source` is a folder, with all folders inside; a zip; a pattern such as "faces/**/*.jpg"; or a
    list: a text file with a path a line or a CSV file with a column `file` or `path`, relative to
    its own folder, whose order and endings are taken as they are. Raises a DataError where there is
    no such thing, it cannot be read, or holds nothing to score.
    """
    path, endings = Path(source), PICTURES | VIDEOS
    if path.is_dir():
        found = in_folder(path, endings)
    elif _is_zip(path):
        found = in_zip(path, endings)
    elif path.suffix.lower() in LISTS and path.is_file():
        found = _listed(path)
    else:
        files = [name for name in _matching(source) if not Path(name).is_dir()]
        paths = [(name, str(Path(name).resolve())) for name in files]
        found = [Item(shown(name), full) for name, full in paths if _ending(full) in endings]
    if not found:
        there = "holds no pictures or videos" if path.exists() else "is not there"
        text = f"'{shown(source)}' {there}. Name a folder, a zip, a list or a pattern of files."
        raise DataError(text)
    return list({item.name: item for item in found}.values())


def in_folder(folder: Path, endings: frozenset[str]) -> list[Item]:
    """The files below a folder that end so, named by their path within it."""
    root = folder.resolve()
    names = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return [Item(shown(x), str(root / x)) for x in _chosen(names, endings, str(folder))]


def in_zip(path: Path, endings: frozenset[str]) -> list[Item]:
    """The files in a zip that end so; a DataError where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = _chosen(archive.namelist(), endings, str(path))
    except Exception as error:  # a damaged one makes zipfile raise nearly anything
        raise DataError(_NO_ZIP.format(shown(path), error)) from error
    return [Item(shown(name), str(path.resolve()), name) for name in names]


def unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """A picture of a zip; a DataError where it is larger than any, or packed with LZMA."""
    with archive.open(_plain(archive, name)) as file:
        content = file.read(images.MAX_BYTES + 1)
    if len(content) > images.MAX_BYTES:
        limit = images.MAX_BYTES // 1_000_000
        raise DataError(f"{shown(name)} in the zip is larger than {limit} MB. Save it smaller.")
    return content


def unpack(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    """Put a video of a zip into a file; a DataError where it grows as none does, or fills disks."""
    entry = _plain(archive, name)
    if entry.file_size > max(SMALL, PACKED * entry.compress_size):
        size = f"{entry.compress_size:,} bytes that become {entry.file_size:,}"
        raise DataError(f"{shown(name)} in the zip is no video: {size}. Pack the video itself.")
    if entry.file_size + SPARE > shutil.disk_usage(target.parent).free:
        raise DataError(f"There is no room to unpack {shown(name)}: free some on the disk.")
    with archive.open(entry) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file)


def pictures(names: Iterable[str]) -> Iterator[Picture]:
    """Every picture among `names`, in their order, one at a time; or the error that says why not.

    Names are of files; folders, with all below them, zips and patterns such as `album/**/*.jpg`, in
    natural order; or "-" for the standard input, which is one picture or one zip.
    """
    for name in names:
        if name != STDIN:
            yield from _named(name)
            continue
        content = sys.stdin.buffer.read(MAX_INPUT + 1)
        if len(content) > MAX_INPUT:
            text = f"The standard input has more than {MAX_INPUT // 1_000_000} MB."
            yield "stdin", ImageError(f"{text} Name files instead.")
        elif content.startswith(b"PK\3\4"):
            yield from _zip("stdin", io.BytesIO(content))
        else:
            yield _picture("stdin", content)


def _named(name: str) -> Iterator[Picture]:
    path, told = Path(name), shown(name)
    if path.is_dir():
        found = in_folder(path, PICTURES)
        yield from (_picture(shown(path / item.name), Path(item.path)) for item in found)
        if not found:
            text = f"There are no pictures in the folder {told}, nor below it. Name another."
            yield told, ImageError(text)
    elif not path.exists() and glob.has_magic(name):
        matching = _matching(name)
        for one in matching:
            yield from _named(one)
        if not matching:
            yield told, ImageError(f"No file is called like '{told}'. Name another.")
    elif _is_zip(path):
        yield from _zip(told, path)
    else:
        yield _picture(told, path)


def _zip(name: str, source: Path | io.BytesIO) -> Iterator[Picture]:
    try:
        with zipfile.ZipFile(source) as archive:
            wanted = _chosen(archive.namelist(), PICTURES, name)
            yield from (_entry(f"{name}/{shown(entry)}", archive, entry) for entry in wanted)
        if not wanted:
            yield name, ImageError(f"There are no pictures in '{name}'. Name another zip.")
    except Exception as error:  # a damaged one makes zipfile raise nearly anything
        yield name, ImageError(_NO_ZIP.format(f"'{name}'", error))


def _entry(name: str, archive: zipfile.ZipFile, entry: str) -> Picture:
    try:
        content = unpacked(archive, entry)
    except DataError as error:
        return name, ImageError(str(error))
    except Exception as error:  # damaged, encrypted, or packed in a way that Python does not know
        return name, ImageError(f"'{name}' cannot be unpacked ({error}). Pack the zip again.")
    return _picture(name, content)


def _picture(name: str, source: Path | bytes) -> Picture:
    try:
        return name, images.read(source)
    except ImageError as error:
        return name, ImageError(str(error).replace("The picture", f"'{name}'", 1))


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and path.is_file()


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _matching(pattern: str) -> list[str]:
    # Path.glob would refuse an absolute pattern.
    return sorted(glob.glob(pattern, recursive=True), key=natural)  # noqa: PTH207


def _chosen(names: Iterable[str], endings: frozenset[str], where: str) -> list[str]:
    """The names that end so, in natural order; how many others there are is logged."""
    chosen, others = [], Counter[str]()
    for name in names:
        if not name.endswith("/") and _ending(name) in endings:
            chosen.append(name)
        elif not name.endswith("/") and not PurePosixPath(name).name.startswith("."):
            others[_ending(name) or "without an ending"] += 1
    if others:
        kinds = ", ".join(f"{shown(kind)} ({count})" for kind, count in others.most_common(5))
        text = "Left out of %s, being nothing that is read here: %d files, %s."
        logger.warning(text, shown(where), others.total(), kinds)
    return sorted(chosen, key=natural)


def _plain(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    entry = archive.getinfo(name)
    if entry.compress_type == zipfile.ZIP_LZMA:  # whose header sets any number of gigabytes aside
        raise DataError(f"{shown(name)} in the zip is packed with LZMA. Pack it again without.")
    return entry


def _listed(path: Path) -> list[Item]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = list(file) if path.suffix.lower() == ".txt" else _column(file, path)
    except (OSError, csv.Error) as error:
        raise DataError(f"The list {shown(path)} cannot be read ({error}).") from error
    folder = path.resolve().parent
    return [Item(shown(x), str(folder / x)) for x in map(str.strip, names) if x]


def _column(lines: Iterable[str], path: Path) -> list[str]:
    rows = csv.DictReader(lines)
    for name in COLUMNS:
        if name in (rows.fieldnames or ()):
            return [row[name] or "" for row in rows]
    raise DataError(f"The list {shown(path)} needs a column called {' or '.join(COLUMNS)}.")
