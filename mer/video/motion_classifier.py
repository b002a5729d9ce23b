"""What the motion of an expression looks like: negative, positive or surprise.

The motion becomes a small map in the form of the training maps (see `tools.motion.dataset`), the
input of STSTNet (Liong et al. 2019): flow from onset to apex across and down, and its strain,
28x28, each channel stretched to 0..255. So a map tells neither how far anything moved nor where
rest is; `levelled` finds rest again. A linear model, trained by `python -m tools.motion`, names it;
it answers a face and the mirrored face alike, since all it sees is the mean of both.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.video.motion import flow
from mer.video.types import MOTIONS, Event
from mer.weights import store

NAME: Final = "motion"  # of weights and record
SURE: Final = 0.6  # at which 91 of 100 answers on 32 flashes are right, and 28 in 100 get none
LEAST: Final = 1e-3  # of a network's probabilities that counts
KINDS: Final = {  # the classes that each of MOTIONS stands for
    "negative": ("anger", "disgust", "fear", "sadness"),
    "positive": ("happiness",),
    "surprise": ("surprise",),
}

SIDE: Final = 28  # cells a side of a map
CHANNELS: Final = ("across", "down", "strain")  # to the picture's right, down, and deformation
# Which part of the aligned face (pixels of 320) a map covers: left, top, right, bottom. In the
# training maps blinks put the eyes 16 cells apart and in row 6.7; CASME II's and SMIC's faces were
# cut out a fifth higher than wide; and smiles of our own then lie where theirs do.
CROP: Final = (55, 52, 265, 315)
# Pixels of the aligned face, 99th percentile: a face beside itself has 0.013, from rounding and the
# edges, which a map would stretch to full range; one beside a noisy copy (2 gray levels) 0.19.
STILL: Final = 0.02
CELLS: Final = 14  # a side, of the grid that a map is brought to
INPUTS: Final = CELLS**2 // 2 * len(CHANNELS)  # the grid's other half mirrors it


def flow_map(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """What moves between two aligned views, RGB uint8 (320, 320, 3): a map, float32 (28, 28, 3)."""
    settings = 0.5, 3, 15, 5, 7, 1.5, 0  # Farneback 2003: slower than `flow.dense`, less noisy
    views = flow.gray(onset), flow.gray(apex)
    field: np.ndarray = cv2.calcOpticalFlowFarneback(*views, None, *settings)  # type: ignore[call-overload]
    if np.percentile(np.abs(field), 99) < STILL:
        return np.zeros((SIDE, SIDE, len(CHANNELS)), np.float32)
    left, top, right, bottom = CROP
    both = np.dstack([field, strain(field)])[top:bottom, left:right]
    cells = cv2.resize(both, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low, high = cells.min((0, 1)), cells.max((0, 1))
    return np.asarray((cells - low) * (255 / np.where(high > low, high - low, 1)), np.float32)


def strain(field: np.ndarray) -> np.ndarray:
    """Optical strain, float32 (h, w): how much a flow (h, w, 2) deforms, whichever way."""
    across_down, across_right = np.gradient(field[..., 0])
    down_down, down_right = np.gradient(field[..., 1])
    shear = across_down + down_right
    return np.asarray(np.sqrt(across_right**2 + down_down**2 + shear**2 / 2))


def levelled(maps: np.ndarray) -> np.ndarray:
    """Maps (n, 28, 28, 3) on any scale as channels first, rest at zero: float32 (n, 3, 28, 28).

    Most of a face rests or follows the head, so what the median does is taken for rest.
    """
    values = np.moveaxis(np.array(maps, np.float32), 3, 1)  # a copy
    flows = values[:, :2].reshape(len(values), 2, SIDE * SIDE)  # strain has its zero already
    values[:, :2] -= np.median(flows, 2)[..., None, None]
    return values


def mirrored(values: np.ndarray) -> np.ndarray:
    """Levelled channels (n, 3, h, w) of the mirrored faces: what went right goes left."""
    turned = values[..., ::-1].copy()
    turned[:, 0] *= -1
    return turned


def features(maps: np.ndarray, blur: float) -> np.ndarray:
    """What the model sees of maps (n, 28, 28, 3): float32 (n, INPUTS), of unit length or less.

    Rest is brought to zero, the map blurred by so many cells (a standard deviation), each channel
    brought to one size, and the mean taken with the mirrored map. Other shapes are a ValueError.
    """
    shape = (SIDE, SIDE, len(CHANNELS))
    if np.shape(maps)[1:] != shape:
        raise ValueError(f"Maps have the shape (n, {', '.join(map(str, shape))}).")
    centres = (np.arange(CELLS) + 0.5) * SIDE / CELLS - 0.5
    weights = np.exp(-(((np.arange(SIDE) - centres[:, None]) / blur) ** 2) / 2)
    window = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    seen = window @ levelled(maps) @ window.T
    size = np.sqrt((seen**2).mean((2, 3), keepdims=True))
    seen /= np.where(size > 0, size, 1)
    half = ((seen + mirrored(seen)) / 2)[..., : CELLS // 2]
    return np.asarray(half.reshape(-1, INPUTS) * np.float32(INPUTS**-0.5))


Recogniser = Callable[[np.ndarray], np.ndarray]  # see `recognise`


def recogniser(weight: np.ndarray, bias: np.ndarray, *, blur: float) -> Recogniser:
    """Multinomial logistic regression of `features`: float32 (3, INPUTS) and (3,) were learned."""
    from scipy.special import softmax

    return lambda maps: softmax(features(maps, blur) @ weight.T + bias, axis=1)


@functools.lru_cache(maxsize=1)
def _loaded(folder: Path) -> Recogniser:
    return store.load_linear(recogniser, NAME, (len(MOTIONS), INPUTS), folder=folder)


def recognise(maps: np.ndarray) -> np.ndarray:
    """Probabilities of MOTIONS, float32 (n, 3), were all three equally common, from n `flow_map`s.

    Raises:
        WeightsError: the model's weights or record are missing or damaged.
        ValueError: the maps have another shape than (n, 28, 28, 3).
    """
    return _loaded(store.FOLDER)(maps)


def change(onset: Sequence[float], apex: Sequence[float]) -> np.ndarray:
    """What a face has come to look more like, from its onset to its apex: float (classes,), sum 1.

    The ratio of what a network says of both, for many a resting face looks sad to a network, and
    what it looks like at the apex says little of what passed over it.
    """
    rise = np.clip(apex, LEAST, None) / np.clip(onset, LEAST, None)
    return np.asarray(rise / rise.sum())


def fused(
    motion: Sequence[float], still: Sequence[float], classes: Sequence[str]
) -> tuple[float, ...]:
    """Probabilities of MOTIONS from a motion and what the face has come to look more like.

    The motion's (as `recognise` gives them), times the root of the mean change (as `change` gives
    it) among the classes that each stands for; the motion's alone where a network has others.
    """
    named = dict(zip(classes, still, strict=True))
    groups = [[named[name] for name in KINDS[kind] if name in named] for kind in MOTIONS]
    if not all(groups):
        return tuple(motion)
    odds = np.array(motion) * [np.mean(group) ** 0.5 for group in groups]
    return tuple((odds / odds.sum()).tolist())


def answer(event: Event) -> tuple[str, float, bool] | None:
    """Which of MOTIONS an event looks like, its probability, and whether that is sure, if known.

    It is not under SURE, nor where the face can hardly be judged.
    """
    if not event.motion:
        return None
    shares = fused(event.motion, event.still, event.classes) if event.still else event.motion
    best = int(np.argmax(shares))
    return MOTIONS[best], shares[best], shares[best] >= SURE and not event.concerns
