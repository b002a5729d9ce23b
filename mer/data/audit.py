"""The audit of a data set: near-duplicates, contradictory labels, leaks between splits."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from mer.data import dataset, near_duplicates
from mer.errors import DataError, ImageError
from mer.io import files, images
from mer.io.files import shown

# Names of folders that hold a split, and the split's name here.
SPLITS: Final = {
    "test": "test", "fer2013test": "test",
    "val": "validation", "valid": "validation", "validation": "validation",
    "fer2013valid": "validation",
    "train": "train", "fer2013train": "train",
}  # fmt: skip
ORDER: Final = ("test", "validation", "", "train")  # the picture of the earlier split comes first
ROWS: Final = 5  # of each kind of finding that a terminal shows
COLUMNS: Final = (
    "test_image",  # below its split's folder; empty unless the pair leaks from train
    "nearest_train_image",
    "kind",  # exact (the same pixels), same, flip (mirrored), unreadable
    "corr32",  # correlation of the 32x32 gray thumbnails
    "label_differs",
    "leak",  # between two splits
    "first",  # names below the data set's folder
    "second",
)


class Place(NamedTuple):
    """Where a picture lies: its split and class, "" where the folders do not tell."""

    name: str
    split: str
    label: str
    inside: str  # the name below the folder of the split: 'anger/anger1.jpg'


class Audit(NamedTuple):
    """What the audit of `source` found."""

    source: str
    places: Sequence[Place]  # the readable pictures
    unreadable: Sequence[tuple[str, str]]  # name and reason
    pairs: pd.DataFrame  # one row a pair, see COLUMNS


def place(name: str) -> Place:
    """Read split and class off a name such as 'test/anger/anger1.jpg'."""
    folders = name.lower().split("/")[:-1]
    at = next((row for row, folder in enumerate(folders) if folder in SPLITS), None)
    split = "" if at is None else SPLITS[folders[at]]
    label = folders[-1] if folders and folders[-1] not in SPLITS else ""
    return Place(name, split, label, name if at is None else "/".join(name.split("/")[at + 1 :]))


def audit(source: str | Path) -> Audit:
    """Audit a folder or zip with class folders, directly or inside train and test.

    Raises DataError: there is no such folder or zip, or it holds no readable picture.
    """
    from tqdm import tqdm

    found: list[tuple[Place, np.ndarray, bytes]] = []
    unreadable: list[tuple[str, str]] = []
    entries = dataset.entries(source)
    for name, content in tqdm(entries, "reading", unit=" pictures", leave=False, disable=None):
        try:
            picture = images.read(content)
        except ImageError as error:
            unreadable.append((name, str(error)))
            continue
        pixels = hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).digest()
        found.append((place(name), near_duplicates.thumbnail(picture), pixels))
    if not found:
        raise DataError(f"{source} holds no readable pictures. Name a folder or zip with some.")
    # Sorting by split makes the training picture the second of each pair.
    found.sort(key=lambda one: ORDER.index(one[0].split))
    places, thumbnails, digests = zip(*found, strict=True)
    pairs = _named(_pairs(np.stack(thumbnails), pd.Series(digests)), places)
    return Audit(str(source), places, unreadable, pairs)


def _pairs(thumbnails: np.ndarray, digests: pd.Series) -> pd.DataFrame:
    """All twins by their numbers, exact ones first, then by correlation."""
    near = pd.DataFrame(near_duplicates.pairs(thumbnails)._asdict())
    near["correlation"] = near["correlation"].clip(upper=1.0)
    near["exact"] = digests[near["first"]].to_numpy() == digests[near["second"]].to_numpy()
    # Pictures without contrast correlate with nothing, though they may be the same.
    rows = pd.DataFrame({"digest": digests, "first": np.arange(len(digests), dtype=np.int32)})
    same = rows.merge(rows.rename(columns={"first": "second"}), on="digest")
    same = same[same["first"] < same["second"]].drop(columns="digest")
    same = same.assign(correlation=1.0, mirrored=False, exact=True)
    pairs = pd.concat([near, same]).drop_duplicates(["first", "second"])
    return pairs.sort_values(["exact", "correlation"], ascending=False, kind="stable")


def _named(pairs: pd.DataFrame, places: Sequence[Place]) -> pd.DataFrame:
    """The pairs as a table with the columns of COLUMNS."""
    known = pd.DataFrame(places, columns=Place._fields)
    first, second = (known.iloc[pairs[one]].reset_index(drop=True) for one in ("first", "second"))
    differ = {
        what: (first[what] != "") & (second[what] != "") & (first[what] != second[what])
        for what in ("split", "label")
    }
    listed = differ["split"] & (second["split"] == "train")
    values = (
        *(first["inside"].where(listed, ""), second["inside"].where(listed, "")),
        np.where(pairs["exact"], "exact", np.where(pairs["mirrored"], "flip", "same")),
        pairs["correlation"].round(4).to_numpy(float),
        *(differ["label"], differ["split"], first["name"], second["name"]),
    )
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def to_text(found: Audit) -> str:
    """The findings for a terminal: a table of counts, then the first ROWS of each kind."""
    pairs = found.pairs
    exact, leak = pairs["kind"] == "exact", pairs["leak"]
    tables = {
        "exact duplicates (the same pixels)": pairs[exact],
        f"near-duplicates (correlation of at least {near_duplicates.THRESHOLD:.2f})": pairs[~exact],
        "label conflicts (twins in different classes)": pairs[pairs["label_differs"]],
        "leaks between splits": pairs[leak],
        "leaks that are exact": pairs[leak & exact],
    }
    counts = pd.DataFrame([_counts(title, table) for title, table in tables.items()])
    splits = [at.split for at in found.places]
    parts = [f"{splits.count(one)} {one or 'without a split'}" for one in ORDER if one in splits]
    unreadable = f", {len(found.unreadable)} unreadable" if found.unreadable else ""
    pictures = f"{len(splits)} pictures ({', '.join(parts)}){unreadable}"
    said = [f"{found.source}: {pictures}", counts.to_string(index=False)]
    columns = ["kind", "corr32", "label_differs", "first", "second"]
    for title, table in list(tables.items())[:-1]:  # exact leaks come first among the leaks
        if len(table):
            named = {name: table[name].map(shown) for name in ("first", "second")}
            head = table.assign(**named)[columns].head(ROWS).to_string(index=False)
            said.append(f"{title}, {min(ROWS, len(table))} of {len(table)}:\n{head}")
    if found.unreadable:
        lines = [f"  {shown(name)}: {reason}" for name, reason in found.unreadable[:ROWS]]
        title = f"unreadable, {len(lines)} of {len(found.unreadable)}:"
        said.append("\n".join([title, *lines]))
    return "\n\n".join(said)


def _counts(title: str, table: pd.DataFrame) -> dict[str, str | int]:
    # A leak is counted by the picture outside train: that is the one to leave out of a test.
    names = [table["first"]] if title.startswith("leaks") else [table["first"], table["second"]]
    return {
        "finding": title,
        "pairs": len(table),
        "pictures": pd.concat(names).nunique(),
        "pairs with different labels": int(table["label_differs"].sum()),
    }


def write(found: Audit, path: str | Path) -> None:
    """Write one row a pair and one an unreadable picture as CSV, columns as in COLUMNS."""
    names = [name for name, _ in found.unreadable]
    unreadable = pd.DataFrame({"kind": "unreadable", "first": names}, columns=list(COLUMNS))
    table = pd.concat([found.pairs.astype(object), unreadable.astype(object)])
    files.write(Path(path), files.csv_text(table))
