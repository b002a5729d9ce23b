"""Results of pictures and videos as tables, and the tables as Parquet."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mer.inference.predictor import Prediction, Predictor
from mer.io.sources import Item
from mer.results import tables as face_tables
from mer.results import video_tables
from mer.video.types import Analysis

Found = list[Prediction] | Analysis | str  # of a picture, of a video; or why it cannot be read


def tables(looked: Sequence[tuple[Item, Found]], predictor: Predictor) -> dict[str, bytes]:
    """Return the tables of some items as Parquet, except those without a row.

    `faces` has a row a face of the pictures (`mer.results.tables`), `frames` a row a frame and
    person and `events` a row an event of the videos (`mer.results.video_tables`), `errors` one an
    item that could not be read, with the reason, and `items` one an item, with the number of faces
    or persons.
    """
    pictures = [(item.name, found) for item, found in looked if found and isinstance(found, list)]
    videos = [(item.name, found) for item, found in looked if isinstance(found, Analysis)]
    reasons = [(item.name, found) for item, found in looked if isinstance(found, str)]
    made = {
        "faces": face_tables.table(pictures, predictor),
        "frames": _joined(videos, video_tables.frames_table),
        "events": _joined(videos, video_tables.events_table),
        "errors": pd.DataFrame(reasons, columns=["file", "reason"]),
        "items": pd.DataFrame([_item(*one) for one in looked]),
    }
    return {name: parquet(table) for name, table in made.items() if len(table)}


def _joined(
    videos: Sequence[tuple[str, Analysis]], table: Callable[[Analysis], pd.DataFrame]
) -> pd.DataFrame:
    parts = [table(found).assign(file=name, fps=found.timing.fps) for name, found in videos]
    return pd.concat(parts) if parts else pd.DataFrame()


def _item(item: Item, found: Found) -> dict[str, Any]:
    people = found.people if isinstance(found, Analysis) else found
    read = not isinstance(found, str)
    kind = "video" if item.video else "picture"
    return {"file": item.name, "kind": kind, "read": read, "found": len(people) if read else 0}


def parquet(table: pd.DataFrame) -> bytes:
    """Return a table as the content of a Parquet file."""
    buffer = pa.BufferOutputStream()
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow.replace_schema_metadata(), buffer)
    content: bytes = buffer.getvalue().to_pybytes()
    return content
