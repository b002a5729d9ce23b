"""Networks by several seeds: what is measured, kept and said."""

from pathlib import Path
from typing import Any

import pytest

from mer.errors import DataError, MerError
from mer.models.registry import NETWORKS
from mer.weights import store
from tests import tiny
from tools import seed_study


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)


def run(seed: int, right: float, reached: float | None) -> dict[str, Any]:
    scores = dict.fromkeys(("all", "clean", "uar", "validation"), right)
    return {"seed": seed, **scores, "cpu_seconds": 10.0, "goal_seconds": reached}


def test_no_network_and_no_data_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no network"):
        seed_study.measure([], tmp_path, tmp_path, {})
    with pytest.raises(DataError, match="no readable pictures"):
        seed_study.measure(["tiny"], tmp_path, tmp_path, {})


def test_a_data_set_without_parts_is_refused(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(MerError, match="learned from these very pictures"):
        seed_study.measure(["tiny"], tiny_data / "train", tmp_path, {})


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"networks": {"cnn1": []}}'])
def test_what_cannot_be_read_is_not_shown(stand_in_weights: Path, content: str | None) -> None:
    if content is not None:
        (stand_in_weights / seed_study.FILE).write_text(content)
    assert seed_study.read() is None


def test_every_seed_is_trained_scored_and_kept(
    tiny_data: Path, tmp_path: Path, stand_in_weights: Path
) -> None:
    result = seed_study.measure(["tiny"], tiny_data, tmp_path, {})
    runs = result["networks"]["tiny"]
    assert [one["seed"] for one in runs] == list(seed_study.SEEDS)
    for one in runs:
        _, record = store.load("tiny", folder=tmp_path / f"tiny-{one['seed']}")
        assert record["training"]["stages"][0]["settings"]["seed"] == one["seed"]
        assert all(0 <= one[key] <= 1 for key in ("all", "clean", "uar", "validation"))
    assert result["apart"] == {"all": [], "clean": []}
    assert seed_study.save(result).parent == stand_in_weights
    assert seed_study.read() == result
    again = seed_study.measure(["tiny"], tiny_data, tmp_path, {})["networks"]
    assert again == result["networks"]  # nothing was trained twice


def test_the_table_shows_means_and_spread() -> None:
    runs = [run(0, 0.5, None), run(1, 0.6, 4.0), run(2, 0.7, 6.0)]
    apart = {"all": [["sface", "cnn1"]], "clean": []}
    result = {"settings": {"epochs": 4}, "networks": {"cnn1": runs}, "apart": apart}
    (row,) = seed_study.table(result).to_dict("records")
    assert row["network"] == "cnn1"
    assert row["clean ones"] == "60.0 ± 10.0 %"
    assert row["to 80% on validation"] == "5 s, 2 of 3"
    assert "on all pictures, more than chance: sface over cnn1" in seed_study.verdict(result)
    assert "on clean pictures, more than chance: no difference" in seed_study.verdict(result)
