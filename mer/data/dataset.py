"""Reading data sets: folders or zips of faces, with labels and targets; several as one."""

import csv
import hashlib
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mer.data import near_duplicates
from mer.emotions import EMOTIONS
from mer.errors import DataError, ImageError, MerError
from mer.faces import detection, rotation
from mer.io import images
from mer.io.files import shown
from mer.io.sources import PICTURES, in_folder, in_zip, unpacked
from mer.weights import store

# FER+ (Barsoum et al. 2016): FER2013's everyday faces, 48 pixels and gray, ten votes each.
FERPLUS: Final = {"train": "FER2013Train", "test": "FER2013Valid"}
# FER2013's names of our classes.
WORDS: Final = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
OTHERS: Final = ("contempt", "unknown", "NF")  # what annotators could say beside the seven
VOTES: Final = "fer2013new.csv"
OWN_LABELS: Final = "fer2013_labels.csv"
OWN: Final = 0.3  # share of FER2013's own label in a target; the votes make the rest

# Folder names of other data sets that mean our classes.
SYNONYMS = dict(zip(WORDS, EMOTIONS, strict=True))
SYNONYMS |= {"disgusted": "disgust", "fearful": "fear", "surprised": "surprise"}
# Folders of compound expressions, as CFEE names them (Du et al. 2014): the first class of the two
# is the stronger one. Names such as "sadly_fearful" need no entry, see ADVERBS.
BLENDS = {
    "appalled": ("disgust", "anger"), "awed": ("surprise", "fear"), "hatred": ("anger", "disgust"),
}  # fmt: skip
ADVERBS = {
    "angrily": "anger", "disgustedly": "disgust", "fearfully": "fear", "happily": "happiness",
    "sadly": "sadness",
}  # fmt: skip
WHOLE = 160  # pixels a side: square pictures up to this size are face crops already (FER+'s have
# 48, AffectNet's 104)
GREATER = 0.6  # target of the stronger class of a compound expression; the other has the rest
LABELS = "labels.csv"  # beside the class folders; `subject` is the person seen in `file`
logger = logging.getLogger(__name__)

Labelled = tuple[str, bytes, NDArray[np.float32]]  # name, content, target


@dataclass(frozen=True)
class Pictures:
    """A data set in memory."""

    names: tuple[str, ...]  # relative to the source, such as "anger/anger1.jpg"
    labels: NDArray[np.int64]  # (n,), index into classes
    targets: NDArray[np.float32]  # (n, classes), rows sum to 1: one-hot, or annotators' votes
    pixels: NDArray[np.uint8]  # (n, size, size, 3), RGB
    thumbnails: NDArray[np.float32]  # (n, 1024), see near_duplicates.thumbnail
    fingerprint: str  # SHA-256 over names, contents and targets
    classes: tuple[str, ...] = EMOTIONS
    people: tuple[str, ...] = ()  # person of each picture, "" if unknown; () if no list says it
    missed: frozenset[int] = frozenset()  # rows in which no face was found

    def __len__(self) -> int:
        return len(self.names)

    def counts(self, chosen: NDArray[np.int64] | None = None) -> dict[str, int]:
        """Count the pictures of each class, of all or of the chosen rows."""
        labels = self.labels if chosen is None else self.labels[chosen]
        counts = np.bincount(labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, counts, strict=True))


def entries(source: str | Path) -> Iterator[tuple[str, bytes]]:
    """Yield every picture file below a folder or in a zip as (name, content), sorted by name.

    Raises DataError: there is no such folder or zip, or it is damaged.
    """
    path = Path(source)
    if path.is_dir():
        for item in sorted(in_folder(path, PICTURES), key=lambda item: PurePosixPath(item.name)):
            yield item.name, Path(item.path).read_bytes()
        return
    if not path.is_file():
        raise DataError(f"There is no folder or zip file {shown(path)}. Check the path.")
    items = sorted(in_zip(path, PICTURES), key=lambda item: item.entry)
    try:
        with zipfile.ZipFile(path) as archive:
            for item in items:
                yield item.name, unpacked(archive, item.entry)
    except DataError:
        raise
    except Exception as error:  # zipfile raises errors of many kinds for damaged files
        raise DataError(f"{path} is no readable zip file ({error}). Pack it again.") from error


