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
}


def name(kind: str, sources: Sequence[str]) -> str:
    """'faces-holiday-2026-05-01': what a file is called that holds results of these sources."""
    source = Path(sources[0]).stem if len(sources) == 1 else f"{len(sources)}-files"
    return f"{kind}-{source}-{datetime.now(UTC):%Y-%m-%d}"


def links(name: str, files: Mapping[str, str]) -> str:
    """HTML with one link for each of `files`: text by ending, one of _TYPES."""
    return "".join(_link(f"{name}.{ending}", ending, text) for ending, text in files.items())


def _link(file: str, ending: str, text: str) -> str:
    data = base64.b64encode(text.encode()).decode()
    said, kind = _TYPES[ending]
    return (
        f'<a class="download" download="{escape(file)}" '
        f'href="data:{kind};base64,{data}">Download {said}</a>'
    )
