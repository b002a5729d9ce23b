"""Finding faces in pictures of any size, and cutting them out."""

import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.errors import MerError, WeightsError
from mer.faces import detection
from mer.faces.detection import Face
from mer.io import images
from mer.weights import store

HEAD = (slice(40, 240), slice(120, 320))  # rows and columns of the astronaut's head


def blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


@pytest.mark.parametrize("detector", ["yunet", "haar"])
@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 2), (20, 20), (32, 100), (1, 3000), (3000, 1), (480, 640)]
)
def test_no_face_gives_an_empty_list(detector: str, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for image in (blank(*shape), noise, blank(*shape)):
        assert detection.detect(image, detector) == []


def test_unknown_detector_is_named() -> None:
    with pytest.raises(MerError, match=r"no detector 'retina': choose yunet or haar or none"):
        detection.detect(blank(8, 8), "retina")


@pytest.mark.parametrize("content", [None, b"", b"not an ONNX file"])
def test_bad_detector_file_names_itself_and_the_mend(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    if content is not None:
        (tmp_path / detection.STEM[0]).write_bytes(content)
    with pytest.raises(WeightsError, match=rf"{detection.STEM[0]} .*`git checkout -- weights/"):
        detection.YuNet()


@pytest.mark.parametrize("size", [(512, 512), (300, 411), (97, 64), (1300, 900)])
def test_yunet_answers_as_opencv_does(astronaut: np.ndarray, size: tuple[int, int]) -> None:
    image = cv2.resize(astronaut[:300, 60:360], size[::-1], interpolation=cv2.INTER_AREA)
    reference = cv2.FaceDetectorYN.create(
        str(store.FOLDER / detection.SOURCE[0]), "", size[::-1], 0.6
    )
    _, expected = reference.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    np.testing.assert_allclose(detection.YuNet()(image, 0.6, 0.3), expected, atol=1e-2)


def test_one_look_leaves_nothing_behind_for_the_next(astronaut: np.ndarray) -> None:
    """A smaller picture comes into the memory of the last one, with the border black again."""
    face = cv2.resize(astronaut[:300, 60:360], (96, 96), interpolation=cv2.INTER_AREA)
    smaller = face[:90, :70]
    network = detection.YuNet()
    network(face, 0.6, 0.3)
    np.testing.assert_array_equal(network(smaller, 0.3, 0.3), detection.YuNet()(smaller, 0.3, 0.3))


def test_missing_cascade_names_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path))
    detection.haar_cascade.cache_clear()
    with pytest.raises(WeightsError, match="pip install"):
        detection.haar_cascade()


@pytest.mark.parametrize("detector", ["yunet", "haar"])
@pytest.mark.parametrize("scale", [0.5, 1, 2, 6])
def test_the_astronaut_is_found_at_any_size(
    astronaut: np.ndarray, detector: str, scale: float
) -> None:
    image = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    (face,) = detection.detect(image, detector)
    x, y, width, height = (int(value * scale) for value in (180, 65, 88, 110))
    assert detection.iou(face.box, (x, y, width, height)) > 0.6
    assert 0 < face.score <= 1


def test_yunet_gives_five_points_in_the_box(astronaut: np.ndarray) -> None:
    (face,) = detection.detect(astronaut)
    x, y, width, height = face.box
    assert len(face.points) == 5
    assert all(x < px < x + width and y < py < y + height for px, py in face.points)
    right_eye, left_eye, nose, *mouth = face.points
    assert right_eye[0] < nose[0] < left_eye[0]
    assert all(corner[1] > nose[1] for corner in mouth)


def test_haar_gives_no_points(astronaut: np.ndarray) -> None:
    assert [face.points for face in detection.detect_faces(astronaut)] == [()]


def test_a_face_cut_by_the_edge_has_its_box_clipped(astronaut: np.ndarray) -> None:
    cut = np.ascontiguousarray(astronaut[90:, :240])
    (face,) = detection.detect(cut)
    x, y, width, height = face.box
    assert min(x, y) >= 0
    assert x + width <= 240
    assert y + height <= len(cut)


def test_fifty_small_faces_in_a_large_photograph_are_found(astronaut: np.ndarray) -> None:
    image = blank(3000, 4000)
    head = cv2.resize(astronaut[HEAD], (75, 75), interpolation=cv2.INTER_AREA)  # face: 41 high
    for row in range(5):
        for column in range(10):
            y, x = 200 + row * 550, 150 + column * 380
            image[y : y + 75, x : x + 75] = head
    found = detection.detect(image)
    assert len(found) == 50
    assert [face.box for face in found] == sorted(face.box for face in found)


