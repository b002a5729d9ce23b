"""Several data sets as one: training and validation rows, with twins on one side everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    description: list[dict[str, Any]]  # of each data set: name, fingerprint, counts of each side
    sets: NDArray[np.int64]  # (n,), the number of the data set that each picture is from


def gather(
    sources: Sequence[Path], size: int, *, fraction: float, seed: int,
    classes: Sequence[str] = EMOTIONS, cut: Sequence[Path] = (),
) -> Corpus:  # fmt: skip
    """Read data sets at `size` pixels and hold out about `fraction` of each class of each.

    A data set is split by itself, so that its validation pictures are the same with or without
    others; a training picture with a twin among any validation pictures is then left out, and so is
    one of a person who is seen in those. Of a set that holds only blends (`dataset.BLENDS`) nothing
    is held out. The pictures of `cut` show more than a face, see `dataset.load`. Raises DataError:
    a data set cannot be read.
    """
    parts = [_load(source, size, classes) for source in sources]
    parts += [_load(source, size, classes, cut=True) for source in cut]
    sources = [*sources, *cut]
    splits = [dataset.split(p, fraction * bool((p.targets == 1).any()), seed) for p in parts]
    held = np.concatenate([p.thumbnails[s[1]] for p, s in zip(parts, splits, strict=True)])
    seen = {p.people[row] for p, s in zip(parts, splits, strict=True) if p.people for row in s[1]}
    seen.discard("")
    description, trains, validations, start = [], [], [], 0
    for source, part, (rows, validation) in zip(sources, parts, splits, strict=True):
        who = part.people or [""] * len(part)
        shown = [r for r in rows.tolist() if r not in part.missed and who[r] not in seen]
        train = np.array(shown, np.int64)
        twins = near_duplicates.pairs(part.thumbnails[train], held)
        train = np.delete(train, np.unique(twins.first))
        trains.append(train + start)
        validations.append(validation + start)
        start += len(part)
        about = {"name": source.resolve().name, "cut": source in cut}
        counts = {"train": part.counts(train), "validation": part.counts(validation)}
        description.append({**about, "fingerprint": part.fingerprint, **counts})
    labels, targets, pixels, thumbnails = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("labels", "targets", "pixels", "thumbnails")
    )
    names = tuple(name for part in parts for name in part.names)
    fingerprint = "+".join(part.fingerprint for part in parts)
    pictures = Pictures(names, labels, targets, pixels, thumbnails, fingerprint, parts[0].classes)
    sets = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Corpus(pictures, np.concatenate(trains), np.concatenate(validations), description, sets)


def held_out(
    record: Mapping[str, Any], source: str | Path, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels (n, size, size, 3) and labels (n,) of a data set that the last training held out.

    The seed and the share in the record decide which ones these are. Raises DataError: the data set
    cannot be read; MerError: it is not one that the network was trained on last.
    """
    stage = record["training"]["stages"][-1]
    pictures = _load(Path(source), size, store.classes(record))
    if pictures.fingerprint not in {part["fingerprint"] for part in stage["data"]}:
        name = record["model"]
        raise MerError(f"{source} is not what {name} was trained on last: name that data set.")
    _, held = dataset.split(pictures, stage["settings"]["validation"], stage["settings"]["seed"])
    return pictures.pixels[held], pictures.labels[held]


def _load(source: Path, size: int, classes: Sequence[str], *, cut: bool = False) -> Pictures:
    split = "train" if dataset.has_split(source, "train") else ""
    return dataset.load(source, size, split, classes, cut=cut)
