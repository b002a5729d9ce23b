"""Files written in one step: the old one stays whole whatever happens."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from mer.io import files
from mer.io.files import natural, shown


def test_pieces_take_the_place_of_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.csv"
    files.write(path, ["one\n", "two\n"])
    files.write(path, "three\n")
    assert path.read_text() == "three\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def text() -> object:
        yield "new"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left on device") as error:
        files.write(path, text())  # type: ignore[arg-type]
    assert error.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_goes(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f".a.csv.{ended.pid}-0123abcd"
    own, other = tmp_path / f".a.csv.{os.getpid()}-0123abcd", tmp_path / ".b.csv.1-0123abcd"
    for path in (left, own, other):
        path.touch()
    files.write(tmp_path / "a.csv", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [own.name, other.name, "a.csv"]


def test_a_link_stays_one_and_its_file_keeps_its_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "real.csv", tmp_path / "link.csv"
    target.touch(0o600)
    link.symlink_to(target)
    files.write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_device_is_written_to_itself() -> None:
    files.write(Path("/dev/null"), "gone")
    assert not Path("/dev/null").is_file()


def test_names_are_shown_as_text() -> None:
    assert shown("Zo\u00eb \U0001f600.jpg") == "Zo\u00eb \U0001f600.jpg"
    assert shown(os.fsdecode(b"caf\xe9\x1b[2J\r.jpg")) == "caf\\xe9\\x1b[2J\\r.jpg"


def test_numbers_in_names_count() -> None:
    names = ["b2", "b10", "b010", "a/10", "a/9", "b", "", f"b{'1' * 5000}"]
    assert sorted(names, key=natural) == ["", "a/9", "a/10", "b", "b2", "b010", "b10", names[-1]]
