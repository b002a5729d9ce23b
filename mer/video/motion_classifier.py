"""What the motion of an expression looks like: negative, positive or surprise.

A linear model of the flow from onset to apex, trained by `motion_training`. It answers a face and
the mirrored face alike, since all it sees is the mean of both.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from mer.video.motion import flow_maps
from mer.video.types import MOTIONS, Event
from mer.weights import store

NAME: Final = "motion"  # of weights and record
CELLS: Final = 14  # a side, of the grid that a map is brought to
SURE: Final = 0.6  # at which 91 of 100 answers on 32 flashes are right, and 28 in 100 get none
LEAST: Final = 1e-3  # of a network's probabilities that counts
KINDS: Final = {  # the classes that each of MOTIONS stands for
    "negative": ("anger", "disgust", "fear", "sadness"),
    "positive": ("happiness",),
    "surprise": ("surprise",),
}
INPUTS: Final = CELLS**2 // 2 * len(flow_maps.CHANNELS)  # the grid's other half mirrors it


def recognise(maps: np.ndarray) -> np.ndarray:
    """Probabilities of MOTIONS, float32 (n, 3), were all three equally common, from n `flow_map`s.

    Raises:
        WeightsError: the model's weights or record are missing or damaged.
        ValueError: the maps have another shape than (n, 28, 28, 3).
    """
    return _recogniser(store.FOLDER).probabilities(maps)


def change(onset: Sequence[float], apex: Sequence[float]) -> np.ndarray:
    """What a face has come to look more like, from its onset to its apex: float (classes,).

    The ratio of what a network says of each, scaled to sum to 1: many a resting face looks sad to a
    network, and what it looks like at the apex says little of what passed over it.
    """
    rise = np.clip(apex, LEAST, None) / np.clip(onset, LEAST, None)
    shares: np.ndarray = rise / rise.sum()
    return shares


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
    """Which of MOTIONS an event looks like, its probability, and whether that is sure.

    It is not under SURE, nor where the face can hardly be judged. None where nothing is known.
    """
    if not event.motion:
        return None
    shares = fused(event.motion, event.still, event.classes) if event.still else event.motion
    best = max(range(len(shares)), key=shares.__getitem__)
    return MOTIONS[best], shares[best], shares[best] >= SURE and not event.concerns


class Recogniser:
    """Multinomial logistic regression of a blurred map."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray, *, blur: float) -> None:
        """Take what was learned: float32 (3, INPUTS) and (3,), and the blur of the `features`."""
        self._weight, self._bias, self._blur = weight, bias, blur

    def probabilities(self, maps: np.ndarray) -> np.ndarray:
        """See `recognise`."""
        logits = features(maps, self._blur) @ self._weight.T + self._bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        answer: np.ndarray = odds / odds.sum(1, keepdims=True)
        return answer


def features(maps: np.ndarray, blur: float) -> np.ndarray:
    """What the model sees of maps (n, 28, 28, 3): float32 (n, INPUTS), of unit length or less.

    Rest is brought to zero, the map blurred by so many cells (a standard deviation), each channel
    brought to one size, and the mean taken with the mirrored map.

    Raises:
        ValueError: the maps have another shape.
    """
    shape = (flow_maps.SIDE, flow_maps.SIDE, len(flow_maps.CHANNELS))
    if np.shape(maps)[1:] != shape:
        raise ValueError(f"Maps have the shape (n, {', '.join(map(str, shape))}).")
    window = _window(blur)
    seen = flow_maps.unit(window @ flow_maps.levelled(maps) @ window.T)
    half = ((seen + flow_maps.mirrored(seen)) / 2)[..., : CELLS // 2]
    scaled: np.ndarray = half.reshape(-1, INPUTS) * np.float32(INPUTS**-0.5)
    return scaled


@functools.cache
def _window(blur: float) -> np.ndarray:
    """Float32 (CELLS, SIDE): the weight of each row of a map in each row of the grid."""
    centers = (np.arange(CELLS) + 0.5) * flow_maps.SIDE / CELLS - 0.5
    weight = np.exp(-(((np.arange(flow_maps.SIDE) - centers[:, None]) / blur) ** 2) / 2)
    window: np.ndarray = (weight / weight.sum(1, keepdims=True)).astype(np.float32)
    return window


@functools.lru_cache(maxsize=1)
def _recogniser(folder: Path) -> Recogniser:
    return store.load_linear(Recogniser, NAME, (len(MOTIONS), INPUTS), folder=folder)
