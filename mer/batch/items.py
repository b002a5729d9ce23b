"""What there is to score: the pictures and videos of a folder, a zip, a list or a pattern."""

import csv
import glob
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from mer.errors import DataError
from mer.io.sources import ENDINGS

VIDEOS: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv"}
)
LISTS: Final = frozenset({".csv", ".txt"})
COLUMNS: Final = ("file", "path")  # of a CSV list: the first of them that it has


class Item(NamedTuple):
    """A picture or a video.

    Attributes:
        name: what it is known by in all tables: its path within the folder or the zip, or as the
            list or the pattern gives it.
        path: the file, in full.
        entry: its name in the zip that `path` then is; "" for a file of its own.
    """

    name: str
    path: str
    entry: str = ""

    @property
    def video(self) -> bool:
        """Whether it is taken for a video, by its name."""
        return Path(self.name).suffix.lower() in VIDEOS


def find(source: str) -> list[Item]:
    """All pictures and videos of `source`, each once, in the order of their names.

    Args:
        source: a folder, with all folders inside; a zip file; a list, which is a text file with a
            path a line or a CSV file with a column `file` or `path`, both relative to the list's
            own folder; or a pattern such as "faces/**/*.jpg". What a list names is taken whatever
            its ending is, else only files with the endings of pictures and videos.

    Raises:
        DataError: there is no such thing, it cannot be read, or there is nothing in it to score.
    """
    path = Path(source)
    if path.is_dir():
        found = _folder(path)
    elif path.suffix.lower() == ".zip" and path.is_file():
        found = _zip(path)
    elif path.suffix.lower() in LISTS and path.is_file():
        found = _listed(path)
    else:
        files = sorted(glob.glob(source, recursive=True))  # noqa: PTH207  an absolute one as well
        chosen = (name for name in files if _wanted(name) and not Path(name).is_dir())
        found = (Item(_text(name), str(Path(name).resolve())) for name in chosen)
    items = list({item.name: item for item in found}.values())
    if not items:
        there = "holds no pictures or videos" if path.exists() else "is not there"
        raise DataError(f"'{source}' {there}. Name a folder, a zip, a list or a pattern of files.")
    return items


def _folder(folder: Path) -> Iterator[Item]:
    root = folder.resolve()
    for path in sorted(root.rglob("*")):
        if _wanted(path.name) and not path.is_dir():
            yield Item(_text(path.relative_to(root).as_posix()), str(path))


def _zip(path: Path) -> Iterator[Item]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} is no readable zip file ({error}). Pack it again.") from error
    return (Item(_text(name), str(path.resolve()), name) for name in names if _wanted(name))


def _listed(path: Path) -> Iterator[Item]:
    folder = path.resolve().parent
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = list(_column(file, path) if path.suffix.lower() == ".csv" else file)
    except (OSError, csv.Error) as error:
        raise DataError(f"The list {path} cannot be read ({error}).") from error
    named = (name.strip() for name in names)
    return (Item(_text(name), str(folder / name)) for name in named if name)


def _column(lines: Iterable[str], path: Path) -> Iterator[str]:
    rows = csv.DictReader(lines)
    column = next((name for name in COLUMNS if name in (rows.fieldnames or ())), None)
    if column is None:
        raise DataError(f"The list {path} needs a column called {' or '.join(COLUMNS)}.")
    return (row[column] or "" for row in rows)


def _wanted(name: str) -> bool:
    return Path(name).suffix.lower() in ENDINGS | VIDEOS


def _text(name: str) -> str:
    """The name as text that every table can hold, whatever bytes the file system has for it."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
