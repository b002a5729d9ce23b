"""How detector and networks do on worse pictures: the figures that ship beside the weights.

`python -m benchmarks robustness` measures them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mer.errors import WeightsError

FILE: Final = "robustness.json"
BEARABLE: Final = 0.08  # largest loss of accuracy or of recall at which a level counts as working


@dataclass(frozen=True)
class Sweep:
    """One way in which pictures get worse."""

    title: str  # what changes, for people
    unit: str  # of the levels
    levels: tuple[float, ...]  # from little to much
    asis: float | None = 0  # the level at which nothing is done, where there is one
    names: tuple[str, ...] = ()  # of the levels, where they are no numbers

    def labels(self) -> list[str]:
        """The levels as text."""
        return list(self.names) or [f"{level:g}" for level in self.levels]


_ROLLS: Final = (0, 15, 30, 45, 60, 90, 180)
_OF_HEIGHT: Final = "% of the face's height"

SWEEPS: Final[dict[str, Sweep]] = {
    "height": Sweep("Height of the face", "pixels", (160, 96, 64, 48, 36, 24, 18, 12), None),
    "roll": Sweep("Roll", "degrees", _ROLLS),
    "levelled": Sweep("Roll, found in turned copies", "degrees", _ROLLS, None),
    "yaw": Sweep("Head turned to the side", "degrees", (0, 15, 30, 45, 60, 75)),
    "blur": Sweep("Blur", f"standard deviation, {_OF_HEIGHT}", (0, 1, 2, 4, 6, 9)),
    "light": Sweep("Brightness", "times", (2, 1, 0.5, 0.25, 0.12, 0.06), 1),
    "noise": Sweep("Noise", "standard deviation, gray levels", (0, 10, 20, 40)),
    "compression": Sweep("JPEG", "quality", (100, 30, 10, 5), 100),
    "cover": Sweep("A bar across the face", _OF_HEIGHT, (0, 15, 30, 45)),
    "plain": Sweep("Mirrored, gray", "", (0, 1, 2), 0, ("as it is", "mirrored", "gray")),
}


def read() -> dict[str, Any] | None:
    """Read the figures; None where they are missing or of other weights or other levels."""
    from mer.weights import store

    try:
        result: dict[str, Any] = json.loads((store.FOLDER / FILE).read_text(encoding="utf-8"))
        ours = {name: store.read_record(name)["file"]["sha256"] for name in result["networks"]}
        levels = {name: [e["level"] for e in result["sweeps"][name]] for name in SWEEPS}
    except (OSError, ValueError, KeyError, TypeError, WeightsError):
        return None
    known = {name: list(sweep.levels) for name, sweep in SWEEPS.items()}
    return result if (ours, levels) == (result["networks"], known) else None


def smallest(result: Mapping[str, Any], network: str) -> float:
    """Return the least height of a face, in pixels, at which detector and network still work.

    Down to it neither loses more than BEARABLE against the highest faces.
    """
    entries = result["sweeps"]["height"]
    found, right = entries[0]["found"], entries[0]["right"][network]
    works = float(entries[0]["level"])
    for entry in entries:
        unseen = (found - entry["found"]) / result["faces"]
        wrong = (right - entry["right"][network]) / result["pictures"]
        if max(unseen, wrong) > BEARABLE:
            break
        works = entry["level"]
    return works


def sentence(result: Mapping[str, Any], network: str) -> str:
    """'Of photographs shrunk to faces 24 pixels high, as many are found and ...'"""
    return (
        f"Photographs shrunk until a face is {smallest(result, network):.0f} pixels high cost the "
        f"detector and {network} at most {100 * BEARABLE:.0f} points of recall and accuracy, "
        "smaller ones more."
    )
