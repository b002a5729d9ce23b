"""The parts of the Video tab, without a browser: what they say and show of an analysis."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mer.io.video import Frame, Video, write_clip
from mer.ui import parts, video, video_view, visitor_files
from mer.video.event_clips import Look
from mer.weights import store
from tests.video.analyses import BLINK, EMPTY, SMILE, analysis, hidden_person, person

FACE = np.full((320, 320, 3), 90, np.uint8)


def known(text: str) -> dict[str, Any]:
    """What the player tells the page's script."""
    found = re.search(r'data-people="([^"]+)"', text)
    assert found is not None
    data: dict[str, Any] = json.loads(html.unescape(found[1]))
    return data


def shown(updates: list[Any]) -> int:
    return sum(bool(update.visible) for update in updates) // 3


def test_nobody_is_shown_where_nobody_was_seen() -> None:
    assert shown(video_view.people(None)) == shown(video_view.people(EMPTY)) == 0
    assert video_view.summary(EMPTY) == []
    assert known(video_view.player("a.mp4", EMPTY))["people"] == []
    assert "No event" in video_view.events([])


def test_everybody_is_shown_up_to_a_number_and_the_rest_is_told() -> None:
    crowd = tuple(person(number, frames=30 + number) for number in range(1, video_view.SHOWN + 3))
    found = replace(analysis(), people=crowd)
    updates = video_view.people(found)
    assert len(updates) == 3 * video_view.SHOWN
    assert shown(updates) == video_view.SHOWN
    assert "Person 3" in updates[0].value  # the first two were seen for the shortest time
    assert "the downloads hold everyone" in " ".join(video_view.summary(found))


def test_the_heading_of_a_person_says_how_often_the_answers_are_unsure() -> None:
    sure = person()
    doubtful = replace(sure, sure=np.arange(len(sure.sure)) % 3 > 0)
    for one, said in ((sure, "like happiness."), (doubtful, "unsure in 33 % of the looks.")):
        heading = video_view.people(replace(EMPTY, people=(one,)))[0].value
        assert said in heading


def test_the_summary_counts_people_and_events() -> None:
    first, second = video_view.summary(analysis())
    assert first == "2 people in 2.0 s of video (61 frames, 30.0 a second)."
    assert second == "Events (experimental): 1 macro-expression, 1 blink."


def test_the_player_knows_where_each_face_is_and_what_it_looks_like() -> None:
    data = known(video_view.player("/tmp/a b.mp4", analysis()))
    one, two = data["people"]
    assert one["boxes"][0] == [10, 20, 30, 40]
    assert len(one["times"]) == len(one["boxes"]) == len(one["looks"])
    assert data["names"][one["looks"][0]] == "neutral"
    assert data["names"][one["looks"][-1]] == "happiness"
    assert two["times"][0] == 1000
    assert "gradio_api/file=/tmp/a%20b.mp4" in video_view.player("/tmp/a b.mp4", analysis())


def test_the_player_names_no_class_where_the_face_is_covered() -> None:
    found = replace(analysis(), people=(hidden_person(),))
    data = known(video_view.player("a.mp4", found))
    (one,) = data["people"]
    named = [data["names"][look] for look in one["looks"]]
    hidden = [1000 <= time <= 1500 for time in one["times"]]
    assert [name == "covered" for name in named] == hidden
    assert "face covered from 0:01.0 to 0:01.5" in video_view.people(found)[0].value


def test_a_name_of_a_file_is_no_html() -> None:
    assert "<img" not in video_view.player("/tmp/<img src=x>.mp4", analysis())


def test_the_table_has_a_button_and_a_sortable_value_a_row() -> None:
    text = video_view.events([SMILE, BLINK])
    assert re.findall(r'data-event="(\d)" data-apex="([\d.]+)"', text) == [
        ("0", "0.900"),
        ("1", "1.700"),
    ]
    assert 'aria-label="Show event 2"' in text
    assert 'data-value="right mouth corner up and left"' in text


@pytest.mark.parametrize("frames", [1, 30])
def test_an_event_seen_closely_holds_its_pictures_in_itself(frames: int) -> None:
    look = Look(FACE, FACE, FACE, FACE, [FACE] * frames, 30.0)
    text = video_view.closely(1, SMILE, look)
    assert text.count("data:image/jpeg;base64,") == 4
    assert text.count("data:video/webm;base64,") == (frames > 1)
    assert "positive 90 %" in text
    assert video_view.motion_score() in text
    assert "gains most in happiness" in text


def test_the_score_of_recognition_comes_from_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    assert video_view.motion_score() == "This is experimental."
    record = {"model": "motion", "evaluation": {"uf1": 0.614, "uar": 0.508}}
    (tmp_path / "motion.json").write_text(json.dumps(record))
    assert "UF1 0.61, UAR 0.51" in video_view.motion_score()


def test_a_blink_is_given_no_expression() -> None:
    text = video_view.closely(2, BLINK, Look(FACE, FACE, FACE, FACE, [FACE], 30.0))
    assert "experimental" not in text
    assert "looks like" not in text


def test_an_unknown_event_and_a_deleted_video_are_told(tmp_path: Path) -> None:
    gone = video.Seen(str(tmp_path / "gone.mp4"), analysis())
    assert "Analyse again" in video.show(0, None)
    assert "Analyse again" in video.show(99, gone)
    assert "has been deleted" in video.show(0, gone)


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("JSON", r"video-smile-20\d\d-\d\d-\d\d\.json"),
        ("CSV of frames", r"frames-smile-20\d\d-\d\d-\d\d\.csv"),
        ("CSV of events", r"events-smile-20\d\d-\d\d-\d\d\.csv"),
        ("CSV of events for Excel", r"events-smile-20\d\d-\d\d-\d\d\.excel\.csv"),
    ],
)
def test_files_to_download_say_their_source_and_the_day(name: str, holds: str) -> None:
    assert re.search(f'download="{holds}"', video.save(name, video.Seen("a.mp4", analysis())))


def test_a_copy_is_smaller_and_keeps_the_time_of_an_uneven_video(tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    times = [0.0, 40.0, 100.0, 300.0]
    picture = np.zeros((480, 1280, 3), np.uint8)
    write_clip(path, [Frame(i, time, picture) for i, time in enumerate(times)], 10)
    with Video(video_view.copy(str(path), 10)) as copied:
        assert copied.size == (640, 240)
        assert [frame.time_ms for frame in copied] == pytest.approx(times, abs=1)


@pytest.mark.parametrize("path", [parts.PHOTOGRAPH, *parts.VIDEOS.values()])
def test_an_example_lies_where_the_page_may_serve_it(path: Path) -> None:
    served = Path(parts.served(path))
    assert served.read_bytes() == path.read_bytes()
    assert visitor_files.take_folder() in served.parents  # which is swept, also after a kill
