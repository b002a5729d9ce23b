"""The Upload tab's answers: what is said of pictures, of their faces and of what is wrong."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer.inference.predictor import get_predictor
from mer.results.report import Picture
from mer.ui import parts, upload


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> str:
    path = tmp_path / "photo.png"
    Image.fromarray(astronaut).save(path)
    return str(path)


def shown(path: str, *, measure: bool = False) -> Picture:
    shot, faces = upload.read_one(path, Path(path).name, get_predictor("cnn1"), measure=measure)
    assert len(faces) == len(shot.faces)
    return shot


def test_the_report_shows_the_faces(photo: str) -> None:
    assert "Expressions of 1 face in 1 picture" in upload.report([photo], "cnn1", "yunet")


def test_a_face_is_measured_where_that_is_asked_for(photo: str) -> None:
    measured = parts.faces([shown(photo, measure=True)])
    assert "Head: yaw, pitch, roll" in measured
    assert "mouthSmileLeft (AU12)" in measured
    assert "Head: yaw" not in parts.faces([shown(photo)])


def test_a_picture_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    shot = shown(str(path))
    assert shot.name == "broken.png"
    assert [shot.problem] == upload.problems([shot])


def test_pictures_without_a_face_say_so_in_the_column_of_looks(photo: str, tmp_path: Path) -> None:
    broken, wall = tmp_path / "broken.png", tmp_path / "wall.png"
    broken.write_bytes(b"no picture")
    Image.new("RGB", (300, 200), "gray").save(wall)
    shots = [shown(str(path)) for path in (photo, broken, wall)]
    cells = re.findall(r'<td data-value="([^"]*)"', parts.faces(shots))
    assert cells[cells.index("broken.png") + 2] == "not read"
    assert cells[cells.index("wall.png") + 2] == "no face found"
