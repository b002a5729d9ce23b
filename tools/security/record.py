"""What was measured, into SECURITY.md: each table between marks of its own."""

import re
from pathlib import Path
from typing import Final

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "SECURITY.md"


def write(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`."""
    mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    found = mark.sub(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", document.read_text("utf-8"))
    document.write_text(found, encoding="utf-8")
