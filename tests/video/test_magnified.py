"""Magnified clips move more where something moved, and stay as they were elsewhere."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.io.video import evenly, write_clip
from mer.video import event_clips
from mer.video.motion import flow

FPS = 30


def clip(picture: np.ndarray, pixels: float, frames: int = 30) -> list[np.ndarray]:
    """The astronaut's mouth goes down by so many pixels and back, within 0.4 s."""
    face = cv2.resize(picture[40:200, 140:300], (320, 320))
    rows, columns = np.mgrid[:320, :320].astype(np.float32)
    place = np.exp(-(((columns - 160) / 40) ** 2 + ((rows - 220) / 30) ** 2))
    times = np.arange(frames) / FPS
    levels = pixels * np.exp(-(((times - 0.5) / 0.1) ** 2))
    return [
        cv2.remap(face, columns, (rows - level * place).astype(np.float32), cv2.INTER_LINEAR)
        for level in levels
    ]


def moved(frames: list[np.ndarray]) -> np.ndarray:
    """Flow from the first frame to the middle one, (320, 320, 2)."""
    first, middle = (cv2.cvtColor(frames[i], cv2.COLOR_RGB2GRAY) for i in (0, 15))
    return flow.dense(first, middle)


def test_no_frames() -> None:
    assert event_clips.magnified([], FPS) == []


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_frames_stay_as_they_are(astronaut: np.ndarray, count: int) -> None:
    frames = clip(astronaut, 1)[:count]
    for before, after in zip(frames, event_clips.magnified(frames, FPS), strict=True):
        np.testing.assert_array_equal(before, after)


def test_rest_stays_rest(astronaut: np.ndarray) -> None:
    still = clip(astronaut, 0)
    for frame in event_clips.magnified(still, FPS):
        assert np.abs(frame.astype(int) - still[0]).max() <= 1


def test_a_small_movement_grows_and_the_forehead_stays(astronaut: np.ndarray) -> None:
    frames = clip(astronaut, 1.0)
    before, after = moved(frames), moved(event_clips.magnified(frames, FPS))
    mouth = np.s_[205:235, 140:180, 1]
    assert after[mouth].mean() > 2 * before[mouth].mean()
    assert np.abs(after[20:60, 100:220]).mean() < 0.2


def test_a_large_movement_is_magnified_less(astronaut: np.ndarray) -> None:
    frames = clip(astronaut, 8.0)
    full = event_clips.magnified(frames, FPS)
    careful = event_clips.magnified(frames, FPS, pixels=8.0)
    change = [np.abs(one[15].astype(int) - frames[15]).mean() for one in (full, careful)]
    assert change[1] < 0.5 * change[0]


@pytest.mark.parametrize("size", [(3, 5), (17, 33)])
def test_small_and_odd_frames(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    frames = list(random.integers(0, 256, (12, *size, 3), dtype=np.uint8))
    assert [frame.shape for frame in event_clips.magnified(frames, FPS)] == [(*size, 3)] * 12


def test_a_slow_clip_is_what_browsers_play(tmp_path: Path, astronaut: np.ndarray) -> None:
    path = tmp_path / "clip.webm"
    frames = clip(astronaut, 1)[:10]
    slow = FPS / event_clips.SLOWER
    write_clip(path, evenly([np.hstack([frame, frame]) for frame in frames], slow), slow)
    assert path.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"  # Matroska, of which WebM is a part
    assert b"V_VP8" in path.read_bytes()[:4096]
    video = cv2.VideoCapture(str(path))
    read, first = video.read()
    assert read
    assert first.shape == (320, 640, 3)
    assert np.abs(first[:, :320, ::-1].astype(int) - frames[0]).mean() < 6
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(FPS / event_clips.SLOWER, rel=0.1)
