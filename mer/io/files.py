"""Files: read with care, written in one step; names and tables that are safe to show and open."""

import contextlib
import fcntl
import glob
import json
import os
import re
import resource
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from mer.errors import MerError

if TYPE_CHECKING:  # the processes that decode have no use for it
    import pandas as pd

_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})  # controls, directions, ends of lines


def shown(name: str | os.PathLike[str]) -> str:
    """A name as text that terminals and tables can show: what is no character is escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(repr(x)[1:-1] if unicodedata.category(x) in _UNSEEN else x for x in text)


def natural(name: str) -> tuple[list[Any], str]:
    """What to sort paths by so that img2 comes before img10, and folders stay together."""
    steps: list[list[Any]] = [re.split(r"(\d+)", step) for step in name.split("/")]
    for step in steps:  # text and numbers by turns
        digits = [number.lstrip("0") for number in step[1::2]]
        step[1::2] = [(len(one), one) for one in digits]  # they may be very long
    return steps, name


def csv_text(table: "pd.DataFrame", *, bom: bool = False) -> str:
    """A table as CSV whose texts no spreadsheet or terminal runs; by `bom` Excel knows UTF-8."""
    columns = table.select_dtypes(exclude=["number", "bool"]).astype(object).map(_tame)
    tame = table.assign(**columns).rename(columns=_tame)
    return "\ufeff" * bom + tame.to_csv(index=False, lineterminator="\n")


def _tame(value: object) -> object:
    if not isinstance(value, str):
        return value
    plain = shown(value)
    # Spreadsheets read a cell that begins like this as a formula, whether quoted or not.
    return f"'{plain}" if plain.lstrip().startswith(("=", "+", "-", "@")) else plain


@contextlib.contextmanager
def readable(path: Path, kind: type[MerError], choose: str, folder: str) -> Iterator[None]:
    """Raise `kind` unless there is an ordinary file, also where the block cannot open it.

    `choose` says what to do with a pipe or a device, `folder` with a folder; "": it is welcome.
    """
    try:
        if folder and path.is_dir():
            raise kind(f"'{shown(path)}' is a folder: {folder}")
        if not path.exists():
            raise kind(f"There is no file '{shown(path)}': check its name and folder.")
        if folder and not path.is_file():  # reading a pipe or a device may never end
            raise kind(f"'{shown(path)}' is no ordinary file. {choose}")
        yield
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise kind(f"'{shown(path)}' cannot be opened ({reason}): choose another file.") from error


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s place when the block ends well.

    What others left who were killed while they wrote goes. What is no ordinary file, such as
    /dev/stdout, is written to itself; a link stays one. After an OSError the old one is as it was.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        temporary.touch(0o600, exist_ok=False)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        temporary.replace(path)
    except OSError as error:
        if error.filename == str(temporary) or error.filename is None:
            error.filename = str(path)  # the name that people know
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, text: str | Iterable[str]) -> None:
    """Write text, or pieces of it, as UTF-8; as `atomic`."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines([text] if isinstance(text, str) else text)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file; as `atomic`."""
    write(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of `atomic` whose writers were killed."""
    for other in path.parent.glob(f".{glob.escape(path.name)}.*"):
        found = re.fullmatch(rf"\.{re.escape(path.name)}\.(\d+)-[0-9a-f]{{8}}", other.name)
        if found and not runs(int(found[1])):
            other.unlink(missing_ok=True)


def runs(process: int) -> bool:
    """Whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except (OSError, OverflowError) as error:  # others: it is somebody else's
        return not isinstance(error, ProcessLookupError)
    return True


def locked(file: int | IO[str]) -> bool:
    """Lock an open file until it is closed; False where another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_files(most: int) -> None:
    """Let this process hold so many files open, or as many as it may."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, most), limit))
