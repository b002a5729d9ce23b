"""How well events are found, as `python -m benchmarks spotting` measured it."""

import json
from typing import Any, Final

from mer.results.wording import percent
from mer.weights import store

FILE: Final = "spotting.json"


def read() -> dict[str, Any] | None:
    """The figures that lie beside the weights; None where there are none."""
    try:
        known: dict[str, Any] = json.loads((store.FOLDER / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known


def sentence() -> str:
    """What of marked expressions was found, in real clips beside made ones; "" where unknown."""
    known = read() or {}
    try:
        real, made = known["real"]["figures"]["sets"]["flashes"], known["made"]["figures"]
        found = f"{real['hit']} of {real['marked']} expressions of real clips"
        rest = f"F1 {real['f1']:.2f} there and {made['f1_2px']['30']:.2f} on made clips"
        right = percent(real["named_spotted"]["uar"])
    except KeyError:
        return ""
    return (
        f"Measured here: {found} were met, half of its time shared or more: {rest}. Of those met, "
        f"negative, positive and surprise were told apart in {right}."
    )
