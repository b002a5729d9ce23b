"""How frames lie in time, and what the frame rate allows to be claimed."""

import numpy as np
import pytest

from mer.video.types import Timing


def test_no_frame_and_one_have_no_rate() -> None:
    none, one = Timing.of(np.empty(0)), Timing.of(np.array([500.0]))
    assert (none.frames, none.fps, none.micro) == (0, 0.0, False)
    assert (one.frames, one.fps, one.duration_ms) == (1, 0.0, 0.0)


def test_stamps_in_whole_milliseconds_do_not_change_the_rate() -> None:
    number = np.arange(600)
    times = np.round(1000 / 60 * number) + 500 * (number > 300)  # and there is one gap
    assert Timing.of(times).fps == pytest.approx(60, rel=0.002)


@pytest.mark.parametrize(("fps", "micro"), [(24, False), (25, True), (29.97, True), (120, True)])
def test_the_rate_of_even_frames(fps: float, micro: bool) -> None:
    timing = Timing.of(np.arange(300) * 1000 / fps)
    assert timing.frames == 300
    assert timing.fps == pytest.approx(fps, rel=0.002)
    assert timing.unevenness == pytest.approx(0, abs=0.01)
    assert timing.duration_ms == pytest.approx(299 * 1000 / fps)
    assert timing.micro == micro


def test_how_uneven_frames_are() -> None:
    timing = Timing.of(np.cumsum([0, *[20, 40, 60] * 100]))
    assert timing.fps == pytest.approx(25)
    assert timing.unevenness == pytest.approx(1.0)
