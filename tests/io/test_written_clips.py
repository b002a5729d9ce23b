"""Written clips: refused in a sentence, or played with each frame at its own time."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.synthetic.clips import Clip
from mer.errors import VideoError
from mer.io.video import Frame, Video, evenly, write_clip


def test_no_frames_make_no_video(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no frames"):
        write_clip(tmp_path / "none.webm", [], 30)
    assert list(evenly([], 30)) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    frames = [Frame(0, 0.0, np.zeros((48, 64, 3), np.uint8))]
    with pytest.raises(VideoError, match=r"clip\.webm cannot be written"):
        write_clip(tmp_path / "none" / "clip.webm", frames, 30)


def test_a_written_clip_is_vp8_with_its_own_times(astronaut: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "clip.webm"
    clip = Clip(astronaut, fps=30, seconds=0.5, size=(320, 240))
    write_clip(path, clip, clip.fps)
    with Video(path) as video:
        frames = list(video)
        assert video.size == (320, 240)
    assert [frame.time_ms for frame in frames] == pytest.approx(
        [frame.time_ms for frame in clip], abs=1
    )
    pictures = [frame.image for frame in clip]
    assert cv2.absdiff(frames[-1].image, pictures[-1]).mean() < 6
    assert b"V_VP8" in path.read_bytes()


def test_pictures_follow_one_another_evenly() -> None:
    frames = list(evenly([np.zeros((8, 8, 3), np.uint8)] * 3, 20))
    assert [(one.index, one.time_ms) for one in frames] == [(0, 0), (1, 50), (2, 100)]
