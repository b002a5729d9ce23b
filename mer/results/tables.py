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


def table(
    pictures: Iterable[tuple[str, Found]],
    *,
    network: str,
    version: str,
    detector: str,
    time: str | None = None,
    classes: Sequence[str] = EMOTIONS,
) -> pd.DataFrame:
    """One row a face over all pictures, each given as its file name and what was found in it.

    Boxes are in the picture's own pixels, `face` counts from 1 in each picture, `version` is that
    of the weights, `time` is ISO 8601 in UTC and now unless given. Each of `classes`, which are the
    network's, is a column. A picture without a face has one row, in which `face` and all figures
    are empty and `reason` says why; of faces the reason is "". `attrs` of the table keeps network,
    version, detector, time and classes. Where faces were measured, each figure of
    `mer.faces.measures` is a column, and `attrs` names them under measures.
    """
    moment = time or datetime.now(UTC).isoformat(timespec="seconds")
    origin = {"network": network, "version": version, "detector": detector, "time": moment}
    kept = list(pictures)
    measured = MEASURES if any(_measured(found) for _, found in kept) else ()
    rows = [
        (file, *figures, *origin.values())
        for file, found in kept
        for figures in _rows(found, len(classes), measured)
    ]
    names = [*BEFORE, *classes, *measured, *AFTER]
    numbers = ("detector_score", "probability", *classes, *measured)
    shares = dict.fromkeys(numbers, np.float64)
    faces = pd.DataFrame(rows, columns=names).astype(_WHOLE | shares | {"sure": "boolean"})
    faces.attrs.update(origin | {"classes": list(classes)})
    return faces


def of(pictures: Iterable[tuple[str, Found]], predictor: Predictor) -> pd.DataFrame:
    """`table` of what a predictor says now."""
    return table(
        pictures,
        network=predictor.model,
        version=str(predictor.record.get("version", "")),
        detector=predictor.detector,
        classes=predictor.classes,
    )


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


def _measured(found: Found) -> bool:
    return not isinstance(found, str) and any(one.measures for one in found)


def _rows(found: Found, classes: int, measured: Sequence[str]) -> Iterator[tuple[object, ...]]:
    if isinstance(found, str) or not found:
        figures = np.nan, "", np.nan, pd.NA, ""  # from detector_score to concerns
        yield (
            *[pd.NA] * (1 + len(BOX)),
            *figures,
            found or NO_FACE,
            *[np.nan] * (classes + len(measured)),
        )
        return
    for number, prediction in enumerate(found, start=1):
        own = prediction.measures.figures if prediction.measures else {}
        more = (round(own.get(name, np.nan), DIGITS) for name in measured)
        yield number, *_figures(prediction), *more


def _figures(prediction: Prediction) -> tuple[object, ...]:
    chances = [round(value, DIGITS) for value in prediction.probabilities]
    score = round(prediction.face.score, DIGITS)
    concerns = "; ".join(prediction.concerns)
    named = prediction.emotion, max(chances), prediction.sure, concerns
    return (*prediction.face.box, score, *named, "", *chances)


def _entries(faces: pd.DataFrame) -> list[dict[str, Any]]:
    classes = faces.attrs["classes"]
    return [_nested(row, classes) for row in faces.to_dict(orient="records")]


def _nested(row: dict[Any, Any], classes: Sequence[str]) -> dict[str, Any]:
    kept = ("file", "face", "detector_score", "emotion", "probability", "sure", "concerns")
    if row["reason"]:
        return dict.fromkeys((*kept, "box", "probabilities")) | {
            name: row[name] for name in ("file", "reason")
        }
    return {
        **{name: row[name] for name in kept},
        "concerns": row["concerns"].split("; ") if row["concerns"] else [],
        "box": {name: row[name] for name in BOX},
        "probabilities": {name: row[name] for name in classes},
        **_own_measures(row),
    }


def _own_measures(row: dict[Any, Any]) -> dict[str, Any]:
    """The figures of a measured face, null for what is no number; nothing where none was asked."""
    if MEASURES[0] not in row:
        return {}
    figures = {name: None if np.isnan(row[name]) else row[name] for name in MEASURES}
    return {"measures": figures}
