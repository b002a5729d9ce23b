"""What the networks reach on a GPU, at answering and at learning, in three ways each."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

import torch
from torch import optim
from torch.utils.benchmark import Timer

from benchmarks.comparison import limits
from mer.models.base import CLASSES, BaseClasificacionImagenes
from mer.models.registry import MODELS
from mer.weights import store

SECONDS: Final = 1.0  # for each figure, of which the median is told
Way = tuple[str, bool]  # precision, and whether torch compiles the network
WAYS: Final[tuple[Way, ...]] = (("float32", False), ("bfloat16", False), ("bfloat16", True))


def listed(device: torch.device) -> list[str]:
    """Rows of a table in Markdown: milliseconds, share of a matrix product, pictures learned.

    Compiled ones are left out where there is no Triton, which torch compiles by.
    """
    ways = [way for way in WAYS if not way[1] or find_spec("triton")]
    best = {precision: _product(device, precision) for precision, _ in ways}
    rows = [
        f"| network | precision | {limits.BATCH} pictures: ms | one picture: ms "
        f"| Gflop/s | share | learns from, pictures a second |",
        "|---" * 7 + "|",
    ]
    for name in MODELS:
        rows += [_row(name, device, way, best[way[0]]) for way in ways]
    return rows


def _product(device: torch.device, precision: str) -> float:
    """Gigaflops of a product of two large matrices in this precision."""
    one = torch.rand(limits.SIDE, limits.SIDE, device=device, dtype=getattr(torch, precision))
    return 2 * limits.SIDE**3 / 1e6 / _milliseconds(lambda: one @ one)


def _row(name: str, device: torch.device, way: Way, best: float) -> str:
    precision, compiled = way
    network, _ = store.load(name)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
    many, alone = (_answering(network, count, autocast, compiled) for count in (limits.BATCH, 1))
    learned = 1000 * limits.BATCH / _learning(network, autocast, compiled)
    reached = 2 * limits.BATCH * limits.flops(name) / many / 1e6
    told = f"{precision}, compiled" if compiled else precision
    return (
        f"| {name} | {told} | {many:.2f} | {alone:.2f} | {reached:.0f} | {reached / best:.0%} "
        f"| {learned:.0f} |"
    )


def _answering(
    network: BaseClasificacionImagenes, count: int, autocast: torch.autocast, compiled: bool
) -> float:
    """Milliseconds for `count` pictures, each with its mirror image."""
    network.eval()
    forward = torch.compile(network) if compiled else network
    images = _noise(network, 2 * count)

    def work() -> None:
        with torch.inference_mode(), autocast:
            forward(images)

    return _milliseconds(work)


def _learning(
    network: BaseClasificacionImagenes, autocast: torch.autocast, compiled: bool
) -> float:
    """Milliseconds of a training step with BATCH pictures: forward, backward, optimizer."""
    network.train()
    step = torch.compile(network.training_step) if compiled else network.training_step
    images = _noise(network, limits.BATCH)
    targets = torch.full((limits.BATCH, CLASSES), 1 / CLASSES, device=images.device)
    optimizer = optim.AdamW(p for p in network.parameters() if p.requires_grad)

    def work() -> None:
        with autocast:
            loss, _ = step((images, targets))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return _milliseconds(work)


def _noise(network: BaseClasificacionImagenes, count: int) -> torch.Tensor:
    device = next(network.parameters()).device
    images = torch.rand(count, 3, network.size, network.size, device=device)
    return images.contiguous(memory_format=torch.channels_last)


def _milliseconds(work: Callable[[], object]) -> float:
    """Median; the device is waited for. What is compiled is so before the clock runs."""
    work()
    timer = Timer("work()", globals={"work": work}, num_threads=torch.get_num_threads())
    return 1000 * float(timer.blocked_autorange(min_run_time=SECONDS).median)
