"""Predictions as a table, as CSV and as JSON: one row a face, with where the numbers come from.

A picture without a face, and one that cannot be read, has a row too: its reason, and no figures.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from mer.emotions import EMOTIONS
from mer.faces.measures import MEASURES
from mer.inference.predictor import Prediction, Predictor

DIGITS: Final = 4  # of a probability: an answer is not exact to more, and machines would differ
BOX: Final = ("x", "y", "width", "height")
BEFORE: Final = (
    *("file", "face", *BOX, "detector_score", "emotion", "probability", "sure", "concerns"),
    "reason",
)
AFTER: Final = ("network", "version", "detector", "time")
COLUMNS: Final = (*BEFORE, *EMOTIONS, *AFTER)  # of a network that knows the seven
NO_FACE: Final = "no face found"
_WHOLE: Final = dict.fromkeys(("face", *BOX), "Int64")  # types that may be empty

Found = Sequence[Prediction] | str  # what was found in a picture, or why it cannot be read


def table(pictures: Iterable[tuple[str, Found]], predictor: Predictor) -> pd.DataFrame:
    """One row a face over all pictures, each given as its file name and what was found in it.

    Boxes are in the picture's own pixels, `face` counts from 1 in each picture, `version` is that
    of the weights, `time` is now, ISO 8601 in UTC. Each class of the predictor is a column. A
    picture without a face has one row, in which `face` and all figures are empty and `reason` says
    why; of faces the reason is "". `attrs` of the table keeps network, version, detector, time and
    classes. Where faces were measured, each figure of `mer.faces.measures` is a column, too.
    """
    origin = {
        "network": predictor.model,
        "version": str(predictor.record.get("version", "")),
        "detector": predictor.detector,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    rows = [row for file, found in pictures for row in _rows(file, found)]
    measured = MEASURES if any("yaw" in row for row in rows) else ()
    names = [*BEFORE, *predictor.classes, *measured, *AFTER]
    numbers = ("detector_score", "probability", *predictor.classes, *measured)
    types = _WHOLE | dict.fromkeys(numbers, "float64") | {"sure": "boolean"}
    faces = pd.DataFrame(rows, columns=names).assign(**origin).astype(types)
    faces.attrs.update(origin | {"classes": list(predictor.classes)})
    return faces


def to_json(faces: pd.DataFrame) -> str:
    """The table as JSON: network, version, detector, time and classes once, then the faces.

    `without_face` names the pictures of which there is none, and why.
    """
    empty = faces["face"].isna()
    without = faces.loc[empty, ["file", "reason"]].to_dict(orient="records")
    document = {**faces.attrs, "faces": _entries(faces[~empty]), "without_face": without}
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
        why = found or NO_FACE
        yield {"file": file, "emotion": "", "concerns": "", "reason": why}
        return
    for number, one in enumerate(found, start=1):
        measured = one.measures.figures if one.measures else {}
        shares = dict(zip(one.classes, one.probabilities, strict=True))
        figures = {"detector_score": one.face.score, "probability": one.probability}
        yield {
            "file": file,
            "face": number,
            **dict(zip(BOX, one.face.box, strict=True)),
            "emotion": one.emotion,
            "sure": one.sure,
            "concerns": "; ".join(one.concerns),
            "reason": "",
            **{name: round(value, DIGITS) for name, value in (figures | shares | measured).items()},
        }


def _entries(faces: pd.DataFrame) -> list[dict[str, Any]]:
    classes = faces.attrs["classes"]
    return [_nested(row, classes) for row in faces.to_dict(orient="records")]


def _nested(row: dict[Any, Any], classes: Sequence[str]) -> dict[str, Any]:
    kept = ("file", "face", "detector_score", "emotion", "probability", "sure", "concerns")
    if row["reason"]:
        return dict.fromkeys((*kept, "box", "probabilities")) | {
            name: row[name] for name in ("file", "reason")
        }
    measures = {n: None if np.isnan(row[n]) else row[n] for n in MEASURES if n in row}
    return {
        **{name: row[name] for name in kept},
        "concerns": row["concerns"].split("; ") if row["concerns"] else [],
        "box": {name: row[name] for name in BOX},
        "probabilities": {name: row[name] for name in classes},
        **({"measures": measures} if measures else {}),
    }
