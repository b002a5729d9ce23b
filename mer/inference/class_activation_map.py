"""Class-activation maps: the parts of a face on which a network's answer rests."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mer.errors import MerError
from mer.io import images
from mer.weights import store

if TYPE_CHECKING:  # torch takes seconds to import, and the page seldom needs it
    from torch import Tensor

    from mer.models.base import BaseClasificacionImagenes

HOT: Final = cv2.COLORMAP_INFERNO  # from dark to bright, so it is readable in gray, too
_lock = threading.Lock()  # guards the networks, since two requests must not share gradients


def layer_cam(crop: np.ndarray, model: str, emotion: str) -> np.ndarray:
    """Return the class-activation map of a face crop, see `detection.crop`: float32 (size, size).

    LayerCAM (Jiang et al. 2021) over two depths of the network weights each activation by its
    gradient where that is positive; the map is the mean over the crop and its mirror image. `size`
    is that of the network's input. The maximum is 1, or 0 where nothing speaks for the class.
    Raises MerError: no class has this name; WeightsError: the network's files are damaged.
    """
    network, classes = _network(model)
    if emotion not in classes:
        raise MerError(f"{model} knows no class '{emotion}': choose {', '.join(classes)}.")
    return activation_map(network, images.resize(crop, network.size), classes.index(emotion))


def activation_map(
    network: BaseClasificacionImagenes, pixels: np.ndarray, number: int
) -> np.ndarray:
    """Return the map as `layer_cam` does, for a loaded network and a class given by its index."""
    import torch

    batch = torch.from_numpy(np.stack([pixels, pixels[:, ::-1]])).permute(0, 3, 1, 2)
    kept: list[Tensor] = []
    with _lock, torch.enable_grad():  # the hooks of one request would also be called for another
        hooks = [
            network.get_submodule(name).register_forward_hook(lambda _m, _i, out: kept.append(out))
            for name in network.explained
        ]
        try:
            logits = network(batch.float().div(255))
            slopes = torch.autograd.grad(logits[:, number].sum(), kept)
        finally:
            for hook in hooks:
                hook.remove()
    maps = []  # of each layer, their maximum 1
    for activations, gradients in zip(kept, slopes, strict=True):
        both = (activations.detach() * gradients.clamp(min=0)).sum(1).clamp(min=0).numpy()
        mean = ((both[0] + both[1][:, ::-1]) / 2).astype(np.float32)  # turned back
        large = cv2.resize(mean, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        maps.append(np.asarray(large / max(float(large.max()), 1e-12)))
    whole: np.ndarray = np.mean(maps, axis=0).astype(np.float32)
    return whole / max(float(whole.max()), 1e-12)


def overlay(crop: np.ndarray, activation: np.ndarray, strength: float = 0.5) -> np.ndarray:
    """Lay a map, a square in 0..1, over an RGB uint8 crop: at strength 0 the crop alone is seen."""
    size = crop.shape[1], crop.shape[0]
    large = cv2.resize(activation, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    coloured = cv2.applyColorMap((large * 255).astype(np.uint8), HOT)[:, :, ::-1]
    return cv2.addWeighted(crop, 1 - strength, coloured, strength, 0)


@functools.cache
def _network(model: str) -> tuple[BaseClasificacionImagenes, tuple[str, ...]]:
    """Load a second copy of the network, since hooks are put on it."""
    network, record = store.load(model)
    return network, store.classes(record)