def load(
    source: str | Path, size: int, split: str = "", classes: Sequence[str] = EMOTIONS, *,
    cut: bool = False,
) -> Pictures:  # fmt: skip
    """Read a data set at `size` pixels.

    Args:
        source: a folder or zip of class folders (anger, disgust, ...), or of `train` and `test`
            with class folders in them, or FER+ (FER2013Train, FER2013Valid, fer2013new.csv).
        size: height and width to bring each picture to.
        split: "train", "test" (in FER+ its validation part), or "" for class folders without one.
        classes: names of the class folders, in lower case, where they are not the seven.
        cut: whether the face is found and cut out first (`cut_out`); a picture without one stays
            whole and is in `missed`.

    Raises DataError: nothing readable is there, least of all a class folder.
    """
    names: list[str] = []
    rows: list[tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]] = []
    digest = hashlib.sha256()
    missed: set[int] = set()
    for name, content, target in _labelled(Path(source), split, tuple(classes)):
        try:
            picture = images.read(content)
        except ImageError as error:
            logger.warning("%s is left out: %s", name, error)
            continue
        names.append(name)
        face = cut_out(picture) if cut else picture
        if face is None:
            missed.add(len(rows))
            face = picture
        rows.append((target, images.resize(face, size), near_duplicates.thumbnail(picture)))
        digest.update(f"{name}\0{target.tolist()}\0".encode() + hashlib.sha256(content).digest())
    if not rows:
        below = f" below {split}" if split else ""
        raise DataError(f"{source} holds no readable pictures{below}. {_layout(classes)}")
    targets, pixels, thumbnails = (np.stack(column) for column in zip(*rows, strict=True))
    return Pictures(
        tuple(names), targets.argmax(1), targets, pixels, thumbnails, digest.hexdigest(),
        tuple(classes), _people(Path(source), names), frozenset(missed),
    )  # fmt: skip


