"""CSV that neither a spreadsheet nor a terminal takes for a command."""

import io
from pathlib import Path

import pandas as pd
import pytest

from mer.io import files


def test_an_empty_table_has_its_head() -> None:
    assert files.csv_text(pd.DataFrame(columns=["file", "face"])) == "file,face\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", " =1", "\t=1", "\x1b[31m", "a\nb"])
def test_what_could_run_is_shown_as_text(name: str) -> None:
    table = pd.DataFrame({"file": [name], name: ["text"], "figure": [-1.5]})
    text = files.csv_text(table)
    assert "\x1b" not in text
    assert text.count("\n") == 2
    read = pd.read_csv(io.StringIO(text), keep_default_na=False)
    assert not any(str(cell).lstrip().startswith(tuple("=+-@")) for cell in read["file"])
    assert not any(column.lstrip().startswith(tuple("=+-@")) for column in read.columns)
    assert list(read["figure"]) == [-1.5]


def test_all_csv_is_written_here() -> None:
    package = Path(files.__file__).parents[1]
    writers = ("to_csv(", "csv.writer", "DictWriter")
    found = [
        path.name
        for path in package.rglob("*.py")
        if any(writer in path.read_text("utf-8") for writer in writers)
    ]
    assert found == ["files.py"]
