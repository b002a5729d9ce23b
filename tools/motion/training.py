"""Recognition from motion: how it is trained, and how it is tried on people it has never seen."""

import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from mer.video.motion_classifier import NAME, features
from mer.video.types import MOTIONS
from tools.motion.dataset import Motions, read
from tools.motion.scores import CrossValidation, Run, score

SEEDS: Final = (0, 1, 2)
FOLDS: Final = 5  # of subjects, among whom a setting is chosen
BLURS: Final = (1.0, 1.6, 2.2)  # cells of a map
PENALTIES: Final = (3.0, 1.0, 0.3, 0.1)  # from stiff to supple: each search starts at the last


@dataclass(frozen=True)
class Setting:
    """What is chosen inside the folds: one of BLURS and one of PENALTIES."""

    blur: float
    penalty: float


SETTINGS: Final = tuple(Setting(*pair) for pair in product(BLURS, PENALTIES))


def cross_validate(data: Path, seeds: tuple[int, ...] = SEEDS) -> CrossValidation:
    """Leave one subject out, all choices made among the others; some minutes for three seeds.

    Args:
        data: folder of motion maps, see `motion_data.read`.
        seeds: of the folds in which a setting is chosen.

    Raises:
        DataError: the maps cannot be read.
    """
    return _cross_validated(read(data), seeds)


def fit(data: Path, out: Path, seeds: tuple[int, ...] = SEEDS) -> CrossValidation:
    """Train on all maps, by the procedure that `cross_validate` scores; write weights and record.

    Args:
        data: folder of motion maps, see `motion_data.read`.
        out: folder for the weights and their record, which holds the scores.
        seeds: of `cross_validate`; the first one chooses the setting of what is written.

    Raises:
        DataError: the maps cannot be read.
    """
    from mer.weights import store

    motions, start = read(data), time.process_time()
    scores = _cross_validated(motions, seeds)
    inputs = {blur: features(motions.maps, blur) for blur in BLURS}
    setting = chosen(inputs, motions, np.ones(len(motions.labels), bool), seeds[0])
    found = learned(inputs[setting.blur], motions.labels, setting.penalty)
    record = _record(data, motions, setting, scores, time.process_time() - start)
    model = {"linear.weight": found[:-1].T, "linear.bias": found[-1]}
    store.save(model, NAME, record, out)
    return scores


def _cross_validated(motions: Motions, seeds: tuple[int, ...]) -> CrossValidation:
    inputs = {blur: features(motions.maps, blur) for blur in BLURS}
    return CrossValidation(tuple(_run(inputs, motions, seed) for seed in seeds))


def _run(inputs: dict[float, np.ndarray], motions: Motions, seed: int) -> Run:
    """Answers to every map by a model that saw nothing of its subject."""
    from tqdm import tqdm

    answers = np.zeros(len(motions.labels), np.int64)
    settings = []
    for subject in tqdm(np.unique(motions.subjects), desc=f"seed {seed}", disable=None):
        held = motions.subjects == subject
        setting = chosen(inputs, motions, ~held, seed)
        seen = inputs[setting.blur]
        values = learned(seen[~held], motions.labels[~held], setting.penalty)
        answers[held] = answered(seen[held], values).argmax(1)
        settings.append(f"blur {setting.blur}, penalty {setting.penalty}")
    everything = np.ones(len(answers), bool)
    parts = {str(name): motions.datasets == name for name in np.unique(motions.datasets)}
    scores = [
        score(motions.labels[part], answers[part], motions.subjects[part])
        for part in (everything, *parts.values())
    ]
    return Run(seed, scores[0], dict(zip(parts, scores[1:], strict=True)), settings)


def chosen(
    inputs: dict[float, np.ndarray], motions: Motions, rows: NDArray[np.bool_], seed: int
) -> Setting:
    """The setting with the least loss on subjects left out, FOLDS times, of those in `rows`.

    The loss is the mean over the classes of their mean negative log probability.
    """
    subjects = np.unique(motions.subjects[rows])
    order = np.random.default_rng(seed).permutation(len(subjects)) % FOLDS
    folds = dict(zip(subjects, order, strict=True))
    fold = np.array([folds.get(subject, -1) for subject in motions.subjects])
    losses = {}
    for blur, seen in inputs.items():
        answers = {penalty: np.zeros((len(seen), len(MOTIONS))) for penalty in PENALTIES}
        for number in range(FOLDS):
            values, train, test = None, rows & (fold != number), fold == number
            for penalty in PENALTIES:
                values = learned(seen[train], motions.labels[train], penalty, values)
                answers[penalty][test] = answered(seen[test], values)
        for penalty in PENALTIES:
            losses[Setting(blur, penalty)] = _loss(answers[penalty][rows], motions.labels[rows])
    return min(losses, key=lambda setting: losses[setting])


def _loss(answers: np.ndarray, labels: NDArray[np.int64]) -> float:
    errors = -answers[np.arange(len(labels)), labels]
    return float(np.mean([errors[labels == number].mean() for number in range(len(MOTIONS))]))


def answered(inputs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Log probabilities, float64 (n, 3), that weights and biases give."""
    answers: np.ndarray = log_softmax(inputs @ values[:-1] + values[-1], axis=1)
    return answers


def learned(
    inputs: np.ndarray,
    labels: NDArray[np.int64],
    penalty: float,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Weights and, as the last row, biases of a logistic regression: float64 (INPUTS + 1, 3).

    Args:
        inputs: (n, INPUTS), see `recognition.features`.
        labels: (n,), each class at least once; all classes count the same.
        penalty: on half the squared weights, beside the losses' sum over the maps.
        start: of the search.
    """
    columns = np.hstack([inputs, np.ones((len(inputs), 1))]).astype(np.float64)
    shape = columns.shape[1], len(MOTIONS)
    weight = (len(labels) / len(MOTIONS) / np.bincount(labels))[labels][:, None]
    target = weight * np.eye(len(MOTIONS))[labels]
    shrink = np.full((shape[0], 1), penalty)
    shrink[-1] = 0  # biases are free

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        values = flat.reshape(shape)
        logs = log_softmax(columns @ values, axis=1)
        slope = columns.T @ (weight * np.exp(logs) - target) + shrink * values
        return float((shrink * values**2).sum() / 2 - (target * logs).sum()), slope.ravel()

    begin = np.zeros(shape) if start is None else start
    found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options={"ftol": 1e-7})
    return np.asarray(found.x).reshape(shape)


def _record(
    data: Path, motions: Motions, setting: Setting, scores: CrossValidation, seconds: float
) -> dict[str, Any]:
    import mer
    from mer.weights.provenance import machine, now, versions

    return {
        "model": NAME,
        "version": mer.__version__,
        "classes": list(MOTIONS),
        "options": {"blur": setting.blur},
        "training": {
            "data": {
                "name": data.resolve().name,
                "fingerprint": motions.fingerprint,
                "subjects": len(np.unique(motions.subjects)),
                "maps": motions.counts(),
            },
            "penalty": setting.penalty,
            "cpu_seconds": seconds,
            "finished": now(),
            "machine": machine(),
            "versions": versions(),
        },
        "evaluation": scores.as_json(),
    }
