"""The paper's device helpers: find the device, move data to it, wrap a loader; and one thread."""

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any

import torch


def get_default_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def selected_device(data: Any, device: torch.device) -> Any:
    """Move a tensor or module to `device`; lists and tuples are moved item by item."""
    if isinstance(data, list | tuple):
        return type(data)(selected_device(item, device) for item in data)
    return data.to(device, non_blocking=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Have torch compute in the calling thread alone: for callers who run side by side.

    Where more threads compute than there are cores, they spend most of their time waiting for one
    another: a face that costs 24 ms in one thread costs 130 in two on a machine that is busy.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # of this thread; the next ones to start take the last number set
    try:
        yield
    finally:
        torch.set_num_threads(before)


class DeviceDataLoader:
    """A loader whose batches arrive on `device`."""

    def __init__(self, loader: Iterable[Any], device: torch.device) -> None:
        self.loader = loader
        self.device = device

    def __iter__(self) -> Iterator[Any]:
        for batch in self.loader:
            yield selected_device(batch, self.device)

    def __len__(self) -> int:
        """Number of batches.

        Raises:
            TypeError: the wrapped loader has no length.
        """
        if not isinstance(self.loader, Sized):
            raise TypeError("The wrapped loader has no length.")
        return len(self.loader)
