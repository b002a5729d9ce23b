"""How far detector and networks go on worse pictures, and what is said of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import __main__ as benchmarks
from benchmarks import robustness, robustness_report
from benchmarks.corruptions import CHANGES
from mer.data import dataset
from mer.errors import DataError, MerError
from mer.evaluation import robustness as shown
from mer.evaluation.robustness import SWEEPS, smallest
from mer.faces import rotation
from mer.models.registry import NETWORKS
from mer.results import charts
from mer.weights import store
from tests import tiny

HEIGHTS = SWEEPS["height"].levels
LIST = "<dataset><images><image file='{}'><box top='65' left='180' width='88' height='110'/>"


def result(rights: Mapping[float, int], found: Mapping[float, int] | None = None) -> dict[str, Any]:
    """A measurement of 100 faces and 100 pictures in which "height" alone does something."""

    def entries(name: str) -> list[dict[str, Any]]:
        heights = name == "height"
        return [
            {
                "level": level,
                "found": (found or {}).get(level, 90) if heights else 90,
                "right": {"cnn1": rights.get(level, 80) if heights else 80},
                "sharpness": 0.5,
                "brightness": 100.0,
            }
            for level in SWEEPS[name].levels
        ]

    return {
        "faces": 100,
        "pictures": 100,
        "networks": {"cnn1": "ab"},
        "detector": "cd",
        "time": "2026-01-01T00:00:00+00:00",
        "machine": "a machine",
        "versions": {},
        "sweeps": {name: entries(name) for name in SWEEPS},
    }


@pytest.fixture
def photographs(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """A folder with the astronaut and a list of her one face."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    Image.fromarray(astronaut).save(folder / "astronaut.png")
    text = LIST.format("astronaut.png") + "</image></images></dataset>"
    (folder / "list.xml").write_text(text)
    return folder


@pytest.fixture
def tiny_network(
    stand_in_weights: Path, tiny_data: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Path]:
    """A network of two layers that says it learned from `tiny_data`."""
    import torch

    from mer.inference.predictor import get_predictor

    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)
    torch.manual_seed(0)
    learned = dataset.gather([tiny_data], 16, fraction=0.3, seed=0).description
    stage = {"data": learned, "settings": {"validation": 0.3, "seed": 0}}
    record = {"model": "tiny", "version": "0.0.0", "training": {"stages": [stage]}}
    store.save(tiny.Tiny(), "tiny", record, stand_in_weights)
    get_predictor.cache_clear()
    return "tiny", tiny_data


def test_nothing_to_measure_is_said(tmp_path: Path, photographs: Path) -> None:
    with pytest.raises(DataError, match="no network"):
        robustness.measure([], photographs, tmp_path)
    with pytest.raises(DataError, match="no XML list"):
        robustness.measure(["cnn1"], tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<dataset>",
        LIST.format("gone.png") + "</image></images></dataset>",
        "<dataset><image file='astronaut.png'><box top='x'/></image></dataset>",
        "<dataset><image><box top='1' left='1' width='1' height='1'/></image></dataset>",
    ],
)
def test_a_broken_list_is_named(photographs: Path, text: str) -> None:
    (photographs / "list.xml").write_text(text)
    with pytest.raises(DataError, match="The lists of faces in .* cannot be read"):
        robustness.scenes(photographs)


def test_other_pictures_than_those_learned_from_are_refused(
    tiny_network: tuple[str, Path], photographs: Path, mer_path: Path
) -> None:
    name, _ = tiny_network
    with pytest.raises(MerError, match="not what tiny was trained on"):
        robustness.measure([name], photographs, mer_path)


@pytest.fixture
def mer_path(tmp_path: Path) -> Path:
    """A data set of one picture."""
    folder = tmp_path / "other" / "anger"
    folder.mkdir(parents=True)
    Image.fromarray(np.full((80, 80, 3), 90, np.uint8)).save(folder / "one.png")
    return folder.parent


def test_without_a_file_or_with_a_damaged_one_nothing_is_read(stand_in_weights: Path) -> None:
    assert shown.read() is None
    for text in ("{", "[]", "{}", '{"networks": {"cnn1": 1}}'):
        (stand_in_weights / shown.FILE).write_text(text, encoding="utf-8")
        assert shown.read() is None


def test_what_was_saved_is_read_as_long_as_the_weights_are_the_same(stand_in_weights: Path) -> None:
    sums = {"cnn1": store.read_record("cnn1")["file"]["sha256"]}
    measured = result({}) | {"networks": sums}
    robustness.save(measured)
    assert shown.read() == json.loads(json.dumps(measured))
    robustness.save(measured | {"networks": {"cnn1": "of other weights"}})
    assert shown.read() is None