def cut_out(picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the largest face of an RGB picture (h, w, 3), found and cut as the predictor does.

    Where none is found, a square picture of at most WHOLE pixels a side is taken for a face crop
    and returned whole; for any other picture None is returned.
    """
    found = rotation.detect(picture)
    if not found:
        height, width = picture.shape[:2]
        return picture if height == width <= WHOLE else None
    largest = max(found, key=lambda face: face.box[2] * face.box[3])
    return detection.crop(picture, largest)


def _people(source: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the person in each of the named pictures, as LABELS says; () without such a list.

    A set called "cfee_compound" shows the same people as "cfee" under the same names.
    """
    path = source / LABELS
    if not path.is_file():
        return ()
    known = {row.get("file", ""): row.get("subject", "") for row in _rows(path)}
    family = source.resolve().name.split("_")[0]
    return tuple(f"{family}/{who}" if (who := known.get(name)) else "" for name in names)


def _layout(classes: Sequence[str]) -> str:
    named = ", ".join(classes)
    return (
        f"Expected are folders named {named}, directly or inside train and test; "
        "a training can be told other classes with --classes."
    )


def _labelled(source: Path, split: str, classes: tuple[str, ...]) -> Iterator[Labelled]:
    """FER+, or pictures whose innermost folder names the class, of `split` where it is given."""
    if classes == EMOTIONS and is_ferplus(source):
        yield from _ferplus(source, split)
        return
    one_hot = dict(zip(classes, np.eye(len(classes), dtype=np.float32), strict=True))
    others: set[str] = set()
    for name, content in entries(source):
        folders = name.lower().split("/")[:-1]
        if split and split not in folders:
            continue
        folder = folders[-1] if folders else "."
        meant = folder if folder in classes else SYNONYMS.get(folder, folder)
        how, _, what = folder.partition("_")
        greater, less = BLENDS.get(folder) or (SYNONYMS.get(what, what), ADVERBS.get(how, ""))
        if meant in one_hot:
            yield name, content, one_hot[meant]
        elif greater in one_hot and less in one_hot:
            blend = GREATER * one_hot[greater] + np.float32(1 - GREATER) * one_hot[less]
            yield name, content, blend
        else:
            others.add(meant)
    if others:
        layout = _layout(classes)
        logger.warning("Left out of %s, being no class: %s. %s", source, sorted(others), layout)


def is_ferplus(source: str | Path) -> bool:
    """Whether a folder holds FER+."""
    return (Path(source) / VOTES).is_file()


def has_split(source: str | Path, split: str) -> bool:
    """Whether the data set at `source` has a part called `split`, such as "train"."""
    if is_ferplus(source):
        return split in FERPLUS
    if Path(source).is_dir():
        return (Path(source) / split).is_dir()
    return any(split in name.lower().split("/")[:-1] for name, _ in entries(source))


def split(pictures: Pictures, fraction: float, seed: int) -> tuple[NDArray[np.int64], ...]:
    """Return the rows for training and for validation; twins and people stay on one side.

    About `fraction` of each class is held out, whole groups of twins at a time.
    """
    group = near_duplicates.groups(pictures.thumbnails, pictures.people)
    classes = len(pictures.classes)
    wanted = np.ceil(np.bincount(pictures.labels, minlength=classes) * fraction)
    held = np.zeros(len(pictures), bool)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    for number in np.random.default_rng(seed).permutation(len(members)):
        rows = members[number]
        taken = np.bincount(pictures.labels[rows], minlength=classes)
        if (taken <= wanted).all():
            held[rows] = True
            wanted -= taken
    return np.flatnonzero(~held), np.flatnonzero(held)


def _ferplus(source: Path, split: str) -> Iterator[Labelled]:
    """Name, content and target of each picture of a part of FER+.

    To learn from ("train"), the target is a mean of the votes and of FER2013's own label (OWN):
    FER+'s majorities hardly know fear and disgust, FER2013's labels do. Pictures that more
    annotators gave to contempt, unknown or no face than to any of the seven are left out.

    To be judged by ("test", its validation part), it is the class that more than half of the
    annotators named; pictures without such a one of the seven are left out. Raises DataError: there
    is no such part, or a list cannot be read.
    """
    folder = FERPLUS.get(split or "train")
    if folder is None:
        raise DataError(f"FER+ has the splits train and test, not {split!r}.")
    try:
        own = {row["image"]: row for row in _rows(source / OWN_LABELS) if row["split"] == folder}
        votes = {
            row["Image name"]: np.array([int(row[it]) for it in (*EMOTIONS, *OTHERS)], np.float32)
            for row in _rows(source / VOTES)
            if row["Image name"] in own
        }
        labels = {
            name: [WORDS.index(word) for word in row["fer2013_class"].split("|")]
            for name, row in own.items()
        }
    except (KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{VOTES} or {OWN_LABELS} in {source} cannot be read ({error}). "
            "Both belong beside the picture folders."
        ) from error
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)
    for name, vote in votes.items():
        path, seven = source / folder / name, vote[: len(EMOTIONS)]
        if split == "test":
            agreed = seven.max() == vote.max() and 2 * vote.max() > vote.sum()
            target = one_hot[seven.argmax()]
        else:
            agreed = seven.max() >= max(vote.max(), 1)
            label = one_hot[labels[name]].mean(axis=0)  # two labels get one half each
            target = (1 - OWN) * seven / max(seven.sum(), 1) + OWN * label
        if agreed and path.is_file():
            yield f"{folder}/{name}", path.read_bytes(), target


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
    one of a person who is seen in those. Of a set that holds only blends (`BLENDS`) nothing
    is held out. The pictures of `cut` show more than a face, see `load`. Raises DataError:
    a data set cannot be read.
    """
    parts = [_to_learn(source, size, classes) for source in sources]
    parts += [_to_learn(source, size, classes, cut=True) for source in cut]
    sources = [*sources, *cut]
    splits = [split(p, fraction * bool((p.targets == 1).any()), seed) for p in parts]
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
    pictures = _to_learn(Path(source), size, store.classes(record))
    if pictures.fingerprint not in {part["fingerprint"] for part in stage["data"]}:
        name = record["model"]
        raise MerError(f"{source} is not what {name} was trained on last: name that data set.")
    _, held = split(pictures, stage["settings"]["validation"], stage["settings"]["seed"])
    return pictures.pixels[held], pictures.labels[held]


def _to_learn(source: Path, size: int, classes: Sequence[str], *, cut: bool = False) -> Pictures:
    part = "train" if has_split(source, "train") else ""
    return load(source, size, part, classes, cut=cut)
