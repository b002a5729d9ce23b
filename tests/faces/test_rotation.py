"""Leaning faces are found and turned level; upright ones are left as they are."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.errors import MerError
from mer.faces import detection, rotation
from mer.faces.detection import Face
from mer.io import images


def blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (20, 20), (1, 3000), (3000, 1), (480, 640)])
def test_nothing_is_found_where_nothing_is(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert rotation.detect(blank(*shape)) == []
    assert rotation.detect(noise) == []


def test_unknown_detector_is_named() -> None:
    with pytest.raises(MerError, match="no detector 'retina'"):
        rotation.detect(blank(8, 8), "retina")


@pytest.mark.parametrize("detector", ["yunet", "haar"])
def test_an_upright_face_is_what_the_detector_finds(astronaut: np.ndarray, detector: str) -> None:
    assert rotation.detect(astronaut, detector) == detection.detect(astronaut, detector)


@pytest.mark.parametrize("tiles", [1, 3])
def test_sure_upright_faces_cost_a_single_look(
    astronaut: np.ndarray, tiles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[int, ...]] = []
    look = detection.YuNet.__call__

    def counted(network: detection.YuNet, image: np.ndarray, *settings: float) -> np.ndarray:
        looks.append(image.shape)
        return look(network, image, *settings)

    monkeypatch.setattr(detection.YuNet, "__call__", counted)
    picture = np.tile(astronaut[20:220, 120:320], (tiles, tiles, 1))
    assert len(rotation.detect(picture)) == tiles**2
    assert looks == [picture.shape]


@pytest.mark.parametrize("degrees", [-135, -90, 45, 60, 90, 180])
def test_a_leaning_face_is_found_with_its_roll(astronaut: np.ndarray, degrees: int) -> None:
    """Turned counter-clockwise, the face leans so much to the other side."""
    (upright,) = detection.detect(astronaut)
    picture, matrix = rotation.turned(astronaut, degrees)
    (face,) = rotation.detect(picture)
    x, y, width, height = upright.box
    middle = matrix[:, :2] @ (x + width / 2, y + height / 2) + matrix[:, 2]
    x, y, width, height = face.box
    assert np.hypot(*(middle - (x + width / 2, y + height / 2))) < 0.25 * height
    assert abs((face.roll + degrees + 180) % 360 - 180) <= 20
    assert face.score >= rotation.SEARCH.least
    assert len(face.points) == 5


@pytest.mark.parametrize("degrees", [90, 180])
def test_the_crop_of_a_leaning_face_is_that_of_the_upright_one(
    astronaut: np.ndarray, degrees: int
) -> None:
    (face,) = rotation.detect(rotation.turned(astronaut, degrees)[0])
    level = detection.crop(rotation.turned(astronaut, degrees)[0], face)
    upright = detection.crop(astronaut, detection.detect(astronaut)[0])
    assert level.shape[0] == level.shape[1]
    grays = [
        cv2.GaussianBlur(cv2.resize(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), (32, 32)), (0, 0), 2)
        for one in (level, upright)
    ]
    assert np.asarray(np.corrcoef(np.stack(grays).reshape(2, -1)))[0, 1] > 0.8


def test_a_crop_is_turned_by_the_roll_about_the_face() -> None:
    image = blank(300, 300)
    image[145:155, 60:90] = 255  # left of the face's middle
    cut = detection.crop(image, Face((100, 100, 100, 100), 0.9, roll=-90), margin=1.0)
    assert cut.shape == (200, 200, 3)
    rows, columns = np.nonzero(cut[:, :, 0] > 200)
    assert abs(columns.mean() - 100) < 5  # now below or above it
    assert abs(rows.mean() - 100) > 40


@pytest.mark.parametrize("box", [(0, 0, 30, 40), (99, 99, 1, 1), (0, 99, 60, 1), (4, 2, 90, 96)])
def test_a_leaning_crop_repeats_the_edge(box: tuple[int, int, int, int]) -> None:
    cut = detection.crop(blank(100, 100), Face(box, 1.0, roll=50), margin=2.0)
    assert cut.shape[0] == cut.shape[1] >= 1
    assert (cut == 128).all()


def test_boxes_apart_share_nothing_and_equal_ones_all() -> None:
    assert detection.iou((0, 0, 10, 10), (20, 0, 10, 10)) == 0
    assert detection.iou((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert detection.iou((0, 0, 10, 10), (0, 5, 10, 10)) == pytest.approx(1 / 3)


def test_group_photographs_gain_leaning_faces_and_no_false_ones(mer_data: Path) -> None:
    found = {0: [0, 0], 45: [0, 0]}
    for entry in ElementTree.parse(mer_data / "group-photos" / "testing.xml").iter("image"):
        photograph = images.read(mer_data / "group-photos" / entry.attrib["file"])
        for degrees, counts in found.items():
            picture = rotation.turned(photograph, degrees)[0]
            counts[0] += len(detection.detect(picture))
            counts[1] += len(rotation.detect(picture))
    assert found[0][0] == found[0][1]
    assert found[45][1] >= 0.95 * found[0][0] > found[45][0]


def test_video_without_a_face_has_no_leaning_ones_either(mer_data: Path) -> None:
    video = cv2.VideoCapture(str(mer_data / "videos" / "no_face.mp4"))
    frames = []
    while (frame := video.read()[1]) is not None:
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    assert [rotation.detect(frame) for frame in frames[:: len(frames) // 4]].count([]) >= 4
