"""The places of a made face that expressions move, and which way.

Lengths are in distances between the eyes, right and down as the picture shows a level face.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple


class Bump(NamedTuple):
    """A patch of skin that moves: where, how wide (standard deviation), and which way."""

    point: int  # of the detector's five
    x: float  # from that point
    y: float
    width: float
    right: float
    down: float


@dataclass(frozen=True)
class Place:
    """A part of the face that an expression moves, in the words of timeline.Event."""

    region: str
    direction: str
    bumps: tuple[Bump, ...]


# Points: right eye, left eye, nose, right and left mouth corner (the person's own). Expressions are
# hardly ever even: here the person's right side moves more, so that one region moves most.
PLACES: Final = {
    "brow raise": Place(
        "right brow",
        "up",
        (Bump(0, -0.05, -0.33, 0.24, 0, -1), Bump(1, 0.05, -0.33, 0.24, 0, -0.8)),
    ),
    "frown": Place(
        "between brows",
        "down",
        (Bump(0, 0.27, -0.3, 0.18, 0.45, 0.9), Bump(1, -0.27, -0.3, 0.18, -0.45, 0.9)),
    ),
    "smile": Place(
        "right mouth corner",
        "up and left",
        (Bump(3, -0.05, 0, 0.2, -0.7, -0.7), Bump(4, 0.05, 0, 0.2, 0.55, -0.55)),
    ),
    "lip corners down": Place(
        "right mouth corner",
        "down",
        (Bump(3, -0.03, 0.04, 0.18, -0.2, 1), Bump(4, 0.03, 0.04, 0.18, 0.15, 0.8)),
    ),
    "nose wrinkle": Place(
        "nose",
        "up",
        (Bump(2, -0.17, 0.04, 0.17, 0.1, -1), Bump(2, 0.17, 0.04, 0.17, -0.1, -0.9)),
    ),
    "lips": Place(
        "lips",
        "up",
        (Bump(3, 0.3, 0.12, 0.17, 0, -1), Bump(4, -0.3, 0.12, 0.17, 0, -1)),
    ),
    "speech": Place(
        "lips",
        "down",
        (
            Bump(3, 0.3, 0.2, 0.24, 0, 1),
            Bump(4, -0.3, 0.2, 0.24, 0, 1),
            Bump(3, 0, 0.05, 0.15, 0.4, 0.3),
            Bump(4, 0, 0.05, 0.15, -0.4, 0.3),
        ),
    ),
}
