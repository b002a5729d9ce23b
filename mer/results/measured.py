"""The figures of a measured face in words: pose, gaze, openings, the strongest blendshapes."""

from collections.abc import Mapping
from typing import Final

from mer.faces.measures import BLENDSHAPES

STRONGEST: Final = 6  # blendshapes that are told,
LEAST: Final = 0.2  # of at least this value


def lines(figures: Mapping[str, float]) -> list[tuple[str, str]]:
    """What each figure is called and its value; `figures` as `Measures.figures` gives them."""
    pose = _degrees(figures, "yaw", "pitch", "roll")
    open_ = figures["gaze_right"] == figures["gaze_right"]  # NaN where both eyes are shut
    return [
        ("Head: yaw, pitch, roll", pose),
        ("Gaze: right, down", _degrees(figures, "gaze_right", "gaze_down") if open_ else "–"),
        ("Eyes open: right, left", _parts(figures, "right_eye_open", "left_eye_open")),
        ("Mouth open", _parts(figures, "mouth_open")),
        *((_called(name), _parts(figures, name)) for name in strongest(figures)),
    ]


def strongest(figures: Mapping[str, float]) -> list[str]:
    """The blendshapes of the highest values, at most STRONGEST, the highest first."""
    named = [name for name in BLENDSHAPES if name != "_neutral" and figures[name] >= LEAST]
    return sorted(named, key=lambda name: -figures[name])[:STRONGEST]


def _called(name: str) -> str:
    unit = BLENDSHAPES[name]
    return f"{name} ({unit})" if unit else name


def _degrees(figures: Mapping[str, float], *names: str) -> str:
    return ", ".join(f"{round(figures[name]):+d}°" for name in names)


def _parts(figures: Mapping[str, float], *names: str) -> str:
    return ", ".join(f"{figures[name]:.2f}" for name in names)
