"""Mixup and teachers: what a batch becomes before it is learned from."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mer.data.dataset import gather
from mer.errors import MerError, WeightsError
from mer.models.registry import NETWORKS
from mer.weights import store
from tests import tiny
from tests.training.test_trainer import same
from tools.training import run
from tools.training.distillation import Teaching, read_teachers
from tools.training.run import LabRun, LabSettings, train

CPU = torch.device("cpu")
SETTINGS = LabSettings(epochs=2, batch=8, copies=1, validation=0.2, average=0.9)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(8, 3, 16, 16, generator=generator), torch.eye(7)[torch.arange(8) % 7]


def test_without_mixup_and_teachers_a_batch_stays(batch: tuple[torch.Tensor, ...]) -> None:
    images, targets = Teaching(0.0, 0.7, [])((batch[0], batch[1]), np.random.default_rng(0))
    assert torch.equal(images, batch[0])
    assert torch.equal(targets, batch[1])


def test_mixup_blends_pictures_and_targets_alike(batch: tuple[torch.Tensor, ...]) -> None:
    images, targets = Teaching(0.5, 0.7, [])((batch[0], batch[1]), np.random.default_rng(0))
    assert images.shape == batch[0].shape
    assert targets.sum(1) == pytest.approx(torch.ones(8))
    assert not torch.equal(targets, batch[1])
    again, _ = Teaching(0.5, 0.7, [])((batch[0], batch[1]), np.random.default_rng(0))
    assert torch.equal(images, again)


def test_a_teacher_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is missing"):
        read_teachers([tmp_path / "tiny.safetensors"], CPU)


def test_a_teacher_that_is_no_weights_file_is_a_sentence(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="A teacher is a file of weights"):
        train(
            "tiny", [tiny_data], out=tmp_path, settings=SETTINGS, teachers=[tmp_path / "tiny.json"]
        )


def test_a_teachers_answers_are_part_of_the_target(
    batch: tuple[torch.Tensor, ...], tiny_data: Path, tmp_path: Path
) -> None:
    path = train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS)
    (teacher,) = read_teachers([path], CPU)
    _, targets = Teaching(0.0, 0.5, [teacher])((batch[0], batch[1]), np.random.default_rng(0))
    with torch.no_grad():
        answers = teacher(batch[0]).softmax(1)
    assert targets == pytest.approx((batch[1] + answers) / 2, abs=1e-6)
    larger = torch.nn.functional.interpolate(batch[0], size=32)  # the learner's own size
    _, targets = Teaching(0.0, 0.5, [teacher])((larger, batch[1]), np.random.default_rng(0))
    assert targets.sum(1) == pytest.approx(torch.ones(8), abs=1e-6)


def test_a_taught_training_says_who_taught_it(tiny_data: Path, tmp_path: Path) -> None:
    teacher = train("tiny", [tiny_data], out=tmp_path / "teacher", settings=SETTINGS)
    settings = replace(SETTINGS, mixup=0.2, epochs=2)
    for name in "ab":
        train("tiny", [tiny_data], out=tmp_path / name, settings=settings, teachers=[teacher])
    a, b = (tmp_path / name / "tiny.safetensors" for name in "ab")
    assert same(a, b)
    assert not same(a, teacher)
    (stage,) = store.read_record("tiny", folder=tmp_path / "a")["training"]["stages"]
    file = store.read_record("tiny", folder=tmp_path / "teacher")["file"]
    assert stage["teachers"] == [file]


@pytest.mark.parametrize(("sets", "once"), [("nowhere", True), ("home", False)])
def test_teachers_of_sets_that_they_cannot_have_are_a_sentence(
    sets: str, once: bool, tiny_data: Path, tmp_path: Path
) -> None:
    teacher = train("tiny", [tiny_data], out=tmp_path / "teacher", settings=SETTINGS)
    settings = replace(SETTINGS, once=once, taught_sets=sets)
    with pytest.raises(MerError, match=r"--taught-sets names no|give --once"):
        train("tiny", [tiny_data], out=tmp_path / "a", settings=settings, teachers=[teacher])


def test_teachers_change_the_targets_of_the_sets_named_alone(
    tiny_data: Path, tmp_path: Path
) -> None:
    for name in ("home", "away"):
        shutil.copytree(tiny_data / "train", tmp_path / name)
    teacher = train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS)
    corpus = gather([tmp_path / "home", tmp_path / "away"], 16, fraction=0.2, seed=0)
    settings = replace(SETTINGS, taught=0.5, once=True, taught_sets="away")
    taught = LabRun("tiny", corpus, settings, tmp_path, None, "tiny", teachers=[teacher])
    changed = (taught.corpus.pictures.targets != corpus.pictures.targets).any(1)
    assert changed[corpus.train].tolist() == (corpus.sets[corpus.train] == 1).tolist()
    assert not changed[corpus.validation].any()


@pytest.mark.parametrize("told", ["bfloat16", "float32"])
def test_an_imitated_bfloat16_is_told(
    told: str, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(run, "get_default_device", lambda: CPU)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    settings = replace(SETTINGS, epochs=1, precision=told)
    train("tiny", [tiny_data], out=tmp_path, settings=settings)
    assert ("imitates bfloat16" in capsys.readouterr().out) == (told == "bfloat16")


def test_a_teacher_of_other_classes_is_a_sentence(tiny_data: Path, tmp_path: Path) -> None:
    path = train("tiny", [tiny_data], out=tmp_path, settings=SETTINGS, classes=("fear", "anger"))
    with pytest.raises(WeightsError, match="tiny cannot teach"):
        read_teachers([path], CPU)
