"""One worker of a batch: holds the network once, and scores parts of the items."""

import functools
import hashlib
import json
import os
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import pyarrow as pa

from mer.batch import tables
from mer.batch.tables import Found
from mer.errors import DataError, ImageError, VideoError, WeightsError
from mer.inference.predictor import get_predictor
from mer.io import files, images
from mer.io.sources import Item, unpack, unpacked
from mer.video.analysis import analyse
from mer.weights import provenance
from mer.weights.onnx_session import one_thread

DEATHS: Final = 2  # number of workers that may end at an item before it is left out


@dataclass(frozen=True)
class Task:
    """The settings that all workers of a run share."""

    run: str  # a unique name
    model: str
    detector: str
    checksum: str  # SHA-256 of the weights


class Worker:
    """Scores parts of the items, for as long as a run lasts."""

    def __init__(self, task: Task) -> None:
        """Load the network.

        Raises:
            WeightsError: this machine has no such weights, or others.
        """
        cv2.setNumThreads(1)  # the cores are shared out by whole workers
        self._predictor = get_predictor(task.model, task.detector)
        if self._predictor.record["file"]["sha256"] != task.checksum:
            raise WeightsError(f"The weights of {task.model} are others on one of the machines.")
        self._run = task.run

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Score the parts in the column `items`; return a row a part, with a Parquet file a table.

        Further columns are the process number of this worker, its peak memory and its processor
        time so far.
        """
        rows = [self._row(json.loads(text)) for text in batch["items"].to_pylist()]
        return pa.table({name: [row.get(name) for row in rows] for name in SCHEMA.names}, SCHEMA)

    def _row(self, items: list[list[str]]) -> dict[str, Any]:
        with one_thread():
            looked = [(item, self.look(item)) for item in (Item(*one) for one in items)]
        made = tables.tables(looked, self._predictor)
        figures = os.getpid(), provenance.peak_memory(), time.process_time()
        return {**made, **dict(zip(FIGURES, figures, strict=True))}

    def look(self, item: Item) -> Found:
        """Return what is in an item, or the reason why it cannot be read."""
        with _attempt(self._run, item) as deaths:
            if deaths >= DEATHS:
                return f"{deaths} workers ended while they read it: damaged, or far too large."
            return self._looked(item)

    def _looked(self, item: Item) -> Found:
        try:
            return self._found(item)
        except (DataError, ImageError, VideoError) as error:
            return str(error)
        except WeightsError:  # of the detector or of a model for videos, so not of this item
            raise
        except Exception as error:  # one bad file must not end the whole run
            return f"An unforeseen {type(error).__name__}: {error}"

    def _found(self, item: Item) -> Found:
        with _unpacked(item) as source:
            if not item.video:
                return self._predictor.predict(images.read(source))
            return analyse(source, model=self._predictor.model, detector=self._predictor.detector)


FIGURES: Final = ("worker", "memory_mb", "processor_s")
SCHEMA: Final = pa.schema(
    [(name, pa.large_binary()) for name in ("faces", "frames", "events", "errors", "items")]
    + list(zip(FIGURES, (pa.int64(), pa.float64(), pa.float64()), strict=True))
)


# The names of such files begin so; the number of the run's process follows.
MARK: Final = "mer-batch-"


def remove_leftovers() -> None:
    """Remove what runs that were killed on this machine left of their attempts."""
    for path in Path(tempfile.gettempdir()).glob(f"{MARK}*-*"):
        number = path.name.removeprefix(MARK).partition("-")[0]
        if number.isdecimal() and not files.runs(int(number)):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def _attempt(run: str, item: Item) -> Iterator[int]:
    """Note in a file that an item is being read; gives how often that ended a worker before.

    Ray starts a worker that died again, at the part where it was. An item that ends its workers,
    as a file may that breaks a decoder, would keep the run there for ever.
    """
    digest = hashlib.sha256(item.name.encode()).hexdigest()
    path = Path(tempfile.gettempdir()) / f"{MARK}{run}-{digest}"
    with path.open("ab") as file:
        deaths = file.tell()  # a byte each
        file.write(b".")
    yield deaths
    path.unlink(missing_ok=True)


@functools.lru_cache(maxsize=2)
def _archive(path: str) -> zipfile.ZipFile:
    """Return a zip file, kept open, since reading its directory for each picture would be slow."""
    return zipfile.ZipFile(path)


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
                unpack(_archive(item.path), item.entry, found)
            else:
                found = unpacked(_archive(item.path), item.entry)
        except _ZIP_ERRORS as error:
            raise DataError(f"It cannot be taken out of the zip file ({error}).") from error
        yield found


# Errors that reading an entry of a damaged, encrypted or replaced zip file raises.
_ZIP_ERRORS: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, KeyError),
    *(RuntimeError, NotImplementedError, OSError),
)
