"""The report: one file, offline, with everything in it."""

import re
from dataclasses import replace
from pathlib import Path

from mer.results import video_report
from tests.video.analyses import EMPTY, analysis


def test_nothing_found() -> None:
    page = video_report.html(EMPTY)
    assert "No face was found." in page
    assert "No event passed over a face." in page


def test_everything_is_inside() -> None:
    page = video_report.html(analysis())
    assert page.count("<script") >= 5  # plotly.js once, and four figures
    assert page.count("plotly.js v") == 1
    own = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "http" not in own
    assert not re.search(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"(?!data:)", page)


def test_people_events_settings_and_limits_are_told() -> None:
    page = video_report.html(replace(analysis(), notes=("The end is missing.",)))
    for words in (
        *("Person 1", "Person 2", "right mouth corner up and left", "positive "),
        *("The end is missing.", "yunet", "cnn1", "0.1.0", "one micro-expression in four"),
    ):
        assert words in page, words


def test_a_name_is_no_html() -> None:
    page = video_report.html(analysis("<b>{x}.mp4"))
    assert "&lt;b&gt;{x}.mp4" in page
    assert "<b>{x}" not in page


def test_a_video_that_is_gone_costs_only_the_pictures(tmp_path: Path) -> None:
    page = video_report.html(analysis(), tmp_path / "gone.mp4")
    assert "Person 1" in page
    assert "data:image/jpeg" not in page


def test_the_summary_comes_first_with_counts_means_and_the_unsure() -> None:
    page = video_report.html(analysis())
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
        "<script.*?</script>", "", video_report.html(replace(made, settings=used)), flags=re.S
    )
    assert not re.search(r">\s*[a-z]+_[a-z_]+\s*<|\{&#39;|motion uf1", page)


def test_methods_can_be_pasted() -> None:
    page = video_report.html(analysis(fps=20))
    for words in (
        *("network cnn1, version 0.1.0", "61 frames at 20.0 a second", "nothing is called micro"),
        *("@software{mer,", "pictures.", "not what the person feels."),
    ):
        assert words in page, words
