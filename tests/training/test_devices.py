"""The paper's device helpers."""

import platform
import subprocess
import sys

import pytest
import torch
from torch.utils.data import Dataset

from mer.models.base import Batch
from mer.training.devices import DeviceDataLoader, arriving, get_default_device, selected_device


def test_an_empty_loader_gives_nothing() -> None:
    loader = DeviceDataLoader([], torch.device("cpu"))
    assert list(loader) == []
    assert len(loader) == 0


def test_a_loader_without_a_length_says_so() -> None:
    with pytest.raises(TypeError, match="no length"):
        len(DeviceDataLoader(iter([]), torch.device("cpu")))


KEPT = """
import numpy
from mer.training import devices
def resident() -> int:  # pages
    return int(open("/proc/self/statm").read().split()[1])
devices.keep_freed_memory()
before = resident()
numpy.ones(8_000_000)
print((resident() - before) * 4096)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is glibc only")
def test_a_training_keeps_what_it_frees() -> None:
    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 60_000_000


def test_lists_and_tuples_are_moved_item_by_item() -> None:
    data = [torch.zeros(1), (torch.zeros(2), [torch.zeros(3)])]
    moved = selected_device(data, torch.device("meta"))
    assert [type(part) for part in moved] == [torch.Tensor, tuple]
    assert moved[0].is_meta
    assert moved[1][1][0].is_meta


def test_batches_arrive_on_the_device() -> None:
    loader = DeviceDataLoader([(torch.zeros(1), torch.zeros(2))], torch.device("meta"))
    assert all(part.is_meta for batch in loader for part in batch)


def test_there_is_always_a_device() -> None:
    assert selected_device(torch.zeros(1), get_default_device()).shape == (1,)


class _Bytes(Dataset[Batch]):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, number: int) -> Batch:
        return torch.full((1, 3, 2, 2), 255, dtype=torch.uint8), torch.zeros(1, 7)


def test_bytes_arrive_as_floats() -> None:
    images = [images for images, _ in arriving(_Bytes(), torch.device("cpu"))]
    assert len(images) == 2
    assert all(torch.equal(one, torch.ones(1, 3, 2, 2)) for one in images)
