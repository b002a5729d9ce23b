"""How a face crop has to be framed: accuracy against margin and levelling, on held-out faces.

The paper's pictures are crops already. To choose the crop of a photograph, each held-out picture
is set into a wider frame by repeating its edges, the face is found in it as in a photograph, cut
out with one margin after the other, and classified.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mer.errors import DataError
from mer.faces import Face

if TYPE_CHECKING:
    import pandas as pd

MARGINS: Final = (-0.35, -0.3, -0.25, -0.2, -0.15, -0.05, 0.05)
SIDE: Final = 240  # pixels that a picture is brought to, so that the detector sees a large face


def framing(model: str, source: Path, margins: Sequence[float] = MARGINS) -> "pd.DataFrame":
    """Accuracy of network `model` for each margin, upright and levelled by the eyes.

    The pictures are those that its last training stage held out, found again by its seed; the
    last row (margin None) is the picture itself, without a detector.

    Returns:
        Columns margin, levelled, n, accuracy (0..1). Pictures without a found face are left out.

    Raises:
        WeightsError: the network's files are missing or damaged.
        DataError: the data set cannot be read, or no face is found.
        MerError: it is not the one that the network was trained on last.
    """
    import pandas as pd

    from mer import datasets, faces
    from mer.predictor import Predictor

    predictor = Predictor(model)
    pictures, labels = datasets.held_out(predictor.record, source, SIDE)
    framed = [_framed(picture) for picture in pictures]
    found = [max(faces.detect(f), key=lambda face: face.score, default=None) for f in framed]
    kept = [row for row, face in enumerate(found) if face]
    if not kept:
        raise DataError(f"No face was found in the held-out pictures of {source}.")
    truth = labels[kept]
    shown = [(framed[row], face) for row, face in enumerate(found) if face]

    def accuracy(crops: Iterator[np.ndarray]) -> float:
        return float((predictor.classify(list(crops)).argmax(1) == truth).mean())

    rows = []
    for margin in margins:
        upright = accuracy(faces.crop(image, face, margin) for image, face in shown)
        level = accuracy(faces.crop(_level(image, face), face, margin) for image, face in shown)
        rows += [(margin, False, upright), (margin, True, level)]
    rows.append((math.nan, False, accuracy(pictures[row] for row in kept)))
    table = pd.DataFrame(rows, columns=["margin", "levelled", "accuracy"])
    table.insert(2, "n", len(kept))
    return table


def _framed(picture: np.ndarray) -> np.ndarray:
    border = SIDE // 2
    return np.pad(picture, [(border, border), (border, border), (0, 0)], mode="edge")


def _level(image: np.ndarray, face: Face) -> np.ndarray:
    """The picture turned about the face's centre until its eyes are level."""
    (x0, y0), (x1, y1) = face.points[:2]
    x, y, width, height = face.box
    roll = math.degrees(math.atan2(y1 - y0, x1 - x0))
    matrix = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), roll, 1)
    size = image.shape[1], image.shape[0]
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
