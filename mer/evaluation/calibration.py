"""Calibration: choice of views, temperature, thresholds of sure answers, calibration error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mer.data import dataset
from mer.inference.predictor import Predictor
from mer.inference.probabilities import LOOK_MS, SMOOTHING_MS, is_sure, smoothed
from mer.inference.probabilities import temperature_softmax as softmax
from mer.weights import store

BINS: Final = 15  # number of bins of the confidence, of equal width
SURE: Final = 0.9  # accuracy of sure answers on the validation pictures
STEPS: Final = 20  # number of points of the curve of accuracy against coverage
# Sets of zooms at which a network may see a crop; one of them is chosen on validation pictures.
VIEWS: Final[tuple[tuple[float, ...], ...]] = ((1.0,), (1.0, 1.15))
WORTH: Final = 0.003  # least gain of accuracy for a second zoom, which doubles the time
BOUNDS: Final = (0.2, 5.0)  # lowest and highest temperature
# The live view sees a face many times, while its box moves and the camera's noise changes. FRAMES
# crops of a held-out picture simulate that, each shifted, scaled and noisy.
FRAMES: Final = 6
JITTER: Final = 0.02  # standard deviation of shift and scale, in parts of the crop's side
NOISE: Final = 3.0  # standard deviation of the noise, gray levels

Answers = tuple[NDArray[np.floating[Any]], NDArray[np.int64]]  # logits (views, n, 7), labels (n,)


def fit(*answers: Answers) -> float:
    """Return the temperature of the greatest likelihood; all sets of answers have equal weight."""
    from scipy.optimize import minimize_scalar

    def loss(temperature: float) -> float:
        chances = [
            softmax(logits, temperature)[np.arange(len(labels)), labels]
            for logits, labels in answers
        ]
        return fmean(float(-np.log(one.clip(1e-12)).mean()) for one in chances)

    return float(minimize_scalar(loss, bounds=BOUNDS, method="bounded").x)


def threshold(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the lowest confidence at and above which the share `SURE` of answers is right, or 1.

    From calibrated probabilities (n, classes) and true classes (n,) of held-out pictures.
    """
    confidence, right = _ranked(probabilities, labels)
    running = np.cumsum(right) / np.arange(1, len(right) + 1)  # accuracy of the first 1, 2, 3, ...
    enough = np.flatnonzero(running >= SURE)
    return float(confidence[enough[-1]]) if len(enough) else 1.0


def confidence(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], least: float | Sequence[float]
) -> dict[str, Any]:
    """Return how well probabilities (n, classes) fit the labels (n,), as valid JSON.

    `ece` is the expected calibration error over BINS bins of the confidence, the highest of the
    probabilities; `bins` are those that hold a face. `coverage` lists the accuracy of the most
    confident answers at each coverage. `sure` has coverage and accuracy of the answers whose
    confidence is at least their class's of `least`; the accuracy is None where there are none.
    """
    ranked, right = _ranked(probabilities, labels)
    bins = _bins(ranked, right)
    sure = is_sure(probabilities, least)
    sure_right = (probabilities.argmax(axis=1) == labels)[sure]
    curve = [
        (step / STEPS, right[: max(1, round(len(right) * step / STEPS))])
        for step in range(1, STEPS + 1)
    ]
    return {
        "ece": _ece(bins),
        "bins": bins,
        "coverage": [{"coverage": part, "accuracy": float(one.mean())} for part, one in curve],
        "sure": {
            "coverage": float(sure.mean()),
            "accuracy": float(sure_right.mean()) if len(sure_right) else None,
        },
    }


