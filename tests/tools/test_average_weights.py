"""The mean of weights is a network like any other, and its record tells what it is the mean of."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mer.errors import MerError, WeightsError
from mer.models.registry import NETWORKS
from mer.training.trainer import train
from mer.weights import store
from tests import tiny
from tests.training.test_trainer import SETTINGS
from tools.average_weights import average


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)


def test_missing_weights_and_lacking_shares_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        average([tmp_path / "tiny.safetensors"], [1.0], tmp_path / "out")
    with pytest.raises(MerError, match="share"):
        average([tmp_path / "tiny.safetensors"], [0.5], tmp_path / "out")


def test_the_mean_of_two(tiny_data: Path, tmp_path: Path) -> None:
    first = train("tiny", [tiny_data], out=tmp_path / "a", settings=SETTINGS)
    second = train("tiny", [tiny_data], out=tmp_path / "b", settings=SETTINGS, start=first)
    path = average([first, second], [0.25, 0.75], tmp_path / "out")
    a, b, mean = (load_file(one) for one in (first, second, path))
    torch.testing.assert_close(
        mean["out.weight"].float(),
        0.25 * a["out.weight"].float() + 0.75 * b["out.weight"].float(),
        atol=1e-3,
        rtol=1e-2,
    )
    record = store.load("tiny", folder=tmp_path / "out")[1]
    stages = record["training"]["stages"]
    assert len(stages) == 2  # the second began with the first, whose stage counts once
    assert [part["share"] for part in stages[-1]["averaged"]] == [0.25, 0.75]
