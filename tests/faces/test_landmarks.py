"""Points of a face and what is measured from them, on one real face and on none."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.errors import WeightsError
from mer.faces import detection, measures
from mer.faces.detection import Face
from mer.faces.measures import BLENDSHAPES, FIGURES, Measures
from mer.weights import store

data = pytest.importorskip("skimage.data")


def measured(image: np.ndarray) -> Measures:
    found = max(detection.detect(image), key=lambda face: face.box[2])
    answer = measures.measure(image, found)
    assert answer is not None
    return answer


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return np.asarray(data.astronaut()[:320, 60:400])


def test_where_there_is_no_face_there_are_no_points() -> None:
    blank = np.full((240, 320, 3), 128, np.uint8)
    assert measures.landmarks(blank, Face((100, 60, 90, 120), 0.9)) is None
    assert measures.measure(blank, Face((-50, 200, 0, 0), 0.9)) is None


def test_a_missing_or_damaged_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    with pytest.raises(WeightsError, match="cannot be read"):
        measures.TFLite(*measures.LANDMARKS)
    (tmp_path / measures.LANDMARKS[0]).write_bytes(b"no network")
    with pytest.raises(WeightsError, match="damaged"):
        measures.TFLite(*measures.LANDMARKS)


def test_points_lie_in_the_face(astronaut: np.ndarray) -> None:
    (face,) = detection.detect(astronaut)
    found = measures.landmarks(astronaut, face)
    assert found is not None
    assert found.shape == (measures.POINTS, 3)
    eyes = found[[468, 473], :2]  # the irises, where the detector sees the eyes
    assert np.abs(eyes - np.array(face.points[:2])).max() < 0.08 * face.box[2]


def test_points_that_are_expected_are_found_in_one_look(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = max(detection.detect(astronaut), key=lambda one: one.box[2])
    first = measures.landmarks(astronaut, face)
    assert first is not None
    moved = np.roll(astronaut, (2, 3), axis=(0, 1))  # by 2 rows and 3 columns
    looks: list[np.ndarray] = []
    seen = measures._seen

    def counted(image: np.ndarray, around: np.ndarray, eyes: np.ndarray) -> np.ndarray | None:
        looks.append(around)
        return seen(image, around, eyes)

    monkeypatch.setattr(measures, "_seen", counted)
    again = measures.landmarks(moved, face, first)
    assert again is not None
    assert len(looks) == 1
    assert np.abs(again[:, :2] - first[:, :2] - (3, 2)).mean() < 1


def test_points_expected_where_no_face_is_are_looked_for_in_the_box(astronaut: np.ndarray) -> None:
    face = max(detection.detect(astronaut), key=lambda one: one.box[2])
    first = measures.landmarks(astronaut, face)
    assert first is not None
    elsewhere = measures.landmarks(astronaut, face, np.add(first, (2000, 0, 0)))
    assert elsewhere is not None
    assert elsewhere.tolist() == first.tolist()


def test_a_smile_is_measured(astronaut: np.ndarray) -> None:
    found = measured(astronaut)
    assert tuple(found.figures) == (*FIGURES, *BLENDSHAPES)
    assert found.figures["mouthSmileLeft"] > 0.5
    assert found.figures["jawOpen"] < 0.5
    assert 0.15 < found.right_eye_open < 0.5
    assert all(np.isfinite(value) for value in found.figures.values())


def test_the_mirrored_face_is_turned_the_other_way(astronaut: np.ndarray) -> None:
    one, other = measured(astronaut), measured(np.ascontiguousarray(astronaut[:, ::-1]))
    assert one.yaw == pytest.approx(-other.yaw, abs=3)
    assert one.roll == pytest.approx(-other.roll, abs=3)
    assert one.pitch == pytest.approx(other.pitch, abs=5)


@pytest.mark.parametrize("angle", [-15, 15])
def test_a_picture_turned_in_its_plane_is_rolled_as_far(astronaut: np.ndarray, angle: int) -> None:
    height, width = astronaut.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1)  # clockwise
    turned = cv2.warpAffine(astronaut, turn, (width, height))
    before, after = measured(astronaut), measured(turned)
    assert after.roll - before.roll == pytest.approx(angle, abs=3)
    assert after.yaw == pytest.approx(before.yaw, abs=4)
