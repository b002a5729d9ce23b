"""Our blendshapes beside MediaPipe's."""

import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from benchmarks import blendshapes
from mer.errors import DataError, MerError


def test_an_interpreter_without_mediapipe_is_a_sentence(tmp_path: Path) -> None:
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "astronaut.png")
    for python in (Path(sys.executable), tmp_path / "nowhere"):
        with pytest.raises(MerError, match="Install mediapipe"):
            blendshapes.report([tmp_path], python, tmp_path / "no.task")


def test_too_few_pictures_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blendshapes, "_theirs", lambda paths, *_: [None] * len(paths))
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "astronaut.png")
    with pytest.raises(DataError, match="fewer than three"):
        blendshapes.report([tmp_path], Path("python"), Path("x.task"))


def test_the_same_values_correlate_wholly() -> None:
    values = np.random.default_rng(0).random((5, 52))
    values[:, 0] = 0.1  # a shape that does not move has no correlation
    table = blendshapes.summary(values, values)
    assert "51 shapes" in table["correlation of"][0]
    assert set(table["least"]) == {"1.00"}
    assert table["mean difference"][0] == "0.000"
