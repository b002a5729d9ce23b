"""Names of files: as they can be shown, and in the order in which people count."""

import os
import re
import unicodedata
from typing import Any, Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})  # controls, directions, ends of lines


def shown(name: str | os.PathLike[str]) -> str:
    """A name as text that terminals and tables can show: what is no character is escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    signs = (repr(one)[1:-1] if unicodedata.category(one) in _UNSEEN else one for one in text)
    return "".join(signs)


def natural(name: str) -> tuple[list[Any], str]:
    """What to sort paths by so that img2 comes before img10, and folders stay together."""
    return [_step(step) for step in name.split("/")], name


def _step(name: str) -> list[Any]:
    """Text and numbers by turns; of numbers length and digits, for they may be very long."""
    parts = re.split(r"(\d+)", name)
    digits = [part.lstrip("0") for part in parts]
    return [(len(d), d) if place % 2 else parts[place] for place, d in enumerate(digits)]
