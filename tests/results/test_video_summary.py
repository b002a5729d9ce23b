"""An analysis as text, and the sentences in it."""

from dataclasses import replace

import numpy as np
import pytest

from mer.results import video_report
from mer.results.video_summary import summary
from mer.video import notes
from mer.video.types import Timing
from tests.video.analyses import EMPTY, analysis, hidden_person


def test_nothing_found() -> None:
    assert "No face found" in summary(EMPTY)


def test_people_events_and_notes_are_told() -> None:
    text = summary(replace(analysis(), notes=("The end is missing.",)))
    assert "smile.mp4: 640 x 480 pixels, 2.0 s of video (61 frames, 30.0 a second)" in text
    assert "Person 2, 0:01.0 to 0:02.0" in text
    assert "looks like happiness 96 %" in text
    assert "macro  0.50     0.90" in text
    assert "  positive " in text
    assert "Note: The end is missing." in text


def test_no_event() -> None:
    assert "No event passed over a face." in summary(replace(analysis(), events=()))


@pytest.mark.parametrize(
    ("time_ms", "digits", "text"),
    [
        (0, 0, "0:00"),
        (65_432.1, 0, "1:05"),
        (65_432.1, 1, "1:05.4"),
        (59_960, 1, "1:00.0"),
        (3_600_000, 0, "1:00:00"),
    ],
)
def test_clock(time_ms: float, digits: int, text: str) -> None:
    assert notes.clock(time_ms, digits) == text


@pytest.mark.parametrize(
    ("fps", "words_of_it"),
    [(10, "nothing is called a micro-expression"), (30, "recommended"), (60, "")],
)
def test_frame_rate(fps: float, words_of_it: str) -> None:
    sentence = notes.frame_rate(Timing(100, 1000, fps, 0))
    assert words_of_it in sentence
    assert bool(sentence) == bool(words_of_it)


def test_unevenness() -> None:
    assert notes.timed(Timing(100, 1000, 60, 0.02)) == []
    assert "unevenly" in notes.timed(Timing(100, 1000, 60, 0.9))[0]


def test_a_covered_face_is_told() -> None:
    assert notes.covered(analysis().people[0]) == ""
    hidden = hidden_person()
    said = "face covered from 0:01.0 to 0:01.5: nothing is said of it there"
    assert notes.covered(hidden) == said
    assert said in summary(replace(analysis(), people=(hidden,)))
    assert f"F{said[1:]}." in video_report.html(replace(analysis(), people=(hidden,)))


def test_missing_frames_are_told() -> None:
    steady = np.arange(0, 3000, 33.3)
    slow = np.arange(0, 9000, 500.0)
    assert not any("missing" in one for one in notes.timed(Timing.of(steady)))
    assert not any("missing" in one for one in notes.timed(Timing.of(slow)))
    holes = steady[(steady < 500) | (steady > 1700) & (steady < 2000) | (steady > 2200)]
    timing = Timing.of(holes)
    assert timing.gap_ms == pytest.approx(1230, abs=40)
    assert timing.unseen_ms == pytest.approx(1230 + 230, abs=80)
    assert "1.2 s of them at the longest" in notes.timed(timing)[-1]
