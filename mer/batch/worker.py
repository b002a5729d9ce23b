"""One worker of a batch: holds the network once, and makes tables of parts of the items."""

import functools
import hashlib
import json
import os
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mer.errors import DataError, ImageError, VideoError, WeightsError
from mer.inference.predictor import Prediction, Predictor, get_predictor
from mer.io import files, images
from mer.io.sources import Item, unpack, unpacked
from mer.results import tables as face_tables
from mer.results import video_tables
from mer.video.analysis import analyse
from mer.video.types import Analysis
from mer.weights import provenance
from mer.weights.onnx_session import one_thread

DEATHS: Final = 2  # number of workers that may end at an item before it is left out
MARK: Final = "mer-batch-"  # so begin names of temporary files, before the run's process number
FIGURES: Final = ("worker", "memory_mb", "processor_s")
SCHEMA: Final = pa.schema(
    [(name, pa.large_binary()) for name in ("faces", "frames", "events", "errors", "items")]
    + list(zip(FIGURES, (pa.int64(), pa.float64(), pa.float64()), strict=True))
)
# What reading an entry of a damaged, encrypted or replaced zip file raises.
_ZIP_ERRORS: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, KeyError),
    *(RuntimeError, NotImplementedError, OSError),
)

Found = list[Prediction] | Analysis | str  # of a picture, of a video; or why it cannot be read


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
        """Load the network; a WeightsError where this machine has no such weights, or others."""
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
        rows = []
        for items in map(json.loads, batch["items"].to_pylist()):
            with one_thread():
                looked = [(item, self.look(item)) for item in (Item(*one) for one in items)]
            figures = os.getpid(), provenance.peak_memory(), time.process_time()
            rows.append(tables(looked, self._predictor) | dict(zip(FIGURES, figures, strict=True)))
        return pa.Table.from_pylist(rows, SCHEMA)

    def look(self, item: Item) -> Found:
        """What is in an item, or the reason why it cannot be read."""
        with _attempt(self._run, item) as deaths:
            if deaths >= DEATHS:
                return f"{deaths} workers ended while they read it: damaged, or far too large."
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

    `faces` has a row a face of the pictures (`mer.results.tables`), `frames` a row a frame and
    person and `events` a row an event of the videos (`mer.results.video_tables`), `errors` one an
    item that could not be read, with the reason, and `items` one an item, with the number of faces
    or persons.
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
    buffer = pa.BufferOutputStream()
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow.replace_schema_metadata(), buffer)
    content: bytes = buffer.getvalue().to_pybytes()
    return content


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
                unpack(_archive(item.path), item.entry, found)
            else:
                found = unpacked(_archive(item.path), item.entry)
        except _ZIP_ERRORS as error:
            raise DataError(f"It cannot be taken out of the zip file ({error}).") from error
        yield found
