"""Scoring a batch with the workers of Ray Data, on this machine or on a cluster.

A worker holds the network, and makes tables of parts of the items; one process writes them, a part
as a file in each table's folder. That in `items` comes last, and what it names is done: parts
without it were cut off, and are removed when the run goes on.
"""

import functools
import hashlib
import io
import itertools
import json
import logging
import os
import re
import shutil
import tempfile
import time
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import ray
import ray.data
from ray.exceptions import RayError

from mer.errors import DataError, ImageError, MerError, VideoError, WeightsError
from mer.inference.predictor import Prediction, Predictor, get_predictor
from mer.io import files, images, sources
from mer.io.sources import Item
from mer.models.registry import DEFAULT_MODEL
from mer.results import tables as face_tables
from mer.results import video_tables
from mer.version import __version__
from mer.video.analysis import analyse
from mer.video.types import Analysis
from mer.weights import provenance, store
from mer.weights.onnx_session import one_thread

PART: Final = 256  # pictures stored in one step, and scored again if the run is cut off before
DEATHS: Final = 2  # number of workers that may end at an item before it is left out
MARK: Final = "mer-batch-"  # so begin names of temporary files, before the run's process number
STORE: Final = 512_000_000  # bytes of results that Ray may hold in memory, without a cluster
ITEMS: Final = "items"  # its part makes the others count
TABLES: Final = ("faces", "frames", "events", "errors", ITEMS)
FIGURES: Final = {"worker": pa.int64(), "memory_mb": pa.float64(), "processor_s": pa.float64()}
SCHEMA: Final = pa.schema(dict.fromkeys(TABLES, pa.large_binary()) | FIGURES)

_PARTS: Final = "part-*.parquet"
_LONGEST: Final = 44  # characters of a folder in which Ray can make its sockets

Found = list[Prediction] | Analysis | str  # of a picture, of a video; or why it cannot be read


class Step(NamedTuple):
    """Progress of a run, with process, memory and time of the worker that did the last part."""

    done: int
    items: int
    worker: int = 0
    memory_mb: float = 0.0  # its peak memory so far
    processor_s: float = 0.0  # its processor time so far


class Task(NamedTuple):
    """The settings that all workers of a run share."""

    run: str  # a unique name
    model: str
    detector: str
    checksum: str  # SHA-256 of the weights


def score(
    source: str,
    out: Path,
    *,
    model: str = DEFAULT_MODEL,
    detector: str = "yunet",
    workers: int | None = None,
    address: str | None = None,
    part: int = PART,
    progress: Callable[[Step], None] = lambda _: None,
) -> dict[str, int]:
    """Score all pictures and videos of `source`, and store the results in tables below `out`.

    A run that was stopped or killed goes on when it is called again, and a finished one scores the
    items that were added since. Each item is in the tables exactly once.

    `source` is as for `mer.io.sources.find`; each of `workers`, one a core by default, holds the
    network; `address` is that of a Ray cluster whose machines all see `source`; `part` is how many
    pictures are stored in one step, a video being one by itself. Gives the rows of each of the
    `tables`. Raises a MerError where there is nothing to score, `out` holds something else, weights
    are missing, or there is no cluster.
    """
    checksum = store.arrays(model)[1]["file"]["sha256"]
    _remove_leftovers()
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
    parts = [[item] for item in left if item.video]  # first: they take longest
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
            text = f"There is no Ray cluster at '{address}', or it asks for a token ({error})."
            raise MerError(text) from error
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


class Worker:
    """Scores parts of the items, for as long as a run lasts."""

    def __init__(self, task: Task) -> None:
        """Load the network; a WeightsError where this machine has no such weights, or others."""
        cv2.setNumThreads(1)  # the cores are shared out by whole workers
        self._predictor = get_predictor(task.model, task.detector)
        if self._predictor.record["file"]["sha256"] != task.checksum:
            raise WeightsError(f"The weights of {task.model} are others on one of the machines.")
        self._run = task.run

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Score the part in the only row's column `items`; gives a row: its tables, and FIGURES."""
        items = itertools.starmap(Item, json.loads(batch["items"][0].as_py()))
        with one_thread():
            looked = [(item, self.look(item)) for item in items]
        figures = os.getpid(), provenance.peak_memory(), time.process_time()
        row = tables(looked, self._predictor) | dict(zip(FIGURES, figures, strict=True))
        return pa.Table.from_pylist([row], SCHEMA)

    def look(self, item: Item) -> Found:
        """What is in an item, or the reason why it cannot be read.

        A file notes that it is being read, and how often that ended a worker: Ray starts one that
        died again where it was, and a file that breaks a decoder would keep it there for ever.
        """
        digest = hashlib.sha256(item.name.encode()).hexdigest()
        path = Path(tempfile.gettempdir()) / f"{MARK}{self._run}-{digest}"
        with path.open("ab") as file:
            deaths = file.tell()  # a byte each
            file.write(b".")
        ended = f"{deaths} workers ended while they read it: damaged, or far too large."
        found = self._read(item) if deaths < DEATHS else ended
        path.unlink(missing_ok=True)
        return found

    def _read(self, item: Item) -> Found:
        try:
            with _unpacked(item) as source:
                if not item.video:
                    return self._predictor.predict(images.read(source))
                model, detector = self._predictor.model, self._predictor.detector
                return analyse(source, model=model, detector=detector)
        except (DataError, ImageError, VideoError) as error:
            return str(error)
        except WeightsError:  # of the detector or of a model for videos, so not of this item
            raise
        except Exception as error:  # one bad file must not end the whole run
            return f"An unforeseen {type(error).__name__}: {error}"


