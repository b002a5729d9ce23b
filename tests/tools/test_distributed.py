"""Several processes train as one does: the same weights, one record, and they go on if killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mer.errors import MerError
from mer.weights import store
from tools.training import distributed

PROGRAM = str(Path(__file__).parent / "train_plain.py")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
TOLERANCE = 1e-5  # of weights of about 0.1: float32 sums taken in another order


def shared(number: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", str(number))
    monkeypatch.setenv("WORLD_SIZE", str(count))


def test_a_batch_smaller_than_the_processes_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    shared(0, 3, monkeypatch)
    with pytest.raises(MerError, match="A batch of 2 pictures cannot be shared by 3 processes"):
        distributed.shard((torch.zeros(2, 3, 4, 4), torch.zeros(2, 7)))


def test_the_parts_make_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = torch.arange(7.0)[:, None], torch.arange(7.0)[:, None]
    parts = []
    for number in range(3):
        shared(number, 3, monkeypatch)
        assert distributed.first() == (number == 0)
        parts.append(distributed.shard(batch))
    for side in (0, 1):
        assert torch.equal(torch.cat([part[side] for part in parts]), batch[side])


def test_alone_there_is_nothing_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with distributed.process_group():
        assert distributed.first()
        assert distributed.all_reduce([1.5, 2.0]) == [1.5, 2.0]
        assert distributed.broadcast("word") == "word"


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # torchrun has much to say of a process that was killed
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout
    yield from process.stdout


def kill_one(process: "subprocess.Popen[str]") -> None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)


def test_two_processes_one_killed_resumed_end_with_the_weights_of_one(
    tiny_data: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with start(PROGRAM, str(tiny_data), str(one)) as process:
        assert len([line for line in lines(process) if "epoch" in line]) == 4
    together = [*TORCHRUN, PROGRAM, str(tiny_data), str(two)]
    with start(*together) as process:
        for line in lines(process):
            if line.startswith("epoch   1"):
                kill_one(process)
    assert process.returncode != 0
    assert not (two / "tiny.safetensors").exists()
    with start(*together) as process:
        said = list(lines(process))
    assert process.returncode == 0
    assert sum("resumed after epoch" in line for line in said) == 1  # the first alone speaks
    assert sum(line.startswith("epoch   4") for line in said) == 1
    assert store.read_record("tiny", folder=two)["training"]["stages"][0]["processes"] == 2
    a, b = (load_file(folder / "tiny.checkpoint") for folder in (one, two))
    assert a.keys() == b.keys()
    for key, value in a.items():
        if key.startswith(("model.", "average.")):
            torch.testing.assert_close(b[key], value, rtol=0, atol=TOLERANCE)
