"""Our own maps beside those trained on: the statistics, and made expressions by their names."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.errors import DataError
from mer.video import motion_classifier
from mer.video.types import MOTIONS
from tools.motion import shift


def noise(count: int, low: float = 0, high: float = 255) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.uniform(low, high, (count, 28, 28, 3)).astype(np.float32)


def test_no_data_set(tmp_path: Path, astronaut: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"index\.csv"):
        shift.measure(tmp_path, astronaut)


def test_noise_is_not_smooth_and_rests_in_the_middle() -> None:
    found = shift.statistics(noise(20))
    assert set(map(np.shape, found.values())) == {(20,)}
    assert found["rest, across"].mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs(found["smooth, down"]).max() < 0.15


def test_maps_do_not_lie_far_from_themselves() -> None:
    names = np.array(["casme2", "smic"] * 10)
    *rows, mean = shift.compared(noise(20), names, noise(20))
    assert rows[0].split()[-2:] == ["casme2", "smic"]
    assert float(mean.split()[-3]) == 0


@pytest.mark.parametrize(
    ("place", "motion"), [("brow raise", "surprise"), ("smile", "positive"), ("frown", "negative")]
)
def test_a_made_expression_is_recognised(astronaut: np.ndarray, place: str, motion: str) -> None:
    """Made with head motion, noise and compression; the recogniser never saw made maps."""
    answers = motion_classifier.recognise(shift.made_maps(astronaut, place))
    assert [MOTIONS[number] for number in answers.argmax(1)] == [motion] * 3


def test_the_tables(tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "index.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "subject", "label", "map"])
        for label, picture in enumerate(noise(3)):
            cv2.imwrite(str(tmp_path / f"{label}.png"), picture)
            rows.writerow(["smic", "s1", label, f"{label}.png"])
    monkeypatch.setattr(shift, "EXPRESSIONS", ("smile",))
    text = shift.measure(tmp_path, astronaut)
    assert "shift    smic" in text
    assert text.splitlines()[-1].startswith("smile             positive")
