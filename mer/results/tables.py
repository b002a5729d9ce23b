"""Predictions as a table, as CSV and as JSON: one row a face, with where the numbers come from.

A picture without a face, and one that cannot be read, has a row too: its reason, and no figures.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from mer.faces.measures import MEASURES
from mer.inference.predictor import Prediction, Predictor

DIGITS: Final = 4  # of a probability: an answer is not exact to more, and machines would differ
BOX: Final = ("x", "y", "width", "height")
BEFORE: Final = (
    *("file", "face", *BOX, "detector_score", "emotion", "probability", "sure", "concerns"),
    "reason",
)
AFTER: Final = ("network", "version", "detector", "time")
NO_FACE: Final = "no face found"

Found = Sequence[Prediction] | str  # what was found in a picture, or why it cannot be read


def table(pictures: Iterable[tuple[str, Found]], predictor: Predictor) -> pd.DataFrame:
    """One row a face over all pictures, each given as its file name and what was found in it.

    Boxes are in the picture's own pixels, `face` counts from 1 in each picture, `version` is that
    of the weights, `time` is now, ISO 8601 in UTC; these and classes are in `attrs`, too. Each
    class is a column, and so is each of MEASURES where faces were measured. A picture without a
    face has one row with nothing but a `reason`, which is "" of faces.
    """
    origin = {
        "network": predictor.model,
        "version": str(predictor.record.get("version", "")),
        "detector": predictor.detector,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    rows = [row for file, found in pictures for row in _rows(file, found)]
    shares = (*predictor.classes, *(MEASURES if any("yaw" in row for row in rows) else ()))
    numbers = dict.fromkeys(("detector_score", "probability", *shares), "float64")
    types = {"face": "Int64", **dict.fromkeys(BOX, "Int64"), **numbers, "sure": "boolean"}
    faces = pd.DataFrame(rows, columns=[*BEFORE, *shares, *AFTER]).assign(**origin).astype(types)
    faces.attrs.update(origin | {"classes": list(predictor.classes)})
    return faces


def to_json(faces: pd.DataFrame) -> str:
    """The table as JSON: network, version, detector, time and classes once, then the faces.

    `without_face` names the pictures of which there is none, and why.
    """
    empty = faces["face"].isna()
    without = faces.loc[empty, ["file", "reason"]].to_dict(orient="records")
    document = {**faces.attrs, "faces": [*_entries(faces[~empty])], "without_face": without}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def to_json_lines(faces: pd.DataFrame) -> str:
    """The table as JSON lines: one object a row, each with network, version, detector and time.

    Where a picture has no face, all but file and reason is null.
    """
    origin = {name: faces.attrs[name] for name in AFTER}
    lines = (json.dumps(entry | origin, ensure_ascii=False) for entry in _entries(faces))
    return "".join(f"{line}\n" for line in lines)


def _rows(file: str, found: Found) -> Iterator[dict[str, object]]:
    if isinstance(found, str) or not found:
        yield {"file": file, "emotion": "", "concerns": "", "reason": found or NO_FACE}
        return
    for number, one in enumerate(found, start=1):
        figures = {"detector_score": one.face.score, "probability": one.probability}
        figures |= zip(one.classes, one.probabilities, strict=True)
        figures |= one.measures.figures if one.measures else {}
        yield {
            "file": file,
            "face": number,
            **dict(zip(BOX, one.face.box, strict=True)),
            "emotion": one.emotion,
            "sure": one.sure,
            "concerns": "; ".join(one.concerns),
            **{name: round(value, DIGITS) for name, value in figures.items()},
            "reason": "",
        }


def _entries(faces: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows as JSON has them: box and probabilities nested, all null where there is no face."""
    flat = ("file", "face", "detector_score", "emotion", "probability", "sure", "concerns")
    for row in faces.to_dict(orient="records"):
        if row["reason"]:
            nothing = dict.fromkeys((*flat, "box", "probabilities"))
            yield {**nothing, "file": row["file"], "reason": row["reason"]}
            continue
        measures = {n: None if np.isnan(row[n]) else row[n] for n in MEASURES if n in row}
        yield {
            **{name: row[name] for name in flat},
            "concerns": row["concerns"].split("; ") if row["concerns"] else [],
            "box": {name: row[name] for name in BOX},
            "probabilities": {name: row[name] for name in faces.attrs["classes"]},
            **({"measures": measures} if measures else {}),
        }
