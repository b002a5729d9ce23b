"""Tables in Markdown."""

from collections.abc import Iterable

import pandas as pd


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown; cells become text by `str`, and must not hold a `|`."""
    names = list(head)
    lines: tuple[Iterable[object], ...] = (names, ["---"] * len(names), *rows)
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def frame(given: pd.DataFrame) -> str:
    """A DataFrame, without its index, as a table in Markdown."""
    return table(given.columns, given.to_numpy().tolist())
