"""Pictures by name: files, folders, patterns, zips and the standard input, bad ones in between."""

import io
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer.errors import MerError
from mer.io import images, sources


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two pictures, one of them in a folder below, a broken one, and a text."""
    folder = tmp_path / "album"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.jpg", "deep/b.PNG"):
        Image.new("RGB", (9, 6), "red").save(folder / name)
    (folder / "c.jpg").write_text("no picture")
    (folder / "notes.txt").write_text("no picture either")
    return folder


def zipped(album: Path) -> Path:
    path = album.parent / "album.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(album.rglob("*.*")):
            archive.write(file, file.relative_to(album))
    return path


def told(names: Iterable[str | Path]) -> list[tuple[str, str]]:
    """What each item is called, and its size or the error."""
    items = sources.pictures(map(str, names))
    return [(n, str(one) if isinstance(one, MerError) else f"{one.shape}") for n, one in items]


def typed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_nothing_named() -> None:
    assert told([]) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.jpg", "no file"),
        ("none*.jpg", "No file is called like"),
        ("empty", "no pictures in the folder"),
        ("empty.zip", "no pictures in"),
        ("text.zip", "is no readable zip"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    (tmp_path / "text.zip").write_text("text")
    [(_, sentence)] = told([tmp_path / name])
    assert words in sentence
    assert name.split("*")[0] in sentence


def test_a_folder_with_all_below_it(album: Path) -> None:
    names = [Path(name).relative_to(album).as_posix() for name, _ in told([album])]
    assert names == ["a.jpg", "c.jpg", "deep/b.PNG"]


def test_a_bad_one_is_named_and_the_rest_go_on(album: Path) -> None:
    first, broken, last = told([album])
    assert first[1] == last[1] == "(6, 9, 3)"
    assert "'c.jpg' is not a picture" in broken[1]


def test_a_pattern(album: Path) -> None:
    assert [name for name, _ in told([album / "**" / "*.PNG"])] == [str(album / "deep" / "b.PNG")]


def test_a_file_whose_name_looks_like_a_pattern(album: Path) -> None:
    path = album / "d[1].png"
    Image.new("RGB", (9, 6)).save(path)
    assert told([path]) == [(str(path), "(6, 9, 3)")]


def test_a_zip(album: Path) -> None:
    path = zipped(album)
    items = told([path])
    assert [name for name, _ in items] == [f"{path}/{n}" for n in ("a.jpg", "c.jpg", "deep/b.PNG")]
    assert f"'{path}/c.jpg' is not a picture" in items[1][1]


def test_a_zip_that_unpacks_to_too_much(
    tmp_path: Path, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(10**6))
        archive.write(album / "a.jpg", "fine.jpg")
    bomb, fine = told([path])
    assert "larger than" in bomb[1]
    assert fine[1] == "(6, 9, 3)"


def test_a_zip_with_a_damaged_entry(tmp_path: Path, album: Path) -> None:
    path = zipped(album)
    content = bytearray(path.read_bytes())
    at = content.find(b"JFIF")
    content[at : at + 4] = b"JFIX"  # no longer what its checksum says
    path.write_bytes(content)
    first, *rest = told([path])
    assert "cannot be unpacked" in first[1]
    assert len(rest) == 2


@pytest.mark.parametrize("content", [b"", b"text"])
def test_a_standard_input_that_is_no_picture(
    monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    typed(monkeypatch, content)
    [(name, sentence)] = told(["-"])
    assert name == "stdin"
    assert "'stdin' is" in sentence


def test_a_picture_or_a_zip_on_the_standard_input(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, (album / "a.jpg").read_bytes())
    assert told(["-"]) == [("stdin", "(6, 9, 3)")]
    typed(monkeypatch, zipped(album).read_bytes())
    assert [name for name, _ in told(["-"])][-1] == "stdin/deep/b.PNG"


def test_they_come_one_at_a_time(album: Path) -> None:
    items = sources.pictures([str(album / "a.jpg"), str(album / "gone.jpg")])
    name, image = next(items)
    assert isinstance(image, np.ndarray)
    (album / "gone.jpg").write_bytes((album / "a.jpg").read_bytes())  # there by the time it is due
    name, image = next(items)
    assert isinstance(image, np.ndarray)
    assert name.endswith("gone.jpg")
