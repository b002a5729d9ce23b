"""Tables as CSV that is safe to open: the one way of all that the product writes."""

import pandas as pd

from mer.io.names import shown


def text(table: pd.DataFrame, *, bom: bool = False) -> str:
    """A table as CSV in which no spreadsheet takes a text for a formula, whoever wrote it.

    Nor does a terminal take one for a command: what is no character is escaped, see `shown`. With
    `bom` it begins with the mark by which Excel knows UTF-8; pandas and R need none.
    """
    texts = {
        name: column.astype(object).map(safe)
        for name, column in table.items()
        if not pd.api.types.is_numeric_dtype(column)
    }
    tame = table.assign(**texts).rename(columns=safe)  # type: ignore[arg-type]
    return "\ufeff" * bom + tame.to_csv(index=False, lineterminator="\n")


def safe(value: object) -> object:
    """A cell as `text` writes it."""
    if not isinstance(value, str):
        return value
    plain = shown(value)
    # Spreadsheets read a cell that begins like this as a formula, whether quoted or not.
    return f"'{plain}" if plain.lstrip().startswith(("=", "+", "-", "@")) else plain
