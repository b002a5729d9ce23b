"""What the motion of an expression looks like: negative, positive or surprise.

A linear model of the flow from onset to apex, trained by `motion_training`. It answers a face and
the mirrored face alike, since all it sees is the mean of both.
"""

import functools
from pathlib import Path
from typing import Final

import numpy as np

from mer.video.motion import flow_maps
from mer.video.types import MOTIONS
from mer.weights import store

NAME: Final = "motion"  # of weights and record
CELLS: Final = 14  # a side, of the grid that a map is brought to
INPUTS: Final = (
    CELLS * CELLS // 2 * len(flow_maps.CHANNELS)
)  # the other half of the grid mirrors it


def recognise(maps: np.ndarray) -> np.ndarray:
    """Probabilities of MOTIONS, float32 (n, 3), were all three equally common.

    Args:
        maps: (n, 28, 28, 3), such as `flow_maps.flow_map` gives them.

    Raises:
        WeightsError: the model's weights or record are missing or damaged.
        ValueError: the maps have another shape.
    """
    return _recogniser(store.FOLDER).probabilities(maps)


class Recogniser:
    """Multinomial logistic regression of a blurred map."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray, *, blur: float) -> None:
        """Make one of what was learned.

        Args:
            weight: float32 (3, INPUTS).
            bias: float32 (3,).
            blur: standard deviation in cells of a map, see `features`.
        """
        self._weight, self._bias, self._blur = weight, bias, blur

    def probabilities(self, maps: np.ndarray) -> np.ndarray:
        """See `recognise`."""
        logits = features(maps, self._blur) @ self._weight.T + self._bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        answer: np.ndarray = odds / odds.sum(1, keepdims=True)
        return answer


def features(maps: np.ndarray, blur: float) -> np.ndarray:
    """What the model sees of maps: float32 (n, INPUTS), of unit length or a little less.

    Rest is brought to zero, the map blurred, each channel brought to one size, and the mean taken
    with the mirrored map.

    Args:
        maps: (n, 28, 28, 3), see `recognise`.
        blur: standard deviation in cells of a map.

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
