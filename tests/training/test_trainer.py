"""Training can be repeated, resumed after any end, and says how it was done."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from mer.data.augmentation import Batches, transformed
from mer.data.dataset import load
from mer.errors import DataError, MerError, WeightsError
from mer.models.registry import NETWORKS
from mer.training.config import Settings
from mer.training.devices import arriving
from mer.training.trainer import train
from mer.weights import store
from tests import tiny

SETTINGS = Settings(epochs=2, batch=8, copies=1, validation=0.2, average=0.9)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)


def same(first: Path, second: Path) -> bool:
    a, b = load_file(first), load_file(second)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_an_unknown_network_is_a_sentence(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(MerError, match="no network called 'cnn9'; choose cnn1"):
        train("cnn9", [tiny_data], out=tmp_path, settings=SETTINGS)


def test_no_data_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable pictures"):
        train("tiny", [tmp_path], out=tmp_path, settings=SETTINGS)


def test_too_little_data_is_a_sentence(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(MerError, match="too few pictures"):
        train("tiny", [tiny_data], out=tmp_path, settings=replace(SETTINGS, validation=0.0))


def test_a_training_leaves_weights_and_a_record(tiny_data: Path, tmp_path: Path) -> None:
    path = train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS)
    model, record = store.load("tiny", folder=tmp_path)
    assert path == tmp_path / "tiny.safetensors"
    assert not model.training
    (stage,) = record["training"]["stages"]
    (part,) = stage["data"]
    assert sum(part["train"].values()) + sum(part["validation"].values()) == 42
    assert [entry["epoch"] for entry in stage["history"]] == [1, 2]
    assert stage["settings"]["seed"] == stage["seed"] == 0
    assert record["training"]["seconds"] > 0
    assert {"torch", "python", "numpy", "mer"} <= stage["versions"].keys()


def test_the_same_seed_gives_the_same_weights(tiny_data: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train("tiny", [tiny_data], out=tmp_path / name, settings=replace(SETTINGS, seed=seed))
    a, b, c = (tmp_path / name / "tiny.safetensors" for name in "abc")
    assert same(a, b)
    assert not same(a, c)


def test_it_learns(tiny_data: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=15, learning_rate=1e-2, patience=15)
    train("tiny", [tiny_data], out=tmp_path, settings=settings)
    (stage,) = store.read_record("tiny", folder=tmp_path)["training"]["stages"]
    assert max(entry["validation_accuracy"] for entry in stage["history"]) > 0.5


def test_patience_ends_it(tiny_data: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=50, learning_rate=0.0, patience=2)
    train("tiny", [tiny_data], out=tmp_path, settings=settings)
    (stage,) = store.read_record("tiny", folder=tmp_path)["training"]["stages"]
    assert len(stage["history"]) == stage["best_epoch"] + 2 == 3


def test_a_second_stage_begins_with_the_first_ones_weights(tiny_data: Path, tmp_path: Path) -> None:
    first = train("tiny", [tiny_data], out=tmp_path / "first", settings=SETTINGS)
    still = replace(SETTINGS, epochs=1, learning_rate=0.0, weight_decay=0.0)
    second = train("tiny", [tiny_data], out=tmp_path / "second", settings=still, start=first)
    record = store.read_record("tiny", folder=tmp_path / "second")
    assert len(record["training"]["stages"]) == 2
    before, after = load_file(first), load_file(second)
    assert torch.equal(before["out.weight"], after["out.weight"])


def test_a_start_that_is_not_there_is_a_sentence(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is missing"):
        train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS, start=tmp_path / "tiny.x")


def test_a_checkpoint_of_another_training_is_not_taken_up(tiny_data: Path, tmp_path: Path) -> None:
    train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS)
    with pytest.raises(MerError, match="other data or settings"):
        train("tiny", [tiny_data], out=tmp_path, settings=replace(SETTINGS, batch=4))


def test_a_damaged_checkpoint_is_a_sentence(tiny_data: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.checkpoint").write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="damaged. Delete it"):
        train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS)


def start(data: Path, out: Path) -> "subprocess.Popen[str]":
    program = Path(__file__).parent / "train_tiny.py"
    return subprocess.Popen(
        [sys.executable, str(program), str(data), str(out)], stdout=subprocess.PIPE, text=True
    )


def lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout
    yield from process.stdout


def test_killed_and_resumed_it_ends_with_the_same_weights(tiny_data: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    with start(tiny_data, whole) as process:
        assert len([line for line in lines(process) if line.startswith("epoch")]) == 6
    for wanted in ("epoch   1", "epoch   3"):  # killed while it stores an epoch or learns the next
        with start(tiny_data, broken) as process:
            for line in lines(process):
                if line.startswith(wanted):
                    os.kill(process.pid, signal.SIGKILL)
                    break
        assert process.returncode == -signal.SIGKILL
        assert not (broken / "tiny.safetensors").exists()
    with start(tiny_data, broken) as process:
        said = "".join(lines(process))
    assert process.returncode == 0
    assert "resumed after epoch" in said
    assert same(whole / "tiny.safetensors", broken / "tiny.safetensors")


def test_killed_while_it_writes_the_old_checkpoint_stands(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train("tiny", [tiny_data], out=tmp_path / "whole", settings=SETTINGS)
    torn = tmp_path / "torn"
    replacing = Path.replace

    def stop(self: Path, target: Path) -> Path:
        if target.name.endswith(".checkpoint") and target.exists():
            raise KeyboardInterrupt
        return replacing(self, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        train("tiny", [tiny_data], out=torn, settings=SETTINGS)
    monkeypatch.setattr(Path, "replace", replacing)
    resumed = train("tiny", [tiny_data], out=torn, settings=SETTINGS)
    assert same(whole, resumed)
    assert sorted(f.name for f in torn.iterdir()) == [
        "tiny.checkpoint", "tiny.json", "tiny.safetensors",
    ]  # fmt: skip


def test_what_a_killed_training_left_goes_when_the_next_starts(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f".tiny.checkpoint.{ended.pid}-0123abcd"
    left.touch()

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mer.training.trainer.Run.fit", stop)
    with pytest.raises(KeyboardInterrupt):
        train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS)
    assert not left.exists()


def test_an_epoch_holds_originals_and_copies(tiny_data: Path) -> None:
    pictures = load(tiny_data, 16, "train")
    rows = np.arange(10)
    batches = Batches(pictures, rows, batch=10, copies=2, shuffle=True)
    images = torch.cat([images for images, _ in arriving(batches, torch.device("cpu"))])
    assert images.shape == (30, 3, 16, 16)
    assert 0 <= images.min() <= images.max() <= 1
    plain = Batches(pictures, rows, batch=10)
    originals = torch.cat([images for images, _ in arriving(plain, torch.device("cpu"))])
    kept = sum(any(torch.equal(image, o) for o in originals) for image in images)
    mirrored = sum(any(torch.equal(image.flip(2), o) for o in originals) for image in images)
    assert kept + mirrored == 10
    assert 0 < mirrored < 10


def test_a_batch_is_the_same_wherever_it_is_drawn(tiny_data: Path) -> None:
    pictures = load(tiny_data, 16, "train")
    batches = Batches(pictures, np.arange(10), batch=5, copies=1, shuffle=True)
    drawn = [batches[number][0] for number in range(len(batches))]
    loader = DataLoader(batches, batch_size=None, num_workers=2, multiprocessing_context="fork")
    assert all(torch.equal(one, other) for one, (other, _) in zip(drawn, loader, strict=True))
    batches.start(1)
    assert not torch.equal(batches[0][0], drawn[0])


def test_a_copy_keeps_shape_and_leaves_the_original_alone(tiny_data: Path) -> None:
    picture = load(tiny_data, 48, "train").pixels[0]
    before = picture.copy()
    copies = [transformed(picture, np.random.default_rng(seed)) for seed in range(20)]
    assert all(copy.shape == picture.shape and copy.dtype == np.uint8 for copy in copies)
    assert (picture == before).all()
    assert all((copy != picture).any() for copy in copies)
