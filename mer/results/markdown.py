"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a table in Markdown; cells become text by `str`, and must not hold a `|`."""
    names = list(head)
    lines: list[Iterable[object]] = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def frame(given: pd.DataFrame) -> str:
    """Return a DataFrame, without its index, as a table in Markdown."""
    return table(given.columns, given.to_numpy().tolist())
