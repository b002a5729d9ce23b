"""Several data sets as one: training and validation rows, with twins on one side everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer.data import dataset, near_duplicates
from mer.data.dataset import Pictures
from mer.emotions import EMOTIONS
from mer.errors import MerError
from mer.weights import store


@dataclass(frozen=True)
class Corpus:
    """Pictures of all data sets, the rows of each side, and what the record says of them."""

    pictures: Pictures
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    description: list[dict[str, Any]]


def gather(
    sources: Sequence[Path],
    size: int,
    *,
    fraction: float,
    seed: int,
    classes: Sequence[str] = EMOTIONS,
) -> Corpus:
    """Read `sources` at `size` pixels and hold out about `fraction` of each class of each.

    A data set is split by itself, so that its validation pictures are the same whether it is
    trained alone or with others; a training picture with a twin among any data set's validation
    pictures is then left out.

    Raises:
        DataError: a data set cannot be read.
    """
    parts = [_load(source, size, classes) for source in sources]
    splits = [dataset.split(part, fraction, seed) for part in parts]
    held = np.concatenate([p.thumbnails[s[1]] for p, s in zip(parts, splits, strict=True)])
    trains = [_without_twins(p, s[0], held) for p, s in zip(parts, splits, strict=True)]
    starts = np.cumsum([0] + [len(part) for part in parts])[:-1]
    return Corpus(
        _joined(parts),
        np.concatenate([rows + start for rows, start in zip(trains, starts, strict=True)]),
        np.concatenate([s[1] + start for s, start in zip(splits, starts, strict=True)]),
        [
            {
                "name": source.resolve().name,
                "fingerprint": part.fingerprint,
                "train": part.counts(rows),
                "validation": part.counts(s[1]),
            }
            for source, part, rows, s in zip(sources, parts, trains, splits, strict=True)
        ],
    )


def balanced(corpus: Corpus, power: float) -> Corpus:
    """Training targets weighed by class: the share of each to the power of -`power`, mean 1.

    So a row that sums to more than 1 moves a cross-entropy more; 0 leaves all as it is.
    """
    targets = corpus.pictures.targets.copy()
    mass = targets[corpus.train].sum(0, dtype=np.float64)
    weight = mass.clip(1) ** -power
    targets[corpus.train] *= (weight * mass.sum() / (weight * mass).sum()).astype(np.float32)
    return replace(corpus, pictures=replace(corpus.pictures, targets=targets))


def held_out(
    record: Mapping[str, Any], source: str | Path, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The pictures of a data set that a network's last training held out, found by its seed.

    Args:
        record: the network's.
        source: the data set.
        size: height and width, in pixels, to read them at.

    Returns:
        Pixels (n, size, size, 3) and labels (n,).

    Raises:
        DataError: the data set cannot be read.
        MerError: it is not one that the network was trained on last.
    """
    stage = record["training"]["stages"][-1]
    pictures = _load(Path(source), size, store.classes(record))
    if pictures.fingerprint not in {part["fingerprint"] for part in stage["data"]}:
        name = record["model"]
        raise MerError(f"{source} is not what {name} was trained on last: name that data set.")
    _, held = dataset.split(pictures, stage["settings"]["validation"], stage["settings"]["seed"])
    return pictures.pixels[held], pictures.labels[held]


def _load(source: Path, size: int, classes: Sequence[str]) -> Pictures:
    split = "train" if dataset.has_split(source, "train") else ""
    return dataset.load(source, size, split, classes)


def _without_twins(
    part: Pictures, rows: NDArray[np.int64], held: NDArray[np.float32]
) -> NDArray[np.int64]:
    found = near_duplicates.pairs(part.thumbnails[rows], held)
    return np.delete(rows, np.unique(found.first))


def _joined(parts: Sequence[Pictures]) -> Pictures:
    return Pictures(
        tuple(name for part in parts for name in part.names),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.targets for part in parts]),
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.thumbnails for part in parts]),
        "+".join(part.fingerprint for part in parts),
        parts[0].classes,
    )
