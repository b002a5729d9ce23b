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
        real = known["real"]["figures"]["sets"]["flashes"]
        found = f"{real['hit']} of {real['marked']} expressions of real clips were met"
        right = percent(real["named_spotted"]["uar"])
        f1 = [f"F1 at half of the time shared is {real['f1']:.2f} there"]
        if "made" in known:
            f1.append(f"{known['made']['figures']['f1_2px']['30']:.2f} on made clips")
    except KeyError:
        return ""
    return (
        f"Measured here: {found}; {' and '.join(f1)}. Of those met, negative, positive and "
        f"surprise were told apart in {right}."
    )
