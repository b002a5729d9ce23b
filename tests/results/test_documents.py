"""Tables in Markdown."""

import pandas as pd

from mer.results import documents


def test_no_rows_are_a_head() -> None:
    assert documents.markdown(("a", "b"), ()) == "| a | b |\n| --- | --- |"
    assert documents.markdown_frame(pd.DataFrame(columns=["a"])) == "| a |\n| --- |"


def test_cells_are_what_str_says() -> None:
    wanted = "| a | b |\n| --- | --- |\n| x | 1 |\n| y | 2 |"
    assert documents.markdown(("a", "b"), (("x", 1), ("y", 2))) == wanted
    assert (
        documents.markdown_frame(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}, index=[5, 6]))
        == wanted
    )
