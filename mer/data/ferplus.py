"""FER+ (Barsoum et al. 2016): FER2013's everyday faces, 48 pixels and gray, ten votes each."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mer.emotions import EMOTIONS
from mer.errors import DataError

FOLDERS: Final = {"train": "FER2013Train", "test": "FER2013Valid"}
# FER2013's names of our classes.
WORDS: Final = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
OTHERS: Final = ("contempt", "unknown", "NF")  # what annotators could say beside the seven
VOTES: Final = "fer2013new.csv"
LABELS: Final = "fer2013_labels.csv"
OWN: Final = 0.3  # share of FER2013's own label in a target; the votes make the rest

Targets = dict[str, NDArray[np.float32]]  # by picture name: (7,), summing to 1


def there(source: str | Path) -> bool:
    """Whether a folder holds FER+."""
    return (Path(source) / VOTES).is_file()


def labelled(source: Path, split: str) -> Iterator[tuple[str, bytes, NDArray[np.float32]]]:
    """Name, content and target of each picture of a part.

    To learn from ("train"), the target is a mean of the votes and of FER2013's own label (OWN):
    FER+'s majorities hardly know fear and disgust, FER2013's labels do. Pictures that more
    annotators gave to contempt, unknown or no face than to any of the seven are left out.

    To be judged by ("test", its validation part), it is the class that more than half of the
    annotators named; pictures without such a one of the seven are left out.

    Raises:
        DataError: there is no such part, or a list cannot be read.
    """
    folder = FOLDERS.get(split or "train")
    if folder is None:
        raise DataError(f"FER+ has the splits train and test, not {split!r}.")
    try:
        own = _labels(source / LABELS, folder)
        votes = _votes(source / VOTES, own.keys())
    except (KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{VOTES} or {LABELS} in {source} cannot be read ({error}). "
            "Both belong beside the picture folders."
        ) from error
    for name, vote in votes.items():
        path, seven = source / folder / name, vote[: len(EMOTIONS)]
        if split == "test":
            agreed = seven.max() == vote.max() and 2 * vote.max() > vote.sum()
            target = np.eye(len(EMOTIONS), dtype=np.float32)[seven.argmax()]
        else:
            agreed = seven.max() >= max(vote.max(), 1)
            target = (1 - OWN) * seven / max(seven.sum(), 1) + OWN * own[name]
        if agreed and path.is_file():
            yield f"{folder}/{name}", path.read_bytes(), target


def _votes(path: Path, names: Collection[str]) -> Targets:
    """Return the votes (10,) of each named picture, for the seven and for OTHERS."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["Image name"]: np.array([int(row[it]) for it in (*EMOTIONS, *OTHERS)], np.float32)
            for row in csv.DictReader(file)
            if row["Image name"] in names
        }


def _labels(path: Path, folder: str) -> Targets:
    """Return FER2013's label of each picture as targets; two labels get one half each."""
    labels: Targets = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == folder:
                target = np.zeros(len(EMOTIONS), np.float32)
                target[[WORDS.index(word) for word in row["fer2013_class"].split("|")]] = 1
                labels[row["image"]] = target / target.sum()
    return labels
