"""Weights that are missing, cut short or foreign: an error that names the file and the mend."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, load_file, save

from mer.errors import WeightsError
from mer.models.cnn import CNN1, CNN2
from mer.results import comparison
from mer.weights import store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store.save(CNN1(), "cnn1", {"model": "cnn1"}, tmp_path)
    return tmp_path


def test_an_unknown_name_lists_the_networks() -> None:
    with pytest.raises(WeightsError, match="no network called 'vgg'; choose cnn1, cnn2"):
        store.load("vgg")


def test_missing_weights(folder: Path) -> None:
    (folder / "cnn1.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"cnn1\.safetensors is missing\. Restore it with"):
        store.load("cnn1", folder=folder)


def test_missing_record(folder: Path) -> None:
    (folder / "cnn1.json").unlink()
    with pytest.raises(WeightsError, match=r"cnn1\.json is missing"):
        store.load("cnn1", folder=folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": "cnn2"}', "\udcff"])
def test_damaged_record(folder: Path, text: str) -> None:
    (folder / "cnn1.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(WeightsError, match=r"cnn1\.json is (damaged|not one of cnn1)"):
        store.load("cnn1", folder=folder)


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ('"architecture": ["cnn1"]', "architecture"),
        ('"options": [1]', "options"),
        ('"options": {"norm": {}}', "options.norm"),
        ('"classes": "seven"', "classes"),
        ('"classes": [1, 2]', "classes.0"),
        ('"file": "a"', "file"),
        ('"file": {"sha256": 1}', "file.sha256"),
        ('"calibration": {"temperature": 0}', "calibration.temperature"),
        ('"calibration": {"temperature": 1e999}', "calibration.temperature"),
        ('"calibration": {"zooms": ["1"]}', "calibration.zooms.0"),
        ('"training": {"cpu_seconds": -1}', "training.cpu_seconds"),
        ('"training": {"stages": {}}', "training.stages"),
        ('"evaluation": 3', "evaluation"),
        ('"parameters": NaN', "no JSON"),
        (f'"parameters": {"9" * 5000}', "no JSON"),
        (f'"more": {"[" * 100_000}{"]" * 100_000}', "nested too deep"),
    ],
)
def test_a_wrong_record_is_one_sentence_and_the_others_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, part: str, named: str
) -> None:
    (folder / "cnn1.json").write_text(f'{{"model": "cnn1", {part}}}')
    with pytest.raises(WeightsError, match=rf"record .*cnn1\.json is damaged \({named}"):
        store.load("cnn1", folder=folder)
    monkeypatch.setattr(store, "FOLDER", folder)
    assert "cnn1" in store.names()
    _, problems = comparison.read_records()
    assert any("cnn1.json is damaged" in problem for problem in problems)


def test_what_else_is_in_a_record_is_left_alone(folder: Path) -> None:
    record = store.read_record("cnn1", folder=folder) | {"more": {"deep": [1, None]}}
    store.write_record("cnn1", record, folder=folder)
    assert store.read_record("cnn1", folder=folder) == record


def test_a_record_of_gigabytes_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_RECORD", 10)
    with pytest.raises(WeightsError, match="larger than any record"):
        store.read_record("cnn1", folder=folder)


def test_truncated_weights(folder: Path) -> None:
    path = folder / "cnn1.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="checksum"):
        store.load("cnn1", folder=folder)


def _sign(folder: Path, content: bytes) -> None:
    """Put `content` in the weights' place, with a record that vouches for it."""
    import hashlib

    (folder / "cnn1.safetensors").write_bytes(content)
    record = json.loads((folder / "cnn1.json").read_text())
    record["file"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "cnn1.json").write_text(json.dumps(record))


def test_another_networks_weights(folder: Path) -> None:
    _sign(folder, save(CNN2().state_dict()))
    with pytest.raises(WeightsError, match="does not hold the weights of cnn1"):
        store.load("cnn1", folder=folder)


def test_one_key_too_few_or_of_another_shape(folder: Path) -> None:
    full = load((folder / "cnn1.safetensors").read_bytes())
    for broken in (
        {k: v for k, v in full.items() if k != "classifier.1.bias"},
        full | {"classifier.1.bias": torch.zeros(3)},
        full | {"stranger": torch.zeros(3)},
    ):
        _sign(folder, save(broken))
        with pytest.raises(WeightsError, match="does not hold the weights"):
            store.load("cnn1", folder=folder)


def test_no_safetensors_at_all(folder: Path) -> None:
    _sign(folder, b"GIF89a")
    with pytest.raises(WeightsError, match="does not hold the weights"):
        store.load("cnn1", folder=folder)


def test_half_precision_and_back(folder: Path) -> None:
    model, record = store.load("cnn1", folder=folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    stored = load_file(folder / "cnn1.safetensors")
    assert stored["classifier.1.weight"].dtype == torch.float16
    assert record["file"]["bytes"] == (folder / "cnn1.safetensors").stat().st_size


@pytest.mark.parametrize("name", store.available())
def test_shipped_weights_load_and_their_record_is_whole(name: str) -> None:
    model, record = store.load(name)
    assert record["parameters"] == sum(p.numel() for p in model.parameters())
    assert record["evaluation"]["test"]["n"] == 1860
    assert record["evaluation"]["test"]["clean"]["n"] == 1128
