"""From what a network says to probabilities, and from which probability an answer is sure.

A network answers in three ways: `views`, the mean over the views of a crop, for pictures and
videos; `quick`, the crop alone, where time matters; `smoothed`, quick answers over time, in the
live view. An answer is **sure** where its highest probability is at least the threshold of its way:
of held-out faces that were answered this way, those at or above it are right nine times in ten
(`mer.evaluation.calibration` fits it), and where nothing about the face speaks against judging it
at all (`mer.faces.quality`).
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WAYS: Final = ("views", "quick", "smoothed")
LOOK_MS: Final = 200.0  # at least, between two looks of a network at one face in the live view
SMOOTHING_MS: Final = 400.0  # time constant of the live view, unless a visitor changes it


def temperature_softmax(
    logits: NDArray[np.floating[Any]], temperature: float
) -> NDArray[np.float64]:
    """Probabilities (n, classes): the mean over the views of softmax(logits / temperature).

    Args:
        logits: (views, n, classes), of a face and its mirror image, say.
        temperature: over 1 makes a network less sure, under 1 surer (Guo et al. 2017).
    """
    from scipy.special import softmax

    mean: NDArray[np.float64] = softmax(logits.astype(np.float64) / temperature, axis=2).mean(0)
    return mean


def smoothed(
    before: NDArray[np.floating[Any]],
    now: NDArray[np.floating[Any]],
    elapsed_ms: float,
    smoothing_ms: float,
) -> NDArray[np.floating[Any]]:
    """The exponential mean over time, a newer answer later; a time constant of 0 smooths not."""
    part = 1 - np.exp(-elapsed_ms / smoothing_ms) if smoothing_ms > 0 else 1.0
    return before + part * (now - before)


def thresholds(record: Mapping[str, Any]) -> dict[str, float]:
    """The least probability of a sure answer, 0..1, for each of WAYS, from a network's record.

    Records of version 0.1.0 hold one threshold, of the views, which then stands for all; those
    that were never calibrated call every answer sure.
    """
    fitted = record.get("calibration", {})
    return {
        way: fitted.get("thresholds", {}).get(way, fitted.get("threshold", 0.0)) for way in WAYS
    }
