"""The benchmark of the analysis runs and prints every stage. How fast it is, is not a test."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import video_profile
from mer.errors import MerError


def test_missing_picture(stand_in_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(MerError, match=r"none\.jpg"):
        video_profile.report(picture=tmp_path / "none.jpg")


def test_report_has_every_stage_and_the_machine(stand_in_weights: Path) -> None:
    text = video_profile.report(seconds=(1,), crowds=(2,))
    for name in ("read", *video_profile.STAGES, "together", "two threads"):
        assert f"\n{name} " in text, name
    for words in ("640x480", "target 3.0", "seconds  ", "faces  ", "torch"):
        assert words in text, words


def test_every_stage_takes_its_time(
    tmp_path: Path, astronaut: np.ndarray, stand_in_weights: Path
) -> None:
    called = [getattr(*place) for place in video_profile.STAGES.values()]
    cost = video_profile.measure(tmp_path / "clip.webm", astronaut, 1, 1.0, "cnn2")
    assert cost.frames == 30
    assert cost.memory > 50
    assert cost.together == sum(cost.stages.values())
    assert all(spent > 0 for spent in cost.stages.values())
    assert [getattr(*place) for place in video_profile.STAGES.values()] == called
