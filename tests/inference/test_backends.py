"""Exported graphs: they answer as the networks do, and refuse what is not theirs."""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from mer.faces import detection
from mer.inference import backends
from mer.inference.backends import OnnxNetwork, TorchNetwork
from mer.inference.probabilities import temperature_softmax
from mer.io import images
from mer.models.registry import MODELS
from mer.weights import store
from mer.weights.onnx_session import one_thread


@pytest.fixture
def pixels(astronaut: np.ndarray) -> np.ndarray:
    """Uint8 (3, 120, 120, 3): a real face, the same upside down, and noise."""
    crop = images.resize(detection.crop(astronaut, detection.detect(astronaut)[0]), 120)
    noise = np.random.default_rng(0).integers(0, 256, crop.shape, np.uint8)
    return np.stack([crop, crop[::-1], noise])


def of_size(pixels: np.ndarray, size: int) -> np.ndarray:
    return np.ascontiguousarray(pixels[:, :size, :size])


@pytest.mark.parametrize("broken", [{}, {"features.0.weight": np.zeros((1, 3, 3, 3), np.float32)}])
def test_other_weights_are_refused(broken: Mapping[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="not the weights of cnn1"):
        OnnxNetwork("cnn1", broken)


def test_the_weights_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match="not the weights of cnn1"):
        OnnxNetwork("cnn1", store.arrays("cnn2")[0])


@pytest.mark.parametrize("options", [{"norm": False}, {"classes": 4}])
def test_networks_built_otherwise_have_no_graph(options: dict[str, Any]) -> None:
    assert not backends.fits("cnn1", options)


@pytest.mark.parametrize("name", ["cnn1", "cnn2", "resnet18", "sface", "faceres"])
def test_a_graph_answers_as_its_network(name: str, pixels: np.ndarray) -> None:
    assert backends.fits(name, {})
    graph, plain = OnnxNetwork(name, store.arrays(name)[0]), TorchNetwork(name)
    assert graph.size == plain.size == MODELS[name].size
    seen = of_size(pixels, graph.size)
    ours, theirs = (temperature_softmax(network(seen), 1.0) for network in (graph, plain))
    assert ours.shape == (3, 7)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_one_thread_answers_the_same(pixels: np.ndarray) -> None:
    graph = OnnxNetwork("cnn1", store.arrays("cnn1")[0])
    seen = of_size(pixels, graph.size)
    with one_thread():
        alone = graph(seen)
    np.testing.assert_allclose(alone, graph(seen), atol=1e-4)


def test_threads_share_a_graph(pixels: np.ndarray) -> None:
    graph = OnnxNetwork("cnn1", store.arrays("cnn1")[0])
    seen, answers = of_size(pixels, graph.size), list[np.ndarray]()
    threads = [threading.Thread(target=lambda: answers.append(graph(seen))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], atol=1e-4)