def test_a_tiny_network_is_measured_on_every_level(
    tiny_network: tuple[str, Path], photographs: Path
) -> None:
    name, source = tiny_network
    measured = robustness.measure([name], photographs, source, pictures=7)
    assert measured["faces"] == 1
    assert 1 <= measured["pictures"] <= 7
    assert json.loads(json.dumps(measured)) == measured
    for sweep, entries in measured["sweeps"].items():
        assert [entry["level"] for entry in entries] == list(SWEEPS[sweep].levels)
    faces = {sweep: [e["found"] for e in entries] for sweep, entries in measured["sweeps"].items()}
    assert faces["levelled"] == [1] * len(SWEEPS["levelled"].levels)
    assert faces["light"][-1] <= faces["light"][1] == 1
    assert {tuple(sorted(entry["right"])) for entry in measured["sweeps"]["roll"]} == {(name,)}
    sharp = [entry["sharpness"] for entry in measured["sweeps"]["blur"]]
    assert sharp[0] == max(sharp)


@pytest.mark.parametrize("name", SWEEPS)
def test_every_change_keeps_the_kind_of_picture_and_its_boxes(name: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    boxes = np.array([[30.0, 20.0, 40.0, 50.0], [-5.0, 60.0, 40.0, 50.0]])
    sweep = SWEEPS[name]
    assert len(sweep.labels()) == len(sweep.levels)
    for level in sweep.levels:
        random = np.random.default_rng(1)
        changed, places = CHANGES[name](picture.copy(), boxes.copy(), level, random)
        assert changed.dtype == np.uint8
        assert changed.ndim == 3
        assert places.shape == boxes.shape
        if level == sweep.asis:
            assert np.array_equal(changed, picture)
            assert np.array_equal(places, boxes)


def test_boxes_go_with_the_picture() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[10:20, 30:50] = 200
    box = np.array([[30.0, 10.0, 20.0, 10.0]])
    for name, level in (("height", 20), ("roll", 90), ("roll", 180), ("plain", 1)):
        changed, ((x, y, width, height),) = CHANGES[name](
            picture, box, level, np.random.default_rng(0)
        )
        rows, columns = np.nonzero(changed[:, :, 0] > 100)
        assert x + width / 2 == pytest.approx(columns.mean() + 0.5, abs=1)
        assert y + height / 2 == pytest.approx(rows.mean() + 0.5, abs=1)


def test_the_smallest_height_is_the_last_before_too_much_is_lost() -> None:
    assert smallest(result({}), "cnn1") == min(HEIGHTS)
    assert smallest(result({36: 72, 24: 71}), "cnn1") == 36
    assert smallest(result({64: 10}), "cnn1") == 96  # however 48 does
    assert smallest(result({}, {24: 81}), "cnn1") == 36  # unseen faces are no use


def test_where_accuracy_has_fallen_lies_between_levels() -> None:
    assert robustness_report.fallen(result({}), "height") is None
    assert robustness_report.fallen(
        result({36: 70, 24: 50, 18: 20, 12: 20}), "height"
    ) == pytest.approx(30)


def test_twice_as_far_is_half_as_high() -> None:
    assert robustness_report.metres(40) == pytest.approx(2 * robustness_report.metres(80))
    # 70 degrees over 1920 pixels: 1371 pixels of focal length; 0.2 m over 1 m is 274 pixels.
    assert robustness_report.metres(274.2) == pytest.approx(1, abs=0.01)


def test_tables_and_figures_hold_every_level() -> None:
    for name, sweep in SWEEPS.items():
        table = robustness_report.table(result({}), name)
        assert len(table) == len(sweep.levels)
        assert {"faces found", "cnn1"} <= set(table.columns)
        for figure in (charts.found(result({}), name), charts.right(result({}), name, "cnn1")):
            assert [len(line.x) for line in figure.data] == [len(sweep.levels)]
    text = "\n".join(robustness_report.text(result({})))
    assert "until a face is 12 pixels high cost the detector and cnn1" in text
    assert "nowhere" in text


def test_the_command_prints_what_it_keeps(
    stand_in_weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(robustness, "measure", lambda *_, **__: result({}))
    assert benchmarks.main(["robustness", "--faces", "a", "--data", "b", "--save"]) == 0
    assert "12 pixels high cost the detector and cnn1" in capsys.readouterr().out
    assert (stand_in_weights / shown.FILE).is_file()


def test_the_shipped_figures_are_of_the_shipped_weights() -> None:
    if not (store.FOLDER / shown.FILE).is_file():
        pytest.skip("the networks were not measured on worse pictures yet")
    measured = shown.read()
    assert measured
    upright, leaning_by_45 = (
        next(entry for entry in measured["sweeps"]["levelled"] if entry["level"] == level)
        for level in (0, 45)
    )
    assert leaning_by_45["found"] >= 0.95 * upright["found"]


def test_copies_are_turned_about_their_middle() -> None:
    copy, matrix = rotation.turned(np.zeros((40, 60, 3), np.uint8), 90)
    assert copy.shape == (60, 40, 3)
    assert matrix[:, :2] @ (29.5, 19.5) + matrix[:, 2] == pytest.approx((19.5, 29.5), abs=0.6)
