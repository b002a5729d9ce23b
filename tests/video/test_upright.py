"""Videos that were filmed sideways or upside down come upright."""

from pathlib import Path

import numpy as np
import pytest

from mer.io.video import evenly, write_clip
from mer.video import upright


def write(path: Path, image: np.ndarray) -> Path:
    write_clip(path, evenly([np.ascontiguousarray(image)] * 4, 2), 2)
    return path


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_faces_come_upright(tmp_path: Path, astronaut: np.ndarray, quarters: int) -> None:
    filmed = np.rot90(astronaut[:, :400], -quarters)
    with upright.opened(write(tmp_path / "video.webm", filmed)) as video:
        assert video.quarters == quarters
        assert video.size == (400, 512)
        first = next(iter(video)).image
    assert np.abs(first.astype(int) - astronaut[:, :400]).mean() < 6
    assert len(video.notes) == bool(quarters)


def test_without_a_face_nothing_is_turned(tmp_path: Path) -> None:
    with upright.opened(write(tmp_path / "video.webm", np.zeros((64, 96, 3), np.uint8))) as video:
        assert (video.quarters, video.size) == (0, (96, 64))
