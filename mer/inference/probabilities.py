"""From logits to probabilities, and the probability from which an answer is sure.

A network answers in three ways: `views`, the mean over the views of a crop, for pictures and
videos; `quick`, the crop alone, where time matters; `smoothed`, quick answers over time, in the
live view. An answer is **sure** if its highest probability is at least the threshold of its way and
class, and nothing about the face speaks against judging it (`mer.faces.quality`). Of the held-out
faces that are sure, nine in ten are right (`mer.evaluation.calibration` fits the thresholds).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mer.emotions import EMOTIONS

Floats = NDArray[np.floating[Any]]
WAYS: Final = ("views", "quick", "smoothed")
LOOK_MS: Final = 200.0  # least time between two answers for one face in the live view
SMOOTHING_MS: Final = 400.0  # time constant of the live view, unless a visitor changes it


def temperature_softmax(logits: Floats, temperature: float) -> NDArray[np.float64]:
    """Return probabilities (n, classes): the mean over views of softmax(logits / temperature).

    The logits are (views, n, classes), for example of faces and their mirror images. A temperature
    above 1 lowers the confidence, below 1 raises it (Guo et al. 2017).
    """
    from scipy.special import softmax

    return np.asarray(softmax(logits.astype(np.float64) / temperature, axis=2).mean(0))


def smoothed(before: Floats, now: Floats, elapsed_ms: float, smoothing_ms: float) -> Floats:
    """Return the exponential moving average after a new answer; 0 ms means no smoothing."""
    part = 1 - np.exp(-elapsed_ms / smoothing_ms) if smoothing_ms > 0 else 1.0
    return before + part * (now - before)


def thresholds(record: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the least probability of a sure answer, 0..1, for each of WAYS and each class.

    A record may have one for all classes, and records of version 0.1.0 have one for all ways;
    without calibration every answer is sure.
    """
    fitted = record.get("calibration", {})
    classes = tuple(record.get("classes") or EMOTIONS)
    found = {}
    for way in WAYS:
        one = fitted.get("thresholds", {}).get(way, fitted.get("threshold", 0.0))
        by_class = one if isinstance(one, Mapping) else dict.fromkeys(classes, one)
        found[way] = {name: float(by_class.get(name, 1.0)) for name in classes}
    return found


def is_sure(
    probabilities: Floats | Sequence[Sequence[float]], least: float | Sequence[float]
) -> NDArray[np.bool_]:
    """Whether each answer, (n, classes), is sure, (n,), by its highest probability alone.

    `least` is the least probability of a sure answer, of every class or of each one.
    """
    rows = np.asarray(probabilities)
    limits = np.broadcast_to(np.asarray(least), rows.shape[1])
    return np.asarray(rows.max(axis=1) >= limits[rows.argmax(axis=1)])
