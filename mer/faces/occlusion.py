"""Where a hand, or anything else, covers a face: then nothing can be said of its expression.

A linear model of the face's gradients, trained by `python -m tools.occlusion`. What a face scores
depends on whose it is, on a beard, on glasses; so in videos each look is compared with the person's
own bare ones. In a picture the score has to be one that hardly a bare face has. A second model of
the same gradients tells dark glasses from bare eyes and plain glasses, in pictures alone.
"""

import functools
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.faces import alignment, quality
from mer.faces.detection import Face
from mer.weights import store

NAME: Final = "cover"  # of weights and record
INPUTS: Final = 1764  # see `shape`
SMALLEST: Final = 40  # pixels: the least width of a face whose shape tells anything
# The least sharpness of one. Of 180 faces of six sets as they are, all are sharper, and 1 counts as
# covered; blurred by 5 % of their height 75 of 165 counted so, which this leaves to 1.
LEAST_SHARP: Final = 0.2
BARE: Final = 0.25  # the quantile of a person's scores that is taken for their bare face
_SHAPE: Final = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)  # Dalal, Triggs 2005
LOOKS: Final = 5  # of which the middle score counts: a hand that stays for three is seen


def shape(image: np.ndarray, face: Face) -> np.ndarray:
    """Histograms of gradients of the level face: float32 (INPUTS,), centred, norm 1."""
    return _described(_level(image, face))


def _level(image: np.ndarray, face: Face) -> np.ndarray:  # gray, uint8 (64, 64)
    return cv2.cvtColor(alignment.warped(image, alignment.by_eyes(face), 64), cv2.COLOR_RGB2GRAY)


def _described(gray: np.ndarray) -> np.ndarray:
    counts = np.ravel(_SHAPE.compute(gray))
    centred = counts - counts.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-9))


@dataclass(frozen=True)
class Cover:
    """Two logistic regressions: scores are the logarithms of the odds that a face is covered."""

    weight: np.ndarray  # float (2, INPUTS), for covers of all kinds and for dark glasses
    bias: np.ndarray  # float (2,)
    _: KW_ONLY
    rise: float  # how far a covered face scores above the person's bare one, at least
    most: float  # what a person's bare face scores at most, in a video
    still: Sequence[float]  # what a covered face of a picture scores in one of both, at least

    def scores(self, image: np.ndarray, face: Face) -> np.ndarray:
        """Float (2,): how far a face of an RGB uint8 picture looks covered; behind dark glasses.

        Both are NaN where that cannot be told: without points, of a small or a blurred face.
        """
        if face.points and face.box[2] >= SMALLEST:
            gray = _level(image, face)
            if quality.sharpness(gray.astype(np.float32)) >= LEAST_SHARP:
                return np.asarray(self.weight @ _described(gray) + self.bias)
        return np.full(2, np.nan)

    def covered(self, scores: np.ndarray) -> np.ndarray:
        """Bool (n,): at which of a person's looks, in order of time, the face is covered.

        Looks beside a covered one count as covered too: the hand is on its way.
        """
        known = np.nan_to_num(scores, nan=-np.inf)
        if not np.isfinite(known).any():
            return np.zeros(len(scores), bool)
        own = min(float(np.quantile(known[np.isfinite(known)], BARE)), self.most)
        padded = np.pad(known, LOOKS // 2, mode="edge")
        middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, LOOKS), axis=1)
        hidden = np.pad(middle > own + self.rise, 1)
        return np.asarray(hidden[:-2] | hidden[1:-1] | hidden[2:])


def spans(times_ms: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Float64 (k, 2): the first and the last time of each run of covered looks."""
    turns = np.flatnonzero(np.diff(covered.astype(np.int8), prepend=0, append=0))
    return np.column_stack([times_ms[turns[::2]], times_ms[turns[1::2] - 1]])


def marked(image: np.ndarray, faces: Sequence[Face]) -> list[Face]:
    """The faces of an RGB uint8 picture, each with whether it is covered."""
    model = load()
    hidden = [(model.scores(image, face) >= np.array(model.still)).any() for face in faces]
    return [replace(one, covered=bool(hides)) for one, hides in zip(faces, hidden, strict=True)]


def load() -> Cover:
    """The model that ships. Raises WeightsError if weights or record are missing or damaged."""
    return _loaded(store.FOLDER)


@functools.lru_cache(maxsize=1)
def _loaded(folder: Path) -> Cover:
    return store.load_linear(Cover, NAME, (2, INPUTS), folder=folder)
