"""Maps of real micro-expressions, as MEGC 2019 put them together: CASME II, SMIC and SAMM."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mer.errors import DataError, ImageError
from mer.io import images
from mer.video import motion_classifier
from mer.video.types import MOTIONS

# SAMM's faces were cut out another way. These parts of a map's width and height, around its centre,
# bring its mean strain closest to that of the other two sets (correlation 0.88), whichever of its
# subjects is left out.
CROPS: Final = {"samm": (0.9, 1.2)}


@dataclass(frozen=True)
class Motions:
    """Motion maps in memory.

    Attributes:
        maps: float32 (n, 28, 28, 3), 0..255, all showing the part of a face that `maps.CROP` is.
        labels: (n,), index into MOTIONS.
        subjects: (n,), the data set's name and the subject's in it.
        datasets: (n,), the data set's name.
        fingerprint: SHA-256 over names, labels and contents.
    """

    maps: NDArray[np.float32]
    labels: NDArray[np.int64]
    subjects: NDArray[np.str_]
    datasets: NDArray[np.str_]
    fingerprint: str

    def counts(self) -> dict[str, int]:
        """Maps of each class."""
        numbers = np.bincount(self.labels, minlength=len(MOTIONS)).tolist()
        return dict(zip(MOTIONS, numbers, strict=True))


def read(folder: Path) -> Motions:
    """The maps that `index.csv` lists by dataset, subject, label (0 to 2) and map (a PNG).

    Raises:
        DataError: the list or a map is missing or damaged, or a class has no map.
    """
    try:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        pictures = [_map(folder / row["map"]) for row in rows]
        labels = np.array([int(row["label"]) for row in rows], np.int64)
        datasets = [row["dataset"] for row in rows]
        subjects = [f"{row['dataset']}/{row['subject']}" for row in rows]
    except (OSError, ImageError, KeyError, ValueError) as error:
        raise DataError(f"{folder} holds no motion maps ({error}). {_LAYOUT}") from error
    if set(labels.tolist()) != set(range(len(MOTIONS))):
        raise DataError(f"{folder} lacks maps of a class, or has one too many. {_LAYOUT}")
    digest = hashlib.sha256()
    for row, picture in zip(rows, pictures, strict=True):
        digest.update(f"{row['map']}\0{row['label']}\0".encode() + picture.tobytes())
    common = np.stack([_common(*pair) for pair in zip(pictures, datasets, strict=True)])
    return Motions(common, labels, np.array(subjects), np.array(datasets), digest.hexdigest())


_LAYOUT = (
    "Expected are index.csv with the columns dataset, subject, label (0 negative, 1 positive, "
    "2 surprise) and map, and the maps of 28x28 pixels that it lists."
)


def _map(path: Path) -> np.ndarray:
    picture = images.read(path)
    if picture.shape != (
        motion_classifier.SIDE,
        motion_classifier.SIDE,
        len(motion_classifier.CHANNELS),
    ):
        raise ValueError(f"{path.name} has {picture.shape[1]}x{picture.shape[0]} pixels")
    return picture


def _common(picture: np.ndarray, dataset: str) -> np.ndarray:
    """A map of a data set in the common crop, float32 (28, 28, 3); edges are repeated."""
    across, down = CROPS.get(dataset, (1.0, 1.0))
    middle = (motion_classifier.SIDE - 1) / 2
    matrix = np.array([[across, 0, middle - across * middle], [0, down, middle - down * middle]])
    return cv2.warpAffine(
        picture.astype(np.float32),
        matrix,
        (motion_classifier.SIDE, motion_classifier.SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
