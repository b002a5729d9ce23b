"""Download links that hold their file in themselves: none to lose, to keep or to delete."""

import base64
from collections.abc import Mapping
from typing import Final

_TYPES: Final = {"csv": "text/csv", "json": "application/json", "html": "text/html"}


def links(name: str, files: Mapping[str, str]) -> str:
    """HTML with one link for each of `files`: text by ending, one of _TYPES."""
    return "".join(
        f'<a class="download" download="{name}.{ending}" href="data:{_TYPES[ending]};base64,'
        f'{base64.b64encode(text.encode()).decode()}">Download {ending.upper()}</a>'
        for ending, text in files.items()
    )