def _ranked(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return confidence and correctness of each answer, the most confident first."""
    highest = probabilities.max(axis=1)
    order = np.argsort(-highest, kind="stable")
    return highest[order], (probabilities.argmax(axis=1) == labels)[order]


def _bins(ranked: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    numbers = np.minimum((ranked * BINS).astype(int), BINS - 1)
    return [
        {
            "low": number / BINS,
            "n": int(inside.sum()),
            "confidence": float(ranked[inside].mean()),
            "accuracy": float(right[inside].mean()),
        }
        for number in np.unique(numbers).tolist()
        for inside in [numbers == number]
    ]


def _ece(bins: Sequence[Mapping[str, Any]]) -> float:
    apart = sum(one["n"] * abs(one["accuracy"] - one["confidence"]) for one in bins)
    return float(apart / sum(one["n"] for one in bins))


def calibrate(name: str, source: str | Path) -> dict[str, Any]:
    """Choose views, temperature and thresholds of a shipped network on its validation pictures.

    These are the pictures of `source` that its last training held out. The result, which `save`
    writes into the record, has `zooms`, `temperature`, the `thresholds` of each way of answering
    (`threshold` is that of all views) and `coverage`, the share of the pictures that is sure.
    Raises WeightsError: the network's files are missing or damaged; DataError: the data set cannot
    be read; MerError: it is not the one that the network was trained on last.
    """
    predictor = Predictor(name)
    pixels, labels = dataset.held_out(predictor.record, source, predictor.size)
    crops = list(pixels)
    answers = {zooms: predictor.logits(crops, zooms) for zooms in VIEWS}
    named = {zooms: softmax(logits, 1.0).argmax(axis=1) for zooms, logits in answers.items()}
    right = {zooms: float((one == labels).mean()) for zooms, one in named.items()}
    one, two = VIEWS
    zooms = two if right[two] >= right[one] + WORTH else one
    logits = answers[zooms]
    fitted = fit((logits, labels))
    ways = {
        "views": softmax(logits, fitted),
        "quick": softmax(answers[one][:1], fitted),  # the crop alone stands first
        "smoothed": _live_answers(predictor, crops, fitted),
    }
    found = {way: threshold(chances, labels) for way, chances in ways.items()}
    sure = {way: float((one.max(axis=1) >= found[way]).mean()) for way, one in ways.items()}
    return {
        "zooms": list(zooms),
        "accuracies": [{"zooms": list(one), "accuracy": right[one]} for one in VIEWS],
        "temperature": fitted,
        "threshold": found["views"],
        "thresholds": found,
        "coverage": sure,
        "n": len(labels),
        "ece_before": _ece(_bins(*_ranked(softmax(logits, 1.0), labels))),
        "ece_after": _ece(_bins(*_ranked(ways["views"], labels))),
    }


def _live_answers(
    predictor: Predictor, crops: Sequence[np.ndarray], temperature: float
) -> NDArray[np.float64]:
    """Return probabilities (n, classes) of n crops, RGB uint8, smoothed as in the live view."""
    rng = np.random.default_rng(0)
    answer: NDArray[np.floating[Any]] | None = None
    for _ in range(FRAMES):
        seen = [_jittered(crop, rng) for crop in crops]
        now = softmax(predictor.logits(seen, (1.0,), mirrored=False), temperature)
        answer = now if answer is None else smoothed(answer, now, LOOK_MS, SMOOTHING_MS)
    return np.asarray(answer, np.float64)


def _jittered(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the crop a little shifted, scaled and with other noise, as another frame shows it."""
    side = len(crop)
    scale = 1 + rng.normal(0, JITTER)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2,) * 2, 0, scale)
    matrix[:, 2] = matrix[:, 2] + rng.normal(0, JITTER * side, 2)
    moved = cv2.warpAffine(crop, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    noisy = np.rint(moved + rng.normal(0, NOISE, crop.shape)).clip(0, 255)
    return np.asarray(noisy, np.uint8)


def save(name: str, calibration: dict[str, Any]) -> None:
    """Replace the fit in a network's record; its choice of views stays where the new has none."""
    record = store.read_record(name, folder=store.FOLDER)
    before = record.get("calibration", {})
    views = {key: before[key] for key in ("zooms", "accuracies") if key in before}
    store.write_record(name, record | {"calibration": views | calibration})
