"""Download links that hold their file in themselves: none to lose, to keep or to delete."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final

# By ending: what the link says, and the type.
_TYPES: Final = {
    "csv": ("CSV", "text/csv"),
    "excel.csv": ("CSV for Excel", "text/csv"),
    "json": ("JSON", "application/json"),
    "html": ("HTML", "text/html"),
    "md": ("Markdown", "text/markdown"),
}


def name(kind: str, sources: Sequence[str]) -> str:
    """'faces-holiday-2026-05-01': what a file is called that holds results of these sources."""
    source = Path(sources[0]).stem if len(sources) == 1 else f"{len(sources)}-files"
    return f"{kind}-{source}-{datetime.now(UTC):%Y-%m-%d}"


def links(name: str, files: Mapping[str, str], said: str = "") -> str:
    """HTML with one link for each of `files`: text by ending, one of _TYPES.

    A link says "Download CSV" or what the type is, or else `said`. What is for Excel begins with
    the mark by which it knows UTF-8.
    """
    shown = []
    for ending, text in files.items():
        code = "utf-8-sig" if ending == "excel.csv" else "utf-8"
        data = base64.b64encode(text.encode(code)).decode()
        kind, media = _TYPES[ending]
        address = f"data:{media};base64,{data}"
        shown.append(link(f"{name}.{ending}", said or f"Download {kind}", address))
    return "".join(shown)


def link(file: str, said: str, address: str) -> str:
    """HTML of a link under which the browser saves a file."""
    return f'<a class="save" download="{escape(file)}" href="{escape(address)}">{escape(said)}</a>'
