"""One training in several processes, on several GPUs or machines, started by `torchrun`.

Every process makes the same global batch and learns from its own rows of it. The gradients are
means over the global batch, so the weights are the same as with one process. The first process
(rank 0) alone evaluates, prints and writes.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mer.errors import MerError
from mer.models.base import BaseClasificacionImagenes, Batch


@contextmanager
def process_group() -> Iterator[None]:
    """Join the processes that `torchrun` started for the length of the block, if there are several.

    Each process takes the GPU with its local rank, or the CPU where there is no GPU.
    """
    if world_size() == 1:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
        distributed.barrier()  # all wait until the first process has written everything
    finally:
        distributed.destroy_process_group()


def world_size() -> int:
    """Return the number of processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_world_size() -> int:
    """Return the number of these processes on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def rank() -> int:
    """Return the number of this process, from 0."""
    return int(os.environ.get("RANK", "0")) if world_size() > 1 else 0


def first() -> bool:
    """Whether this process is the one that evaluates, prints and writes."""
    return rank() == 0


def shard(batch: Batch) -> Batch:
    """Return this process's rows of a global batch, as views.

    Raises:
        MerError: the batch has fewer rows than there are processes.
    """
    images, targets = batch
    if len(images) < world_size():
        raise MerError(
            f"A batch of {len(images)} pictures cannot be shared by {world_size()} processes: "
            "raise --batch or add pictures."
        )
    # The rows are views of the batch, and keep its memory layout.
    rows = slice(*(len(images) * number // world_size() for number in (rank(), rank() + 1)))
    return images[rows], targets[rows]


def all_reduce(values: Sequence[float]) -> list[float]:
    """The sum over all processes of each value."""
    if world_size() == 1:
        return list(values)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    sums = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(sums)
    summed: list[float] = sums.tolist()
    return summed


def broadcast(value: Any) -> Any:
    """What the first process gives, in all of them."""
    if world_size() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def prepared(network: BaseClasificacionImagenes) -> BaseClasificacionImagenes:
    """The network, on several GPUs with batch normalisation over the global batch.

    torch has none such for CPUs: there each process normalises by its own rows, and the running
    means are the first one's.
    """
    if world_size() == 1 or not torch.cuda.is_available():
        return network
    convert = nn.SyncBatchNorm.convert_sync_batchnorm
    synchronised: BaseClasificacionImagenes = convert(network)  # type: ignore[no-untyped-call]
    return synchronised


class Step(nn.Module):
    """A network's training step over the global batch, by what each process sees of it."""

    def __init__(self, model: BaseClasificacionImagenes) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, rows: int, label_smoothing: float) -> tuple[Tensor, Tensor]:
        """Loss and accuracy of this process's `batch`, weighted by its part of the global `rows`.

        Their means over the processes are those of the global batch, and so are the gradients'.
        """
        weight = len(batch[0]) * world_size() / rows
        loss, right = self.model.training_step(batch, label_smoothing)
        return loss * weight, right * weight


def step(model: BaseClasificacionImagenes) -> nn.Module:
    """The training step of a network that lies on its device; shared by all processes."""
    return Step(model) if world_size() == 1 else DistributedDataParallel(Step(model))
