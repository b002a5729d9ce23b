"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown, a line a row; each cell as `str` has it, which holds no `|`."""
    names = list(head)
    lines: list[Iterable[object]] = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def frame(given: pd.DataFrame) -> str:
    """A DataFrame's columns and rows, without its index, as such a table."""
    return table(given.columns, given.to_numpy().tolist())
