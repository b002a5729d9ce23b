"""A video in words, and its report: one file, offline, with everything in it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mer.results import report
from mer.video import notes
from mer.video.types import Timing
from tests.video.analyses import EMPTY, analysis, hidden_person


def test_nothing_found() -> None:
    page = report.video_html(EMPTY)
    assert "No face was found." in page
    assert "No event passed over a face." in page


def test_everything_is_inside() -> None:
    page = report.video_html(analysis())
    assert page.count("<script") >= 5  # plotly.js once, and four figures
    assert page.count("plotly.js v") == 1
    own = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "http" not in own
    assert not re.search(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"(?!data:)", page)


def test_people_events_settings_and_limits_are_told() -> None:
    page = report.video_html(replace(analysis(), notes=("The end is missing.",)))
    for words in (
        *("Person 1", "Person 2", "right mouth corner up and left", "positive "),
        *("The end is missing.", "yunet", "cnn1", "0.1.0", "one micro-expression in four"),
    ):
        assert words in page, words


def test_a_name_is_no_html() -> None:
    page = report.video_html(analysis("<b>{x}.mp4"))
    assert "&lt;b&gt;{x}.mp4" in page
    assert "<b>{x}" not in page


def test_a_video_that_is_gone_costs_only_the_pictures(tmp_path: Path) -> None:
    page = report.video_html(analysis(), tmp_path / "gone.mp4")
    assert "Person 1" in page
    assert "data:image/jpeg" not in page


def test_the_summary_comes_first_with_counts_means_and_the_unsure() -> None:
    page = report.video_html(analysis())
    assert page.index('<h2 id="summary">') < page.index('<h2 id="people">')
    for words in (
        *("1 macro-expression, 1 blink", "<td>Unsure, of all looks</td><td>0 %</td>"),
        *("<td>neutral</td><td>46.7 % (", "<td>happiness</td><td>53.3 % ("),
    ):
        assert words in page, words


def test_no_raw_key_is_shown() -> None:
    made = analysis()
    used = {
        **made.settings,
        "sampled_per_second": 8,
        "motion_uf1": 0.76,
        "sure_from": {"fear": 0.9},
    }
    page = re.sub(
        "<script.*?</script>", "", report.video_html(replace(made, settings=used)), flags=re.S
    )
    assert not re.search(r">\s*[a-z]+_[a-z_]+\s*<|\{&#39;|motion uf1", page)


def test_methods_can_be_pasted() -> None:
    page = report.video_html(analysis(fps=20))
    for words in (
        *("network cnn1, version 0.1.0", "61 frames at 20.0 a second", "nothing is called micro"),
        *("@software{mer,", "pictures.", "not what the person feels."),
    ):
        assert words in page, words


def test_nothing_found_is_told_in_words() -> None:
    assert "No face found" in report.summary(EMPTY)


def test_people_events_and_notes_are_told() -> None:
    text = report.summary(replace(analysis(), notes=("The end is missing.",)))
    assert "smile.mp4: 640 x 480 pixels, 2.0 s of video (61 frames, 30.0 a second)" in text
    assert "Person 2, 0:01.0 to 0:02.0" in text
    assert "looks like happiness 96 %" in text
    assert "macro  0.50     0.90" in text
    assert "  positive " in text
    assert "Note: The end is missing." in text


def test_no_event() -> None:
    assert "No event passed over a face." in report.summary(replace(analysis(), events=()))


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
    assert said in report.summary(replace(analysis(), people=(hidden,)))
    assert f"F{said[1:]}." in report.video_html(replace(analysis(), people=(hidden,)))


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
