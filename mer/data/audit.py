"""The audit of a data set: near-duplicates, contradictory labels, leaks between splits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from mer.data import dataset, near_duplicates
from mer.errors import DataError, ImageError
from mer.io import files, images
from mer.io.files import shown

# Names of folders that hold a split, and the split's name here.
SPLITS: Final = {
    "test": "test",
    "fer2013test": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "fer2013valid": "validation",
    "train": "train",
    "fer2013train": "train",
}
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


@dataclass(frozen=True)
class Place:
    """Where a picture lies: its split and class, "" where the folders do not tell."""

    name: str
    split: str
    label: str

    @property
    def inside(self) -> str:
        """The name below the folder of the split: 'anger/anger1.jpg'."""
        parts = self.name.split("/")
        where = [number for number, part in enumerate(parts[:-1]) if part.lower() in SPLITS]
        return "/".join(parts[where[0] + 1 :] if where else parts)


@dataclass(frozen=True)
class Audit:
    """What the audit of `source` found."""

    source: str
    places: tuple[Place, ...]  # the readable pictures
    unreadable: tuple[tuple[str, str], ...]  # name and reason
    pairs: pd.DataFrame  # one row a pair, see COLUMNS

    @property
    def exact(self) -> pd.DataFrame:
        """Pairs with the same pixels."""
        return self.pairs[self.pairs["kind"] == "exact"]

    @property
    def near(self) -> pd.DataFrame:
        """Pairs of one photograph with different pixels, such as re-cropped or mirrored ones."""
        return self.pairs[self.pairs["kind"] != "exact"]

    @property
    def conflicts(self) -> pd.DataFrame:
        """Pairs whose pictures carry different labels."""
        return self.pairs[self.pairs["label_differs"]]

    @property
    def leaks(self) -> pd.DataFrame:
        """Pairs whose pictures lie in different splits, the training picture second."""
        return self.pairs[self.pairs["leak"]]


def place(name: str) -> Place:
    """Read split and class off a name such as 'test/anger/anger1.jpg'."""
    folders = name.lower().split("/")[:-1]
    split = next((SPLITS[folder] for folder in folders if folder in SPLITS), "")
    label = folders[-1] if folders and folders[-1] not in SPLITS else ""
    return Place(name, split, label)


def audit(source: str | Path) -> Audit:
    """Audit a folder or zip with class folders, directly or inside train and test.

    Raises:
        DataError: there is no such folder or zip, or it holds no readable picture.
    """
    from tqdm import tqdm

    places: list[Place] = []
    unreadable: list[tuple[str, str]] = []
    thumbnails: list[np.ndarray] = []
    digests: list[bytes] = []
    for name, content in tqdm(
        dataset.entries(source), "reading", unit=" pictures", leave=False, disable=None
    ):
        try:
            picture = images.read(content)
        except ImageError as error:
            unreadable.append((name, str(error)))
            continue
        places.append(place(name))
        thumbnails.append(near_duplicates.thumbnail(picture))
        digests.append(hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).digest())
    if not places:
        raise DataError(f"{source} holds no readable pictures. Name a folder or zip with some.")
    # Sorting by split makes the training picture the second of each pair.
    order = sorted(range(len(places)), key=lambda row: ORDER.index(places[row].split))
    places = [places[row] for row in order]
    pairs = _pairs(places, np.stack(thumbnails)[order], [digests[row] for row in order])
    return Audit(str(source), tuple(places), tuple(unreadable), pairs)


def _pairs(places: Sequence[Place], thumbnails: np.ndarray, digests: list[bytes]) -> pd.DataFrame:
    """All twins as a table, exact ones first, then by correlation."""
    near = near_duplicates.pairs(thumbnails)
    same = _identical(digests)
    rows = pd.DataFrame(near._asdict()).assign(correlation=near.correlation.clip(max=1.0))
    rows["exact"] = [digests[i] == digests[j] for i, j in zip(near.first, near.second, strict=True)]
    # Pictures without contrast correlate with nothing, though they may be the same.
    rows = pd.concat([rows, same]).drop_duplicates(["first", "second"])
    rows = rows.sort_values(["exact", "correlation"], ascending=False, kind="stable")
    return _named(rows, places)


def _identical(digests: list[bytes]) -> pd.DataFrame:
    rows = pd.DataFrame({"digest": digests, "row": np.arange(len(digests), dtype=np.int32)})
    both = rows.merge(rows, on="digest", suffixes=("", "_2"))
    both = both[both["row"] < both["row_2"]].rename(columns={"row": "first", "row_2": "second"})
    return both[["first", "second"]].assign(correlation=1.0, mirrored=False, exact=True)


def _named(rows: pd.DataFrame, places: Sequence[Place]) -> pd.DataFrame:
    """The pairs, numbers of places, as a table with the columns of COLUMNS."""
    known = pd.DataFrame(
        [(at.name, at.split, at.label, at.inside) for at in places],
        columns=["name", "split", "label", "inside"],
    )
    first, second = (known.iloc[rows[one]].reset_index(drop=True) for one in ("first", "second"))
    differ = {
        what: (first[what] != "") & (second[what] != "") & (first[what] != second[what])
        for what in ("split", "label")
    }
    listed = differ["split"] & (second["split"] == "train")
    values = (
        *(first["inside"].where(listed, ""), second["inside"].where(listed, "")),
        np.where(rows["exact"], "exact", np.where(rows["mirrored"], "flip", "same")),
        rows["correlation"].round(4).to_numpy(float),
        *(differ["label"], differ["split"], first["name"], second["name"]),
    )
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def to_text(found: Audit) -> str:
    """The findings for a terminal: a table of counts, then the first ROWS of each kind."""
    tables = {
        "exact duplicates (the same pixels)": found.exact,
        f"near-duplicates (correlation of at least {near_duplicates.THRESHOLD:.2f})": found.near,
        "label conflicts (twins in different classes)": found.conflicts,
        "leaks between splits": found.leaks,
        "leaks that are exact": found.leaks[found.leaks["kind"] == "exact"],
    }
    counts = pd.DataFrame([_counts(title, table) for title, table in tables.items()])
    parts = [f"{found.source}: {_pictures(found)}", counts.to_string(index=False)]
    columns = ["kind", "corr32", "label_differs", "first", "second"]
    for title, table in list(tables.items())[:-1]:  # exact leaks come first among the leaks
        if len(table):
            named = {name: table[name].map(shown) for name in ("first", "second")}
            head = table.assign(**named)[columns].head(ROWS).to_string(index=False)
            parts.append(f"{title}, {min(ROWS, len(table))} of {len(table)}:\n{head}")
    if found.unreadable:
        lines = [f"  {shown(name)}: {reason}" for name, reason in found.unreadable[:ROWS]]
        title = f"unreadable, {len(lines)} of {len(found.unreadable)}:"
        parts.append("\n".join([title, *lines]))
    return "\n\n".join(parts)


def _counts(title: str, table: pd.DataFrame) -> dict[str, str | int]:
    # A leak is counted by the picture outside train: that is the one to leave out of a test.
    names = [table["first"]] if title.startswith("leaks") else [table["first"], table["second"]]
    return {
        "finding": title,
        "pairs": len(table),
        "pictures": pd.concat(names).nunique(),
        "pairs with different labels": int(table["label_differs"].sum()),
    }


def _pictures(found: Audit) -> str:
    splits = [at.split for at in found.places]
    parts = [
        f"{splits.count(name)} {name or 'without a split'}" for name in ORDER if name in splits
    ]
    unreadable = f", {len(found.unreadable)} unreadable" if found.unreadable else ""
    return f"{len(splits)} pictures ({', '.join(parts)}){unreadable}"


def write(found: Audit, path: str | Path) -> None:
    """Write one row a pair and one an unreadable picture as CSV, columns as in COLUMNS."""
    names = [name for name, _ in found.unreadable]
    unreadable = pd.DataFrame({"kind": "unreadable", "first": names}, columns=list(COLUMNS))
    table = pd.concat([found.pairs.astype(object), unreadable.astype(object)])
    files.write(Path(path), files.csv_text(table))
