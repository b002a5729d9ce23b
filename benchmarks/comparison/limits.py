"""How near the networks come to what the machine can do, at answering and at learning."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mer.inference.backends import OnnxNetwork, TorchNetwork
from mer.inference.speed import milliseconds
from mer.models.registry import MODELS
from mer.weights import store

BATCH: Final = 64
SIDE: Final = 3072  # of the matrices whose product shows what the cores reach
RUNS: Final = 12


@dataclass(frozen=True)
class Share:
    """A network's arithmetic over its time.

    Attributes:
        operations: floating-point operations for one picture and one view.
        milliseconds: for a batch of BATCH pictures with two views each: graph and torch.
        alone: for one picture with two views, likewise.
        reached: gigaflops of the graph at BATCH.
        share: of what a matrix product reaches.
    """

    operations: float
    milliseconds: tuple[float, float]
    alone: tuple[float, float]
    reached: float
    share: float


def product() -> float:
    """Gigaflops that a product of two large float32 matrices reaches on these cores, at best."""
    one, other = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    return 2 * SIDE**3 / 1e6 / min(milliseconds(lambda: one @ other, RUNS))


def shares() -> dict[str, Share]:
    """The figures of every network that ships."""
    best = product()
    return {name: _share(name, best) for name in MODELS}


def _share(name: str, best: float) -> Share:
    graph, plain = OnnxNetwork(name, store.arrays(name)[0]), TorchNetwork(name)
    batch = np.random.default_rng(0).integers(0, 256, (BATCH, plain.size, plain.size, 3), np.uint8)
    many = _middle(lambda: graph(batch)), _middle(lambda: plain(batch))
    alone = _middle(lambda: graph(batch[:1])), _middle(lambda: plain(batch[:1]))
    operations = flops(name)
    reached = 2 * BATCH * operations / many[0] / 1e6
    return Share(operations, many, alone, reached, reached / best)


def flops(name: str) -> float:
    """Floating-point operations for one picture; multiplying and adding are two."""
    network, _ = store.load(name)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, network.size, network.size))
    return float(counter.get_total_flops())


def _middle(work: Callable[[], object]) -> float:
    return statistics.median(milliseconds(work, RUNS))
