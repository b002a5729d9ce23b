"""What is scored: every picture and video of a folder, a zip, a list or a pattern, each once."""

import os
import sys
import zipfile
from pathlib import Path

import pytest

from mer.errors import DataError
from mer.io.sources import Item, find, unpack


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


def test_pictures_and_videos_with_every_ending_that_is_read(tmp_path: Path) -> None:
    wanted = ["a.jfif", "a.jpe", "a.pgm", "a.mts", "a.3gp", "a.M2TS", "a.hif"]
    for name in wanted:
        (tmp_path / name).touch()
    assert sorted(names(find(str(tmp_path)))) == sorted(wanted)


def test_what_is_left_out_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.jpg", "b.txt", "c.txt", "d", ".DS_Store"):
        (tmp_path / name).touch()
    assert names(find(str(tmp_path))) == ["a.jpg"]
    (record,) = caplog.records
    assert "3 files, .txt (2), without an ending (1)." in record.getMessage()


def test_names_come_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    counted = ["9/1.jpg", "10/1.jpg", "img1.jpg", "img02.jpg", "img10.jpg", f"img{'9' * 80}.jpg"]
    for name in counted:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert names(find(str(tmp_path))) == counted


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")
def test_names_cannot_write_to_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "\x1b[31mred\n\u202egpj.jpg").touch()
    (item,) = find(str(tmp_path))
    assert item.name == "\\x1b[31mred\\n\\u202egpj.jpg"
    assert Path(item.path).is_file()


def test_a_video_in_a_zip_that_grows_as_none_does_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "films.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        with archive.open("bomb.mp4", "w") as file:
            for _ in range(110):
                file.write(bytes(1_000_000))
        archive.writestr("fine.mp4", b"short")
    with zipfile.ZipFile(path) as archive:
        with pytest.raises(DataError, match=r"bomb.mp4 in the zip is no video: .* 110,000,000\."):
            unpack(archive, "bomb.mp4", tmp_path / "bomb.mp4")
        assert not (tmp_path / "bomb.mp4").exists()
        unpack(archive, "fine.mp4", tmp_path / "fine.mp4")
    assert (tmp_path / "fine.mp4").read_bytes() == b"short"


def test_a_video_in_a_zip_leaves_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "films.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fine.mp4", b"short")
    monkeypatch.setattr("mer.io.sources.SPARE", 1 << 60)
    with zipfile.ZipFile(path) as archive, pytest.raises(DataError, match="There is no room"):
        unpack(archive, "fine.mp4", tmp_path / "fine.mp4")
