"""Files written in one step: whoever reads them finds the old one or the new one, never half."""

import contextlib
import glob
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s place when the block ends well.

    What others left who were killed while they wrote it goes. Where `path` is no ordinary file,
    such as /dev/stdout, it is written to itself; a link stays one.

    Raises:
        OSError: it cannot be written; the old one is as it was.
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
    """Write text, or pieces of it, as UTF-8 in one step; see `atomic`."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines([text] if isinstance(text, str) else text)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file in one step: readers see the old or the new one."""
    write(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of `atomic` whose writers were killed."""
    mark = re.compile(rf"\.{re.escape(path.name)}\.(\d+)-[0-9a-f]{{8}}")
    for other in path.parent.glob(f".{glob.escape(path.name)}.*"):
        found = mark.fullmatch(other.name)
        if found and not runs(int(found[1])):
            other.unlink(missing_ok=True)


def runs(process: int) -> bool:
    """Whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's
        return True
    return True
