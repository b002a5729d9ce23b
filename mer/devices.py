"""The paper's device helpers: find the device, move data to it, wrap a loader."""

from collections.abc import Iterable, Iterator, Sized
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
