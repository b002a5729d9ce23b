"""The robustness figures as tables, and the bounds of `mer.faces.quality` that follow from them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from mer.evaluation.robustness import SWEEPS, Sweep, sentence
from mer.results import documents
from mer.results.wording import percent

# A webcam of 1920 x 1080 pixels that sees 70 degrees from left to right, and a face that is 0.2 m
# high in YuNet's box.
CAMERA_PIXELS, CAMERA_DEGREES, FACE_METRES = 1920, 70.0, 0.2
FALLEN: Final = 0.2  # loss of accuracy from which a face counts as one that cannot be judged
# The sweeps and their measures from which the bounds of mer.faces.quality come.
BOUNDS: Final = (
    *(("height", "level"), ("blur", "sharpness")),
    *(("light", "brightness"), ("roll", "level"), ("yaw", "level")),
)


def table(result: Mapping[str, Any], name: str) -> pd.DataFrame:
    """One sweep as a table of text: level, share of faces found, of pictures named right.

    Args:
        result: as `benchmarks.robustness.measure` gives it.
        name: a key of SWEEPS.
    """
    sweep, entries = SWEEPS[name], result["sweeps"][name]
    columns = {f"{sweep.title}, {sweep.unit}" if sweep.unit else sweep.title: sweep.labels()}
    columns["faces found"] = [percent(entry["found"] / result["faces"]) for entry in entries]
    for network in result["networks"]:
        right = [entry["right"][network] / result["pictures"] for entry in entries]
        columns[network] = [percent(share) for share in right]
    frame = pd.DataFrame(columns)
    if name == "height":
        frame.insert(1, "metres", [f"{metres(level):.1f}" for level in sweep.levels])
    return frame


def text(result: Mapping[str, Any]) -> Iterator[str]:
    """The measurement in Markdown, paragraph by paragraph."""
    for name in SWEEPS:
        yield documents.markdown_frame(table(result, name))
    yield "\n".join(f"- {sentence(result, network)}" for network in result["networks"])
    yield "\n".join(_bound(result, name, what) for name, what in BOUNDS)
    yield (
        f"{result['faces']} boxed faces, {result['pictures']} pictures; measured on "
        f"{result['machine']}, {result['time']}."
    )


def metres(pixels: float) -> float:
    """How far a face of so many pixels is from the webcam above (see CAMERA_DEGREES)."""
    focal = CAMERA_PIXELS / 2 / math.tan(math.radians(CAMERA_DEGREES / 2))
    return focal * FACE_METRES / pixels


def _bound(result: Mapping[str, Any], name: str, what: str) -> str:
    value = fallen(result, name, what)
    where = "nowhere" if value is None else f"at {value:.3g}"
    points = f"{100 * FALLEN:.0f} points"
    return f"- {SWEEPS[name].title}: mean accuracy is {points} below the best {where} ({what})."


def fallen(result: Mapping[str, Any], name: str, what: str = "level") -> float | None:
    """Where in a sweep the mean accuracy of the networks has fallen by FALLEN; None if nowhere.

    Between levels it is interpolated. `what` is the level, or a median of the pictures.
    """
    entries = _from_best(result["sweeps"][name], SWEEPS[name])
    share = [np.mean(list(entry["right"].values())) / result["pictures"] for entry in entries]
    loss = [share[0] - one for one in share]
    for place in range(1, len(loss)):
        if loss[place] >= FALLEN:
            part = (FALLEN - loss[place - 1]) / (loss[place] - loss[place - 1])
            before, after = entries[place - 1][what], entries[place][what]
            return float(before + part * (after - before))
    return None


def _from_best(entries: list[dict[str, Any]], sweep: Sweep) -> list[dict[str, Any]]:
    """Entries from the picture as it is to the worst (brightness has brighter ones before it)."""
    first = sweep.levels.index(sweep.asis) if sweep.asis in sweep.levels else 0
    return entries[first:]
