"""The Upload tab's answers: what is known of a picture is carried along, not found out anew."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer.faces import rotation
from mer.inference.predictor import Predictor, get_predictor
from mer.ui import parts, upload
from mer.ui.upload import Answers, Known


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> str:
    path = tmp_path / "photo.png"
    Image.fromarray(astronaut).save(path)
    return str(path)


def answered(photo: str, network: str, known: Known) -> Answers:
    answers = Answers()
    upload._read_one(photo, "photo.png", get_predictor(network), known, answers)
    return answers


def forbidden(*_: object, **__: object) -> None:
    pytest.fail("this was known")


def test_another_network_looks_at_the_faces_that_were_found(
    photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answered(photo, "cnn1", {})
    monkeypatch.setattr(rotation, "detect", forbidden)
    other = answered(photo, "faceres", first.known)
    (one,), (two,) = first.known[photo].faces, other.known[photo].faces
    assert one.face == two.face
    assert one.probabilities != two.probabilities


def test_the_report_asks_nobody_anew(photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = answered(photo, "cnn1", {}).known
    monkeypatch.setattr(rotation, "detect", forbidden)
    monkeypatch.setattr(Predictor, "classify", forbidden)
    assert "Expressions of 1 face in 1 picture" in upload.report([photo], "cnn1", "yunet", known)


def test_another_detector_finds_its_own_faces(photo: str) -> None:
    known = answered(photo, "cnn1", {}).known
    answers = Answers()
    upload._read_one(photo, "photo.png", get_predictor("cnn1", "haar"), known, answers)
    assert answers.known[photo].faces[0].face != known[photo].faces[0].face


def test_a_face_is_measured_where_that_is_asked_for(photo: str) -> None:
    answers = Answers()
    upload._read_one(photo, "photo.png", get_predictor("cnn1"), {}, answers, measure=True)
    shown = parts.faces(answers.shots)
    assert "Head: yaw, pitch, roll" in shown
    assert "mouthSmileLeft (AU12)" in shown
    assert "Head: yaw" not in parts.faces(answered(photo, "cnn1", answers.known).shots)


def test_a_picture_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    answers = answered(str(path), "cnn1", {})
    (shot,) = answers.shots
    assert shot.name == "photo.png"
    assert [shot.problem] == answers.problems
    assert not answers.known


def test_pictures_without_a_face_say_so_in_the_column_of_looks(photo: str, tmp_path: Path) -> None:
    broken, wall = tmp_path / "broken.png", tmp_path / "wall.png"
    broken.write_bytes(b"no picture")
    Image.new("RGB", (300, 200), "gray").save(wall)
    answers = Answers()
    for path in (photo, str(broken), str(wall)):
        upload._read_one(path, Path(path).name, get_predictor("cnn1"), {}, answers)
    cells = re.findall(r'<td data-value="([^"]*)"', parts.faces(answers.shots))
    assert cells[cells.index("broken.png") + 2] == "not read"
    assert cells[cells.index("wall.png") + 2] == "no face found"
