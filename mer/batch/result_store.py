"""The folder of a batch: which items are done, and their tables, each item in them exactly once.

A part of the results is one file in each table's folder. The file in `items` comes last, and what
it names is done; parts without it were cut off, and are removed when the run goes on. Only one
process ever writes: however often an item was scored, it is stored once.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from mer.errors import MerError
from mer.io.files import atomic, locked, write_json
from mer.weights import provenance

ITEMS: Final = "items"  # its part makes the others count
TABLES: Final = ("faces", "frames", "events", "errors", ITEMS)
_PARTS: Final = "part-*.parquet"


class ResultStore:
    """The results so far. To be opened by `opened` alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        paths = list((folder / ITEMS).glob(_PARTS))
        self._number = 1 + max((int(re.sub(r"\D", "", path.stem)) for path in paths), default=-1)
        stored = [pq.read_table(path, columns=["file"])["file"].to_pylist() for path in paths]
        self.done = {name for names in stored for name in names}

    def write(self, tables: Mapping[str, bytes]) -> None:
        """Store a part of the results: Parquet by table, of which `items` counts them as done."""
        names = pq.read_table(pa.BufferReader(tables[ITEMS]))["file"].to_pylist()
        if self.done.intersection(names):  # scored twice, since a worker was lost
            return
        for table in TABLES:
            if table in tables:
                with atomic(self.folder / table / f"part-{self._number:06d}.parquet") as path:
                    path.write_bytes(tables[table])
        self._number += 1
        self.done.update(names)

    def finish(self) -> dict[str, int]:
        """Mark that nothing is left to do, and return the number of rows in each table."""
        rows = {
            table: sum(pq.read_metadata(x).num_rows for x in (self.folder / table).glob(_PARTS))
            for table in TABLES
        }
        write_json(self.folder / "done", {"rows": rows, "finished": provenance.now()})
        return rows


@contextmanager
def opened(folder: Path, identity: Mapping[str, Any]) -> Iterator[ResultStore]:
    """The results in `folder`, begun or taken up again, and kept from other runs meanwhile.

    Args:
        folder: made where it does not exist.
        identity: source, network and all else that has to be the same for a run to go on.

    Raises:
        MerError: the folder holds something else, results of other settings, or another run
            writes to it now.
    """
    run = folder / "run.json"
    if not run.exists() and folder.is_dir() and any(folder.iterdir()):
        raise MerError(f"'{folder}' holds other files. Choose an empty folder for --out.")
    folder.mkdir(parents=True, exist_ok=True)
    run.touch()
    with run.open() as lock:
        if not locked(lock):
            raise MerError(f"Another run writes to '{folder}' now. Wait for it.")
        _check(run, identity)
        (folder / "done").unlink(missing_ok=True)
        whole = {path.name for path in (folder / ITEMS).glob(_PARTS)}
        for table in TABLES:  # what a run that was cut off left half done
            for path in (folder / table).glob(f"*{_PARTS}*"):
                if path.name not in whole:
                    path.unlink()
        yield ResultStore(folder)


def _check(run: Path, identity: Mapping[str, Any]) -> None:
    text = run.read_text(encoding="utf-8")
    if not text:  # a new one: written in place, since the lock is on this very file
        run.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
        return
    try:
        former = json.loads(text)
    except ValueError:
        former = None
    if not isinstance(former, dict):
        raise MerError(f"{run} is damaged. Choose another --out, or delete this folder.")
    other = [name for name in {**identity, **former} if identity.get(name) != former.get(name)]
    if other:
        was = ", ".join(f"{name} {former.get(name)!r}" for name in other)
        raise MerError(
            f"'{run.parent}' holds results of another run, with {was}. "
            "Choose another --out, or the same settings to go on with it."
        )
