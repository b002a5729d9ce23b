"""The results of a batch: whole parts only, each item once, one run at a time."""

import json
from pathlib import Path

import pandas as pd
import pytest

from mer.batch import scoring
from mer.errors import MerError

IDENTITY = {"source": "/faces", "network": "cnn1"}


def part(*names: str) -> dict[str, bytes]:
    """A part of the results with these items, each with one error."""
    files = pd.DataFrame({"file": names})
    content = scoring.parquet(files)
    return {"items": content, "errors": content}


def stored(folder: Path, table: str) -> list[str]:
    return sorted(pd.read_parquet(folder / table)["file"])


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all I have")
    with (
        pytest.raises(MerError, match="holds other files"),
        scoring.opened(tmp_path, IDENTITY),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_damaged_folder_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(MerError, match="damaged"), scoring.opened(tmp_path, IDENTITY):
        pass


def test_other_settings_are_refused(tmp_path: Path) -> None:
    with scoring.opened(tmp_path, IDENTITY) as book:
        book.write(part("a.jpg"))
    other = IDENTITY | {"network": "cnn2"}
    with (
        pytest.raises(MerError, match="another run, with network 'cnn1'"),
        scoring.opened(tmp_path, other),
    ):
        pass
    assert stored(tmp_path, "items") == ["a.jpg"]


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    with (
        scoring.opened(tmp_path, IDENTITY),
        pytest.raises(MerError, match="Another run"),
        scoring.opened(tmp_path, IDENTITY),
    ):
        pass


def test_nothing_to_store(tmp_path: Path) -> None:
    with scoring.opened(tmp_path / "new", IDENTITY) as book:
        assert book.done == set()
        assert set(book.finish().values()) == {0}


def test_a_part_that_comes_twice_is_stored_once(tmp_path: Path) -> None:
    with scoring.opened(tmp_path, IDENTITY) as book:
        for names in (("a.jpg", "b.jpg"), ("a.jpg", "b.jpg"), ("c.jpg",)):
            book.write(part(*names))
        assert book.finish()["items"] == 3
    assert stored(tmp_path, "items") == stored(tmp_path, "errors") == ["a.jpg", "b.jpg", "c.jpg"]
    assert json.loads((tmp_path / "done").read_text())["rows"]["errors"] == 3


def test_what_was_cut_off_is_removed_and_the_rest_goes_on(tmp_path: Path) -> None:
    with scoring.opened(tmp_path, IDENTITY) as book:
        book.write(part("a.jpg"))
        book.finish()
    first = tmp_path / "errors" / "part-000000.parquet"
    for torn in ("part-000001.parquet", ".part-000001.parquet.x1y2"):
        first.with_name(torn).write_bytes(first.read_bytes())
    with scoring.opened(tmp_path, IDENTITY) as book:
        assert not (tmp_path / "done").exists()
        assert book.done == {"a.jpg"}
        book.write(part("b.jpg"))
    assert stored(tmp_path, "errors") == ["a.jpg", "b.jpg"]
    assert len(list((tmp_path / "errors").iterdir())) == 2
