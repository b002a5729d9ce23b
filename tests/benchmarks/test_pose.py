"""The table of turned heads."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from benchmarks import pose
from mer.errors import DataError


def test_without_a_face_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No face"):
        pose.report([tmp_path])
    Image.fromarray(np.zeros((80, 80, 3), np.uint8)).save(tmp_path / "black.png")
    with pytest.raises(DataError, match="No face"):
        pose.report([tmp_path])


def test_more_is_told_of_a_head_that_is_turned_more(tmp_path: Path) -> None:
    Image.fromarray(skimage.data.astronaut()[:300, 80:380]).save(tmp_path / "astronaut.png")
    lines = pose.report([tmp_path], faces=1).splitlines()[2:]
    angles = [float(line.split("|")[1]) for line in lines]
    told = [float(line.split("|")[3].split()[0]) for line in lines]
    assert angles == list(pose.ANGLES)
    assert told == sorted(told)