def tables(looked: Sequence[tuple[Item, Found]], predictor: Predictor) -> dict[str, Any]:
    """The tables of some items as Parquet, except those without a row.

    `faces` has a row a face (`mer.results.tables`), `frames` a frame and person, `events` an event
    (`mer.results.video_tables`), `errors` an item that could not be read, `items` each item.
    """
    pictures = [(item.name, found) for item, found in looked if found and isinstance(found, list)]
    videos = [(item.name, found) for item, found in looked if isinstance(found, Analysis)]
    reasons = [(item.name, found) for item, found in looked if isinstance(found, str)]

    def joined(table: Callable[[Analysis], pd.DataFrame]) -> pd.DataFrame:
        parts = [table(found).assign(file=name, fps=found.timing.fps) for name, found in videos]
        return pd.concat(parts) if parts else pd.DataFrame()

    items = []
    for item, found in looked:
        people = found.people if isinstance(found, Analysis) else found
        read, kind = not isinstance(found, str), "video" if item.video else "picture"
        items.append((item.name, kind, read, len(people) if read else 0))
    made = {
        "faces": face_tables.table(pictures, predictor),
        "frames": joined(video_tables.frames_table),
        "events": joined(video_tables.events_table),
        "errors": pd.DataFrame(reasons, columns=["file", "reason"]),
        "items": pd.DataFrame(items, columns=["file", "kind", "read", "found"]),
    }
    return {name: parquet(table) for name, table in made.items() if len(table)}


def parquet(table: pd.DataFrame) -> bytes:
    """A table as the content of a Parquet file."""
    buffer = io.BytesIO()
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow.replace_schema_metadata(), buffer)
    return buffer.getvalue()


def _remove_leftovers() -> None:
    """Remove what runs that were killed on this machine left of their attempts."""
    for path in Path(tempfile.gettempdir()).glob(f"{MARK}*-*"):
        number = path.name.removeprefix(MARK).partition("-")[0]
        if number.isdecimal() and not files.runs(int(number)):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


# Kept open, since reading a zip's directory for each picture would be slow.
_archive = functools.lru_cache(maxsize=2)(zipfile.ZipFile)


@contextmanager
def _unpacked(item: Item) -> Iterator[Any]:
    """A path to read for the length of the block; of a picture in a zip its content."""
    if not item.entry:
        yield Path(item.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        found: Any = Path(folder) / Path(item.entry).name
        try:
            if item.video:
                sources.unpack(_archive(item.path), item.entry, found)
            else:
                found = sources.unpacked(_archive(item.path), item.entry)
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, OSError) as error:
            raise DataError(f"It cannot be taken out of the zip file ({error}).") from error
        yield found


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
                with files.atomic(self.folder / table / f"part-{self._number:06d}.parquet") as path:
                    path.write_bytes(tables[table])
        self._number += 1
        self.done.update(names)

    def finish(self) -> dict[str, int]:
        """Mark that nothing is left to do, and return the number of rows in each table."""
        rows = {
            table: sum(pq.read_metadata(x).num_rows for x in (self.folder / table).glob(_PARTS))
            for table in TABLES
        }
        files.write_json(self.folder / "done", {"rows": rows, "finished": provenance.now()})
        return rows


@contextmanager
def opened(folder: Path, identity: Mapping[str, Any]) -> Iterator[ResultStore]:
    """The results in `folder`, kept from other runs; `identity` has to be the same to go on.

    Raises a MerError where it holds other things or settings, or another run writes to it now.
    """
    run = folder / "run.json"
    if not run.exists() and folder.is_dir() and any(folder.iterdir()):
        raise MerError(f"'{folder}' holds other files. Choose an empty folder for --out.")
    folder.mkdir(parents=True, exist_ok=True)
    run.touch()
    with run.open() as lock:
        if not files.locked(lock):
            raise MerError(f"Another run writes to '{folder}' now. Wait for it.")
        try:
            former = json.loads(run.read_text(encoding="utf-8") or json.dumps(identity))
        except ValueError:
            former = None
        if not isinstance(former, dict):
            raise MerError(f"{run} is damaged. Choose another --out, or delete this folder.")
        other = [name for name in {**identity, **former} if identity.get(name) != former.get(name)]
        if other:
            was = ", ".join(f"{name} {former.get(name)!r}" for name in other)
            text = f"'{folder}' holds results of another run, with {was}. Choose another --out"
            raise MerError(f"{text}, or the same settings to go on with it.")
        if not run.stat().st_size:  # a new one: written in place, since the lock is on this file
            run.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
        (folder / "done").unlink(missing_ok=True)
        whole = {path.name for path in (folder / ITEMS).glob(_PARTS)}
        for table in TABLES:  # what a run that was cut off left half done
            for path in (folder / table).glob(f"*{_PARTS}*"):
                if path.name not in whole:
                    path.unlink()
        yield ResultStore(folder)
