"""Scoring a batch with the workers of Ray Data, on this machine or on a cluster.

Its folder tells which items are done, and has their tables, each item in them exactly once. A part
of the results is one file in each table's folder. The file in `items` comes last, and what it names
is done; parts without it were cut off, and are removed when the run goes on. Only one process ever
writes: however often an item was scored, it is stored once.
"""

import json
import logging
import os
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import ray
import ray.data
from ray.exceptions import RayError

from mer.batch.worker import FIGURES, MARK, Task, Worker, remove_leftovers
from mer.errors import MerError
from mer.io import sources
from mer.io.files import atomic, locked, write_json
from mer.io.sources import Item
from mer.models.registry import DEFAULT_MODEL
from mer.version import __version__
from mer.weights import provenance, store

PART: Final = 256  # pictures stored in one step, and scored again if the run is cut off before
ITEMS: Final = "items"  # its part makes the others count
TABLES: Final = ("faces", "frames", "events", "errors", ITEMS)
_PARTS: Final = "part-*.parquet"
STORE: Final = 512_000_000  # bytes of results that Ray may hold in memory, without a cluster

_LONGEST: Final = 44  # characters of a folder in which Ray can make its sockets

Progress = Callable[["Step"], None]


@dataclass(frozen=True)
class Step:
    """Progress of a run, with process, memory and time of the worker that did the last part."""

    done: int
    items: int
    worker: int = 0
    memory_mb: float = 0.0  # its peak memory so far
    processor_s: float = 0.0  # its processor time so far


def score(
    source: str,
    out: Path,
    *,
    model: str = DEFAULT_MODEL,
    detector: str = "yunet",
    workers: int | None = None,
    address: str | None = None,
    part: int = PART,
    progress: Progress = lambda _: None,
) -> dict[str, int]:
    """Score all pictures and videos of `source`, and store the results in tables below `out`.

    A run that was stopped or killed goes on when it is called again, and a finished one scores the
    items that were added since. Each item is in the tables exactly once.

    Args:
        source: see `mer.io.sources.find`.
        out: a folder for the results, see `worker.tables`.
        model, detector: the network and the face detector.
        workers: number of processes that hold the network; one a core by default.
        address: address of a Ray cluster whose machines all see `source`; this machine by default.
        part: number of pictures that are stored in one step; a video is a step by itself.
        progress: called after each step.

    Gives the number of rows of each table. Raises a MerError where there is nothing to score, `out`
    holds something else, weights are missing, or there is no cluster.
    """
    _, record = store.arrays(model)
    checksum = record["file"]["sha256"]
    remove_leftovers()
    task = Task(f"{os.getpid()}-{uuid.uuid4().hex}", model, detector, checksum)
    found = sources.find(source)
    settings = {"network": model, "weights": checksum, "detector": detector, "mer": __version__}
    with opened(out, {"source": str(Path(source).resolve()), **settings}) as book:
        left = [item for item in found if item.name not in book.done]
        progress(Step(len(found) - len(left), len(found)))
        for row in _scored(left, task, part, workers, address):
            book.write({name: row[name] for name in TABLES if row[name] is not None})
            progress(Step(len(book.done), len(found), *(row[name] for name in FIGURES)))
        return book.finish()


def _scored(
    left: Sequence[Item], task: Task, part: int, workers: int | None, address: str | None
) -> Iterator[dict[str, Any]]:
    """A row for each part, see `Worker`; without items Ray is not started."""
    if not left:
        return
    pictures = [item for item in left if not item.video]
    # First each video by itself, since they take longest.
    parts = [[item] for item in left if item.video]
    parts += [pictures[start : start + part] for start in range(0, len(pictures), part)]
    rows = [{"items": json.dumps(one)} for one in parts]
    with _cluster(workers, address) as count:
        try:
            yield from (
                ray.data.from_items(rows, override_num_blocks=len(rows))
                .map_batches(
                    Worker,
                    batch_size=1,
                    batch_format="pyarrow",
                    compute=ray.data.ActorPoolStrategy(size=count),
                    fn_constructor_args=(task,),
                    num_cpus=1,
                )
                .iter_rows()
            )
        except RayError as error:  # what ended a worker, or Ray's last line
            cause = getattr(error, "cause", None)
            raise MerError(str(cause or error).strip().splitlines()[-1]) from error


@contextmanager
def _cluster(workers: int | None, address: str | None) -> Iterator[int]:
    """Run Ray for the length of the block; yield the number of workers."""
    prefix = f"{MARK}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        own: dict[str, Any] = {
            "num_cpus": workers or os.cpu_count(),
            "object_store_memory": STORE,
            "include_dashboard": False,
            # Ray's own place would keep a folder for each run; sockets need a short name.
            "_temp_dir": folder if len(folder) <= _LONGEST else None,
        }
        told: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        try:
            with _hushed():
                ray.init(address=address or "local", **told, **({} if address else own))
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise MerError(
                f"There is no Ray cluster at '{address}', or it asks for a token ({error})."
            ) from error
        try:
            ray.data.DataContext.get_current().enable_progress_bars = False
            cores = int(ray.cluster_resources()["CPU"])  # type: ignore[no-untyped-call]
            yield workers or cores
        finally:
            ray.shutdown()


@contextmanager
def _hushed() -> Iterator[None]:
    """Send stderr to nowhere, since Ray's C++ core writes to it directly."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


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

    `identity` is source, network and all else that has to be the same for a run to go on. Raises a
    MerError where the folder holds something else, results of other settings, or another run writes
    to it now.
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
