import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mer.data import audit
from mer.errors import DataError


def test_a_missing_and_an_empty_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        audit.audit(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no readable pictures"):
        audit.audit(tmp_path)


def test_only_unreadable_pictures_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(DataError, match="no readable pictures"):
        audit.audit(tmp_path)


def test_unreadable_pictures_are_listed_and_the_rest_audited(
    tmp_path: Path, tiny_data: Path
) -> None:
    folder = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    (folder / "train" / "fear" / "broken.jpg").write_bytes(b"")
    found = audit.audit(folder)
    audit.write(found, tmp_path / "out.csv")
    assert [name for name, _ in found.unreadable] == ["train/fear/broken.jpg"]
    assert len(found.places) == 56
    rows = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert rows["kind"].tolist() == ["same", "unreadable"]
    assert rows["test_image"].tolist() == ["anger/anger8.jpg", ""]
    assert "broken.jpg" in audit.to_text(found)


def test_a_data_set_without_twins_has_none(tiny_data: Path) -> None:
    found = audit.audit(tiny_data / "train")
    assert len(found.pairs) == 0
    assert {at.split for at in found.places} == {""}


@pytest.fixture
def every_kind(tmp_path: Path, tiny_data: Path) -> Path:
    """The tiny data set with an exact copy under another label, a mirrored one, two black ones."""
    folder = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    shutil.copy(folder / "train/fear/fear1.jpg", folder / "test/sadness/exact.jpg")
    with Image.open(folder / "train/neutral/neutral2.jpg") as picture:
        turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        turned.save(folder / "train/neutral/turned.png")
    for name in ("train/anger/black.png", "train/fear/black.png"):
        Image.fromarray(np.zeros((80, 80, 3), np.uint8)).save(folder / name)
    return folder


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.*"):
            archive.write(file, f"root/{file.relative_to(folder)}")
    return path


@pytest.mark.parametrize("packed", [lambda folder: folder, zipped])
def test_every_kind_of_twin_is_found(every_kind: Path, packed: Callable[[Path], Path]) -> None:
    found = audit.audit(packed(every_kind))
    assert len(found.pairs) == 4
    leaks = found.pairs[found.pairs["leak"]].set_index("test_image")
    assert leaks["nearest_train_image"].to_dict() == {
        "sadness/exact.jpg": "fear/fear1.jpg",
        "anger/anger8.jpg": "anger/anger1.jpg",
    }
    assert leaks["kind"].to_dict() == {"sadness/exact.jpg": "exact", "anger/anger8.jpg": "same"}
    assert leaks["label_differs"].to_dict() == {
        "sadness/exact.jpg": True,
        "anger/anger8.jpg": False,
    }
    kinds = found.pairs["kind"].tolist()
    assert kinds.count("flip") == 1
    assert kinds.count("exact") == 2  # the copy, and the black ones, which correlate with nothing
    assert found.pairs["label_differs"].sum() == 2
    assert "leaks that are exact" in audit.to_text(found)


@pytest.mark.parametrize(
    ("name", "split", "label", "inside"),
    [
        ("a.jpg", "", "", "a.jpg"),
        ("train/a.jpg", "train", "", "a.jpg"),
        ("root/Test/anger/a.jpg", "test", "anger", "anger/a.jpg"),
        ("anger/a.jpg", "", "anger", "anger/a.jpg"),
        ("FER2013Valid/fer1.png", "validation", "", "fer1.png"),
    ],
)
def test_split_and_class_are_read_off_the_folders(
    name: str, split: str, label: str, inside: str
) -> None:
    at = audit.place(name)
    assert (at.split, at.label, at.inside) == (split, label, inside)


def test_the_papers_data_set_leaks_as_the_reference_list_says(mer_data: Path) -> None:
    found = audit.audit(mer_data / "micro-expressions")
    leaks = found.pairs[found.pairs["leak"]]
    exact = leaks[leaks["kind"] == "exact"]
    assert exact["first"].nunique() == 41
    assert exact[exact["label_differs"]]["first"].nunique() == 14
    reference = pd.read_csv(mer_data / "micro-expressions-twins.csv")
    wanted = reference[reference["corr32"] >= 0.90]
    pairs = set(zip(wanted["test_image"], wanted["nearest_train_image"], strict=True))
    ours = set(zip(leaks["test_image"], leaks["nearest_train_image"], strict=True))
    assert len(pairs) == 732
    assert len(pairs & ours) >= 0.95 * 732
    assert set(leaks["test_image"]) == set(wanted["test_image"])
