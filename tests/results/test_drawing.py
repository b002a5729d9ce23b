"""Annotated pictures: size, and what may change in them; films: all frames, a ribbon below."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.synthetic import clips
from mer.emotions import COLORS, EMOTIONS
from mer.errors import VideoError
from mer.faces.detection import Face
from mer.inference.predictor import Prediction
from mer.io.video import Video, write_clip
from mer.results import drawing
from mer.video.analysis import analyse
from tests.video.analyses import analysis as by_hand


def _prediction(box: tuple[int, int, int, int], emotion: str = "happiness") -> Prediction:
    chances = tuple(0.94 if name == emotion else 0.01 for name in EMOTIONS)
    return Prediction(Face(box, 0.9, ()), chances)


def _rgb(emotion: str) -> np.ndarray:
    return np.array([int(COLORS[emotion][i : i + 2], 16) for i in (1, 3, 5)])


def _count(picture: np.ndarray, emotion: str) -> int:
    return int((picture == _rgb(emotion)).all(axis=2).sum())


def test_nothing_to_draw_changes_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    np.testing.assert_array_equal(drawing.annotate(picture, []), picture)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 1), (640, 640)),
        ((700, 900), (700, 900)),
        ((3000, 4000), (1200, 1600)),
        ((20, 20_000), (2, 1600)),
        ((20_000, 1), (1600, 1)),
    ],
)
def test_size_suits_a_browser(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    whole = _prediction((0, 0, shape[1], shape[0]))
    assert drawing.annotate(picture, [whole]).shape == (*expected, 3)


def test_the_box_of_an_unsure_face_is_gray_and_dashed() -> None:
    picture = np.full((700, 900, 3), 255, np.uint8)
    sure = _prediction((300, 200, 200, 200))
    drawn = drawing.annotate(picture, [replace(sure, sure=False)])
    assert not _count(drawn, "happiness")
    gray = (drawn == [0xAA, 0xB2, 0xBA]).all(axis=2)
    along = gray[300:390, 296:304].any(axis=1)  # a part of the left edge, far from the label
    assert along.any()
    assert not along.all()


def test_original_stays_as_it_was() -> None:
    picture = np.zeros((700, 900, 3), np.uint8)
    drawing.annotate(picture, [_prediction((100, 100, 200, 200))])
    assert not picture.any()


@pytest.mark.parametrize("emotion", EMOTIONS)
@pytest.mark.parametrize("ground", [0, 255])
def test_box_has_the_colour_of_the_class(emotion: str, ground: int) -> None:
    picture = np.full((700, 900, 3), ground, np.uint8)
    drawn = drawing.annotate(picture, [_prediction((300, 200, 200, 200), emotion)])
    assert _count(drawn, emotion) > 2000
    assert (drawn[250:350, 350:450] == ground).all()  # the face itself stays free
    edge = drawn[300, 290:310]
    assert (edge == _rgb(emotion)).all(axis=1).any()


def test_box_follows_the_scale() -> None:
    picture = np.zeros((3000, 4000, 3), np.uint8)
    drawn = drawing.annotate(picture, [_prediction((1000, 1500, 500, 500))])
    coloured = (drawn == _rgb("happiness")).all(axis=2)
    columns = np.flatnonzero(coloured[650])  # a row through the middle of the box, no label
    assert abs(columns.min() - 400) <= 2
    assert abs(columns.max() - 600) <= 2


def test_labels_of_a_crowd_hide_no_face() -> None:
    picture = np.zeros((900, 1200, 3), np.uint8)
    boxes = [(60 + 110 * i, 80 + 130 * j, 40, 50) for j in range(6) for i in range(10)]
    drawn = drawing.annotate(picture, [_prediction(box) for box in boxes])
    for x, y, width, height in boxes:
        assert not drawn[y + 8 : y + height - 8, x + 8 : x + width - 8].any()


def test_boxes_at_the_edges_are_labelled_inside_the_picture() -> None:
    picture = np.zeros((700, 900, 3), np.uint8)
    corners = [(0, 0, 50, 60), (850, 0, 50, 60), (0, 640, 50, 60), (850, 640, 50, 60)]
    one = _count(drawing.annotate(picture, [_prediction((400, 300, 50, 60))]), "happiness")
    four = _count(drawing.annotate(picture, [_prediction(box) for box in corners]), "happiness")
    assert four > 3.5 * one


def test_overlapping_faces_are_drawn_all_the_same() -> None:
    picture = np.zeros((700, 900, 3), np.uint8)
    drawn = drawing.annotate(picture, [_prediction((300, 300, 12, 12))] * 30)
    assert _count(drawn, "happiness")


@pytest.fixture
def clip(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "clip.webm"
    write_clip(path, clips.Clip(astronaut, fps=15, seconds=1, size=(320, 240)), 15)
    return path


def test_a_video_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4"):
        drawing.annotate_video(tmp_path / "out.webm", tmp_path / "gone.mp4", by_hand())


def test_the_frames_that_were_read_are_drawn(
    tmp_path: Path, clip: Path, stand_in_weights: Path
) -> None:
    found = analyse(clip, every=2)
    told: list[float] = []
    out = tmp_path / "out.webm"
    drawing.annotate_video(out, clip, found, lambda part, _: told.append(part))
    with Video(out) as film:
        frames = list(film)
    assert len(frames) == found.timing.frames
    assert frames[-1].time_ms == pytest.approx(found.timing.duration_ms, abs=2)
    assert frames[0].image.shape == (480 + drawing.ROW + 2, 640, 3)
    assert told == sorted(told)
    ribbon = frames[0].image[490, 20:600].astype(int)
    known = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (*COLORS.values(), "#aab2ba")]
    apart = np.abs(ribbon[:, None] - np.array(known)).sum(axis=2).min(axis=1)
    assert np.median(apart) < 40
