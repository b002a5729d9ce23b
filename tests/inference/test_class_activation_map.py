"""Class-activation maps: of the right form, about the network, and better than chance."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch

from mer.emotions import EMOTIONS
from mer.errors import MerError, WeightsError
from mer.faces import detection
from mer.inference import class_activation_map
from mer.io import images
from mer.models.registry import MODELS
from mer.weights import store

HAPPY = EMOTIONS.index("happiness")


@pytest.fixture
def face(astronaut: np.ndarray) -> np.ndarray:
    (found, *_) = detection.detect(astronaut)
    return detection.crop(astronaut, found)


def test_an_unknown_class_is_a_sentence(face: np.ndarray) -> None:
    with pytest.raises(MerError, match="no class 'joy': choose anger"):
        class_activation_map.layer_cam(face, "cnn1", "joy")


def test_an_unknown_network_is_a_sentence(face: np.ndarray) -> None:
    with pytest.raises(WeightsError, match="no network called"):
        class_activation_map.layer_cam(face, "cnn9", "happiness")


def test_one_pixel_has_a_map() -> None:
    heat = class_activation_map.layer_cam(np.zeros((1, 1, 3), np.uint8), "cnn1", "anger")
    assert np.isfinite(heat).all()


@pytest.mark.parametrize("name", store.available())
def test_a_map_is_a_picture_of_shares(face: np.ndarray, name: str) -> None:
    heat = class_activation_map.layer_cam(face, name, "happiness")
    network, _ = store.load(name)
    assert heat.shape == (network.size, network.size)
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert heat.max() == pytest.approx(1)


@pytest.mark.parametrize("name", store.available())
def test_a_mirrored_face_has_the_mirrored_map(face: np.ndarray, name: str) -> None:
    network, _ = store.load(name)
    pixels = images.resize(face, network.size)
    heat = class_activation_map.activation_map(network, pixels, HAPPY)
    mirrored = class_activation_map.activation_map(
        network, np.ascontiguousarray(pixels[:, ::-1]), HAPPY
    )
    assert mirrored[:, ::-1] == pytest.approx(heat, abs=1e-3)


@pytest.mark.parametrize("name", store.available())
def test_maps_are_about_the_network(face: np.ndarray, name: str) -> None:
    """Adebayo et al. 2018: a map that outlives the weights shows the picture, not the network."""
    network, _ = store.load(name)
    pixels = images.resize(face, network.size)
    before = class_activation_map.activation_map(network, pixels, HAPPY)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for values in network.parameters():
            order = torch.randperm(values.numel(), generator=generator)
            values.copy_(values.flatten()[order].reshape(values.shape))
    after = class_activation_map.activation_map(network, pixels, HAPPY)
    # After it, a map may be empty: nothing speaks for the class any more.
    assert np.abs(before - after).mean() > 0.3 * before.mean()


@pytest.mark.parametrize("name", ["cnn1", "cnn2"])
def test_networks_without_batch_normalisation_have_maps(face: np.ndarray, name: str) -> None:
    network = MODELS[name](norm=False).eval()
    layers = [network.get_submodule(at) for at in network.explained]
    assert [type(layer) for layer in layers] == [torch.nn.ReLU, torch.nn.ReLU]
    pixels = images.resize(face, network.size)
    heat = class_activation_map.activation_map(network, pixels, HAPPY)
    assert heat.shape == (network.size, network.size)


def deletion(
    network: torch.nn.Module, pixels: np.ndarray, order: np.ndarray, number: int, steps: int = 10
) -> list[float]:
    """The class's probability while more and more of the picture is blurred away.

    Args:
        network: a classifier in evaluation mode.
        pixels: RGB uint8 (size, size, 3).
        order: float (size, size); what is highest goes first (Petsiuk et al. 2018).
        number: of the class.
        steps: equal shares of the picture; the result has one entry more.
    """
    blurred = cv2.GaussianBlur(pixels, (0, 0), len(pixels) / 8)
    ranks = np.argsort(np.argsort(-order.ravel(), kind="stable")).reshape(order.shape)
    gone = [ranks < round(order.size * step / steps) for step in range(steps + 1)]
    stages = np.stack([np.where(mask[..., None], blurred, pixels) for mask in gone])
    with torch.inference_mode():
        chances = network(torch.from_numpy(stages).permute(0, 3, 1, 2).float().div(255)).softmax(1)
    curve: list[float] = chances[:, number].tolist()
    return curve


@pytest.mark.parametrize("name", store.available())
def test_what_is_hot_matters_more_than_chance(face: np.ndarray, name: str) -> None:
    network, _ = store.load(name)
    pixels = images.resize(face, network.size)
    heat = class_activation_map.activation_map(network, pixels, HAPPY)
    rng = np.random.default_rng(0)
    patches = [images.resize(_noise(rng), network.size)[:, :, 0] for _ in range(8)]
    by_chance = [np.mean(deletion(network, pixels, p, HAPPY)) for p in patches]
    curve = deletion(network, pixels, heat, HAPPY)
    assert len(curve) == 11
    assert np.mean(curve) < np.mean(by_chance)


def _noise(rng: np.random.Generator) -> np.ndarray:
    return np.repeat(rng.integers(0, 256, (6, 6, 1), dtype=np.uint8), 3, axis=2)


def test_many_may_ask_at_once(face: np.ndarray) -> None:
    alone = class_activation_map.layer_cam(face, "cnn1", "happiness")
    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda _: class_activation_map.layer_cam(face, "cnn1", "happiness"), range(8))
        )
    assert all(one == pytest.approx(alone, abs=1e-5) for one in together)


def test_an_overlay_goes_from_the_face_to_the_map(face: np.ndarray) -> None:
    heat = class_activation_map.layer_cam(face, "cnn1", "happiness")
    assert (class_activation_map.overlay(face, heat, 0.0) == face).all()
    assert class_activation_map.overlay(face, heat, 1.0).shape == face.shape
    assert (class_activation_map.overlay(face, heat, 1.0) != face).any()
