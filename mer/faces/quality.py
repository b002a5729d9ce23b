"""Whether a face can be judged: large, sharp and bright enough, bare, turned to the camera.

What covers a face, a hand or anything else, is told by a linear model of the face's gradients,
trained by `python -m tools.occlusion`. What a face scores depends on whose it is, on a beard, on
glasses; so in videos each look is compared with the person's own bare ones. In a picture the score
has to be one that hardly a bare face has. A second model of the same gradients tells dark glasses
from bare eyes and plain glasses, in pictures alone.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Final

import cv2
import numpy as np

from mer.faces import alignment
from mer.faces.detection import Face
from mer.weights import store

SIDE: Final = 64  # pixels: crops are brought to it, so that sharpness does not depend on size
COVER: Final = "cover"  # name of weights and record
INPUTS: Final = 1764  # see `gradients`
SMALLEST: Final = 40  # pixels: the least width of a face whose shape tells anything
# The least sharpness of one. Of 180 faces of six sets as they are, all are sharper, and 1 counts as
# covered; blurred by 5 % of their height 75 of 165 counted so, which this leaves to 1.
LEAST_SHARP: Final = 0.2
BARE: Final = 0.25  # the quantile of a person's scores that is taken for their bare face
_HISTOGRAMS: Final = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)  # Dalal, Triggs 2005
LOOKS: Final = 5  # of which the middle score counts: a hand that stays for three is seen


@dataclass(frozen=True)
class Quality:
    """What makes a face hard to judge, measured."""

    height: int  # pixels, of its box
    sharpness: float  # spread of the Laplacian over that of the gray values themselves, from 0
    brightness: float  # mean gray value, 0..255
    turn: float  # degrees to the side, 0..90, about; 0 where the detector gives no points
    # Degrees by which the head leans beyond the roll that was found and is undone in its crop,
    # 0..180; 0 where the detector gives no points.
    tilt: float
    covered: bool = False  # whether something covers it, see `Face`


@dataclass(frozen=True)
class Bounds:
    """From where on a face cannot be judged.

    There the networks' mean accuracy on held-out pictures is 20 points below that of the pictures
    as they are (docs/lab/robustness.md). Turned to the side that is at 58 degrees, which the
    detector's five points tell as 53 (`python -m benchmarks pose`). The other four were measured on
    the weights of 0.1.0; those that ship bear a little more.
    """

    height: int = 19  # pixels
    sharpness: float = 0.113
    brightness: float = 27.4  # gray levels
    turn: float = 53.0  # degrees
    tilt: float = 40.5  # degrees


BOUNDS: Final = Bounds()
NOSE: Final = 0.48  # How far the tip of the nose stands before the eyes, in their distance.


def measure(crop: np.ndarray, face: Face) -> Quality:
    """Measure a face, given its crop: an RGB uint8 square, as `detection.crop` cuts it."""
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return Quality(face.box[3], sharpness(gray), float(gray.mean()), *pose(face), face.covered)


def sharpness(gray: np.ndarray) -> float:
    """See `Quality`, of float32 gray values (SIDE, SIDE)."""
    edges = cv2.Laplacian(gray, cv2.CV_32F)
    return float(edges.std() / max(float(gray.std()), 1.0))


def pose(face: Face) -> tuple[float, float]:
    """Degrees of turning and of tilting, see `Quality`, from the detector's five points."""
    if not face.points:
        return 0.0, 0.0
    right, left, nose, one, other = np.asarray(face.points, float)
    down = (one + other - right - left) / 2
    lean = math.degrees(math.atan2(-down[0], down[1]))
    tilt = abs((lean - face.roll + 180) % 360 - 180)
    across = left - right
    width = float(np.hypot(*across))
    if not width:
        return 90.0, tilt
    aside = float((nose - (right + left) / 2) @ across) / width**2
    return math.degrees(math.atan(abs(aside) / NOSE)), tilt


def concerns(quality: Quality) -> tuple[str, ...]:
    """Why the face cannot be judged, such as 'too dark'; () where it can."""
    small = quality.height < BOUNDS.height
    found = (
        (small, f"too small ({quality.height} pixels high, {BOUNDS.height} are needed)"),
        (quality.sharpness < BOUNDS.sharpness and not small, "too blurred"),
        (quality.brightness < BOUNDS.brightness, "too dark"),
        (quality.turn > BOUNDS.turn, f"turned too far (about {quality.turn:.0f} degrees)"),
        (quality.covered, "covered (by a hand, a mask, sunglasses or the like)"),
        (quality.tilt > BOUNDS.tilt, f"tilted too far (about {quality.tilt:.0f} degrees)"),
    )
    return tuple(text for holds, text in found if holds)


def gradients(image: np.ndarray, face: Face) -> np.ndarray:
    """Histograms of gradients of the level face: float32 (INPUTS,), centred, norm 1."""
    return _described(_level(image, face))


def _level(image: np.ndarray, face: Face) -> np.ndarray:  # gray, uint8 (64, 64)
    return cv2.cvtColor(alignment.warped(image, alignment.by_eyes(face), 64), cv2.COLOR_RGB2GRAY)


def _described(gray: np.ndarray) -> np.ndarray:
    counts = np.ravel(_HISTOGRAMS.compute(gray))
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
            if sharpness(gray.astype(np.float32)) >= LEAST_SHARP:
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


def covered_spans(times_ms: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Float64 (k, 2): the first and the last time of each run of covered looks."""
    turns = np.flatnonzero(np.diff(covered.astype(np.int8), prepend=0, append=0))
    return np.column_stack([times_ms[turns[::2]], times_ms[turns[1::2] - 1]])


def mark_covered(image: np.ndarray, faces: Sequence[Face]) -> list[Face]:
    """The faces of an RGB uint8 picture, each with whether it is covered."""
    model = cover_model()
    hidden = [(model.scores(image, face) >= np.array(model.still)).any() for face in faces]
    return [replace(one, covered=bool(hides)) for one, hides in zip(faces, hidden, strict=True)]


def cover_model() -> Cover:
    """The model that ships. Raises WeightsError if weights or record are missing or damaged."""
    return _cover(COVER, (2, INPUTS), folder=store.FOLDER)


_cover = functools.lru_cache(maxsize=1)(functools.partial(store.load_linear, Cover))
