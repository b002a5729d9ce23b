"""How far off head pose is: still, frontal faces turned to the side by known angles.

Two ways of telling are compared with the angle: from the detector's five points, by which a face
counts as turned too far, and from the 478 points that the measures of a face rest on.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.faces import spread
from benchmarks.synthetic.head_turn import turn
from mer.errors import DataError
from mer.faces import detection, measures, quality
from mer.faces.detection import Face
from mer.io import images
from mer.results import documents

ANGLES: Final = (0.0, 15.0, 30.0, 45.0, 60.0)  # degrees, to either side
FACES: Final = 40  # of all folders, evenly spread
AROUND: Final = 0.5  # of a picture's side by which its edges are repeated around it
SIDE: Final = 768  # pixels of the picture that is turned


def report(data: Sequence[Path], faces: int = FACES) -> str:
    """The table in Markdown: by angle, the share found, medians and spread of both ways.

    Args:
        data: folders of pictures with one frontal face each.
        faces: how many pictures are turned.

    Raises:
        DataError: no face is found in them.
    """
    paths = tqdm(spread(data, faces), disable=None)
    rows = [row for path in paths for row in _turned(images.read(path))]
    if not rows:
        raise DataError("No face is found in these pictures.")
    frame = pd.DataFrame(rows, columns=["turned by", "found", "five points", "478 points"])
    return documents.markdown_frame(_summary(frame))


def _turned(picture: np.ndarray) -> Iterator[tuple[float, bool, float, float]]:
    """Angle, whether the face is found, and both answers in degrees; nothing without a face."""
    pad = round(AROUND * max(picture.shape[:2]))
    wide = np.pad(picture, [(pad, pad), (pad, pad), (0, 0)], mode="edge")
    wide = cv2.resize(wide, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    _, mesh = _seen(wide)
    if mesh is None:
        return
    rest = measures.of(mesh).yaw
    for angle in [side * one for one in ANGLES for side in ((1, -1) if one else (1,))]:
        shown = turn(wide, mesh, angle - rest)
        face, points = _seen(shown)
        yield (
            abs(angle),
            face is not None,
            quality.pose(face)[0] if face else np.nan,
            np.sign(angle or 1) * np.nan if points is None else measures.of(points).yaw,
        )


def _seen(picture: np.ndarray) -> tuple[Face | None, np.ndarray | None]:
    """The face of a picture and its points, each None where it is not found."""
    found = detection.detect(picture)
    return (found[0], measures.landmarks(picture, found[0])) if found else (None, None)


def _summary(frame: pd.DataFrame) -> pd.DataFrame:
    grouped = frame.groupby("turned by")
    columns = {"turned by": [f"{angle:g}" for angle in grouped.groups]}
    columns["faces found"] = [f"{share:.0%}" for share in grouped["found"].mean()]
    for name in ("five points", "478 points"):
        quarters = grouped[name].quantile(np.array([0.25, 0.5, 0.75])).unstack()
        shown = [f"{m:.0f} ({low:.0f} to {high:.0f})" for low, m, high in quarters.to_numpy()]
        columns[name] = shown
    seen = grouped["478 points"].count() / grouped.size()
    columns["478 points found"] = [f"{share:.0%}" for share in seen]
    return pd.DataFrame(columns)