def test_large_and_small_faces_are_each_found_once(astronaut: np.ndarray) -> None:
    image = blank(1600, 2400)
    for column, side in ((0, 1200), (1500, 140), (1800, 60), (2100, 60)):
        head = cv2.resize(astronaut[HEAD], (side, side), interpolation=cv2.INTER_AREA)
        image[200 : 200 + side, column : column + side] = head
    assert [face.box[0] // 300 for face in detection.detect(image)] == [1, 5, 6, 7]


@pytest.mark.parametrize("side", [40, 100, 400])
def test_a_quick_search_finds_large_faces_and_small_ones(astronaut: np.ndarray, side: int) -> None:
    frame = np.full((480, 640, 3), 128, np.uint8)
    frame[20 : 20 + side, 30 : 30 + side] = images.resize(astronaut[:320, 60:380], side)
    (careful,), (quick,) = detection.detect(frame), detection.detect(frame, quick=True)
    np.testing.assert_allclose(quick.box, careful.box, atol=6)


@pytest.mark.parametrize("detector", ["yunet", "haar"])
def test_threads_may_detect_at_once(astronaut: np.ndarray, detector: str) -> None:
    pictures = [astronaut, astronaut[:300, :400], blank(50, 60)] * 4
    alone = [detection.detect(picture, detector) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: detection.detect(picture, detector), pictures))
    assert together == alone


def test_crop_is_a_square_around_the_face() -> None:
    image = blank(200, 300)
    image[70:90, 110:130] = 255  # just below the middle of the box, as the crop's own middle
    cut = detection.crop(image, Face((90, 40, 60, 70), 1.0), margin=0.0)
    assert cut.shape == (70, 70, 3)
    assert cut[34, 30].tolist() == [255, 255, 255]


def test_a_wider_margin_shows_more() -> None:
    face = Face((100, 100, 40, 50), 1.0)
    sides = [len(detection.crop(blank(300, 300), face, margin)) for margin in (-0.2, 0.0, 1.0)]
    assert sides == [40, 50, 100]


@pytest.mark.parametrize("box", [(0, 0, 30, 40), (70, 60, 30, 40), (99, 99, 1, 1), (0, 99, 60, 1)])
def test_crop_repeats_the_edge_outside_the_picture(box: tuple[int, int, int, int]) -> None:
    cut = detection.crop(blank(100, 100), Face(box, 1.0), margin=2.0)
    assert cut.shape[0] == cut.shape[1] >= 1
    assert (cut == 128).all()


def test_crop_of_a_huge_face_stays_small(astronaut: np.ndarray) -> None:
    large = cv2.resize(astronaut, (4096, 4096))
    (face,) = detection.detect(large)
    cut = detection.crop(large, face)
    assert cut.shape == (detection.LARGEST_CROP, detection.LARGEST_CROP, 3)


def test_a_picture_that_is_all_face_comes_whole() -> None:
    image = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    assert np.array_equal(detection.crop(image, Face((4, 2, 70, 76), 0.9)), image)


def test_enhance_leaves_a_good_crop_alone(astronaut: np.ndarray) -> None:
    (face,) = detection.detect(astronaut)
    assert np.array_equal(detection.enhance_image(astronaut, face), detection.crop(astronaut, face))


@pytest.mark.parametrize("offset", [0, 200])
def test_enhance_gives_a_flat_crop_contrast(astronaut: np.ndarray, offset: int) -> None:
    (face,) = detection.detect(astronaut)
    flat = astronaut // 8 + np.uint8(offset)
    low, high = np.percentile(detection.enhance_image(flat, face), (2, 98))
    assert high - low > 100


def test_enhance_bears_a_single_colour() -> None:
    assert detection.enhance_image(blank(90, 90), Face((20, 20, 30, 30), 1.0)).std() == 0


@pytest.mark.parametrize(("detector", "least"), [("yunet", 42), ("haar", 36)])
def test_faces_of_group_photographs_are_found(mer_data: Path, detector: str, least: int) -> None:
    folder = mer_data / "group-photos"
    found = 0
    for name in ("training.xml", "testing.xml"):
        for entry in ElementTree.parse(folder / name).iter("image"):
            boxes = [
                face.box
                for face in detection.detect(images.read(folder / entry.attrib["file"]), detector)
            ]
            for box in entry.iter("box"):
                x, y, width, height = (
                    int(box.attrib[k]) for k in ("left", "top", "width", "height")
                )
                found += any(detection.iou(other, (x, y, width, height)) > 0.3 for other in boxes)
    assert found >= least  # of 43


def test_the_data_set_s_own_pictures_are_found_and_kept_whole(mer_data: Path) -> None:
    paths = sorted((mer_data / "micro-expressions" / "test").glob("*/*.jpg"))[::40]
    whole = 0
    for path in paths:
        image = images.read(path)
        whole += [detection.crop(image, face).shape for face in detection.detect(image)] == [
            image.shape
        ]
    assert whole > 0.9 * len(paths)


def test_video_without_a_face_has_none(mer_data: Path) -> None:
    video = cv2.VideoCapture(str(mer_data / "videos" / "no_face.mp4"))
    frames = []
    while (frame := video.read()[1]) is not None:
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    assert frames
    assert [detection.detect(frame) for frame in frames[:: max(1, len(frames) // 8)]].count([]) >= 8


@pytest.mark.parametrize("size", [(48, 48), (80, 80), (90, 60), (1, 1)])
def test_a_cut_out_face_is_taken_whole(size: tuple[int, int], astronaut: np.ndarray) -> None:
    image = cv2.resize(astronaut[60:200, 160:280], size[::-1])
    (face,) = detection.detect(image, "none")
    assert face.box == (0, 0, size[1], size[0])
    assert detection.crop(image, face).shape == (max(size), max(size), 3)
