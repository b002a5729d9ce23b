"""The benchmark runs and prints every stage. How fast it is, is not a test."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import timing
from mer.errors import ImageError, MerError
from mer.inference import speed


def test_missing_picture(stand_in_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.jpg"):
        timing.report("cnn1", picture=tmp_path / "none.jpg")


def test_picture_without_a_face(stand_in_weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "gray.png"
    Image.new("RGB", (64, 64), "gray").save(path)
    with pytest.raises(MerError, match="No face"):
        timing.report("cnn1", picture=path, repeats=1)


def test_report_has_every_stage_target_and_the_machine(stand_in_weights: Path) -> None:
    text = timing.report("cnn1", repeats=1)
    for stage in (*timing.STAGES, "total"):
        assert text.count(f"\n{stage} ") == 2, stage
    for words in ("4000x3000", "640x480", "target 400", "target 60", "peak memory", "torch"):
        assert words in text


def test_cases_are_what_the_targets_speak_of(astronaut: np.ndarray) -> None:
    photograph, frame = timing.cases(astronaut)
    assert isinstance(photograph.source, bytes)
    assert isinstance(frame.source, np.ndarray)
    assert frame.source.shape == (480, 640, 3)


def test_face_milliseconds(stand_in_weights: Path) -> None:
    assert 0 < speed.face_milliseconds("cnn2") < 10_000
