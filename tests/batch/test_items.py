"""What is scored: every picture and video of a folder, a zip, a list or a pattern, each once."""

import os
import sys
import zipfile
from pathlib import Path

import pytest

from mer.batch.items import Item, find
from mer.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of all kinds, empty: only their names count here."""
    root = tmp_path / "faces"
    for name in ("b.JPG", "a.png", "inner/c.heic", "inner/clip.mp4", "inner/notes.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "folder.jpg").mkdir()
    return root


def names(items: list[Item]) -> list[str]:
    return [item.name for item in items]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.zip' is not there. Name a folder"):
        find(str(tmp_path / "none.zip"))


def test_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    with pytest.raises(DataError, match="holds no pictures or videos"):
        find(str(tmp_path))
    with pytest.raises(DataError, match="holds no pictures"):
        find(str(tmp_path / "notes.md"))


def test_a_damaged_zip(tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    path.write_text("no zip")
    with pytest.raises(DataError, match="no readable zip"):
        find(str(path))


def test_a_list_without_its_column(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    for text in ("", "name\na.jpg\n"):
        path.write_text(text)
        with pytest.raises(DataError, match="needs a column called file or path"):
            find(str(path))


def test_an_empty_list(tmp_path: Path) -> None:
    path = tmp_path / "faces.txt"
    path.write_text("\n  \n")
    with pytest.raises(DataError, match="holds no pictures"):
        find(str(path))


def test_a_folder_with_all_folders_inside(folder: Path) -> None:
    found = find(str(folder))
    assert names(found) == ["a.png", "b.JPG", "inner/c.heic", "inner/clip.mp4"]
    assert [item.video for item in found] == [False, False, False, True]
    assert all(Path(item.path).is_file() for item in found)


def test_a_zip(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("b.jpg", "inner/a.png", "notes.md"):
            archive.writestr(name, b"")
    assert find(str(path)) == [
        Item("b.jpg", str(path), "b.jpg"),
        Item("inner/a.png", str(path), "inner/a.png"),
    ]


def test_a_pattern(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert names(find("**/*.*")) == ["a.png", "b.JPG", "inner/c.heic", "inner/clip.mp4"]
    assert names(find(str(folder / "*.png"))) == [str(folder / "a.png")]
    assert find("a.png") == [Item("a.png", str(folder / "a.png"))]


def test_lists_name_each_item_once_and_those_that_are_not_there(folder: Path) -> None:
    text = folder / "list.txt"
    text.write_text(f"a.png\n\n gone.jpg \n{folder}/b.JPG\na.png\ninner/notes.md\n")
    found = find(str(text))
    assert names(found) == ["a.png", "gone.jpg", f"{folder}/b.JPG", "inner/notes.md"]
    assert [item.path for item in found][:3] == [
        str(folder / name) for name in ("a.png", "gone.jpg", "b.JPG")
    ]
    table = folder / "list.csv"
    table.write_text('label,path\nanger,a.png\nfear,"inner/c.heic"\n')
    assert names(find(str(table))) == ["a.png", "inner/c.heic"]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).touch()
    (item,) = find(str(tmp_path))
    assert item.name == "caf\\xe9.jpg"
    assert Path(item.path).is_file()
