"""The Upload tab's answers: what is known of a picture is carried along, not found out anew."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer.faces import rotation
from mer.inference.predictor import Predictor, get_predictor
from mer.results.drawing import Picture
from mer.ui import parts, upload
from mer.ui.upload import Known


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> str:
    path = tmp_path / "photo.png"
    Image.fromarray(astronaut).save(path)
    return str(path)


def shown(
    path: str, network: str = "cnn1", known: Known | None = None, *, measure: bool = False
) -> Picture:
    known = {} if known is None else known
    predictor = get_predictor(network)
    shot, faces = upload.read_one(path, Path(path).name, predictor, known, measure=measure)
    assert len(faces) == len(shot.faces)
    return shot


def forbidden(*_: object, **__: object) -> None:
    pytest.fail("this was known")


def test_another_network_looks_at_the_faces_that_were_found(
    photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: Known = {}
    (one,) = shown(photo, "cnn1", known).faces
    monkeypatch.setattr(rotation, "detect", forbidden)
    (two,) = shown(photo, "faceres", known).faces
    assert one.face == two.face
    assert one.probabilities != two.probabilities


def test_the_report_asks_nobody_anew(photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known: Known = {}
    shown(photo, "cnn1", known)
    monkeypatch.setattr(rotation, "detect", forbidden)
    monkeypatch.setattr(Predictor, "classify", forbidden)
    assert "Expressions of 1 face in 1 picture" in upload.report([photo], "cnn1", "yunet", known)


def test_another_detector_finds_its_own_faces(photo: str) -> None:
    known: Known = {}
    (one,) = shown(photo, "cnn1", known).faces
    shot, _ = upload.read_one(photo, "photo.png", get_predictor("cnn1", "haar"), known)
    assert shot.faces[0].face != one.face


def test_the_report_shows_faces_of_which_nothing_is_known(photo: str) -> None:
    assert "Expressions of 1 face in 1 picture" in upload.report([photo], "cnn1", "yunet")


def test_a_face_is_measured_where_that_is_asked_for(photo: str) -> None:
    known: Known = {}
    measured = parts.faces([shown(photo, "cnn1", known, measure=True)])
    assert "Head: yaw, pitch, roll" in measured
    assert "mouthSmileLeft (AU12)" in measured
    assert "Head: yaw" not in parts.faces([shown(photo, "cnn1", known)])


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
