"""The film to keep: as many frames as were read, a box on the face, the ribbon below."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.synthetic import clips
from mer.emotions import COLORS
from mer.errors import VideoError
from mer.io import webm
from mer.io.video import Video
from mer.results import annotated_video
from mer.video.analysis import analyse
from tests.video.analyses import analysis as by_hand


@pytest.fixture
def clip(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "clip.webm"
    webm.write(path, clips.Clip(astronaut, fps=15, seconds=1, size=(320, 240)), 15)
    return path


def test_a_video_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4"):
        annotated_video.write(tmp_path / "out.webm", tmp_path / "gone.mp4", by_hand())


def test_the_frames_that_were_read_are_drawn(
    tmp_path: Path, clip: Path, stand_in_weights: Path
) -> None:
    found = analyse(clip, every=2)
    told: list[float] = []
    out = tmp_path / "out.webm"
    annotated_video.write(out, clip, found, lambda part, _: told.append(part))
    with Video(out) as film:
        frames = list(film)
    assert len(frames) == found.timing.frames
    assert frames[-1].time_ms == pytest.approx(found.timing.duration_ms, abs=2)
    assert frames[0].image.shape == (480 + annotated_video.ROW + 2, 640, 3)
    assert told == sorted(told)
    ribbon = frames[0].image[490, 20:600].astype(int)
    known = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (*COLORS.values(), "#aab2ba")]
    apart = np.abs(ribbon[:, None] - np.array(known)).sum(axis=2).min(axis=1)
    assert np.median(apart) < 40
