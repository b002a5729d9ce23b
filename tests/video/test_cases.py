"""The videos that earlier versions read wrongly, beside the data sets: from file to figures."""

from pathlib import Path

import numpy as np
import pytest

from mer.video.analysis import analyse
from mer.video.types import Analysis, Person

NAMES = (
    *("two-video-tracks.mkv", "frames-missing.mp4", "hdr-hlg.mov", "filmed-upside-down.mp4"),
    *("pictures-start-late.mp4", "identities.mp4", "hostile/video_1000fps_2s.mp4"),
)


@pytest.fixture(scope="module")
def cases(mer_data: Path) -> Path:
    """The folder of small inputs beside the data sets."""
    folder = mer_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    return folder


@pytest.fixture(scope="module")
def analyses(cases: Path) -> dict[str, Analysis]:
    """Each video, analysed once."""
    return {Path(name).stem: analyse(cases / name) for name in NAMES}


def seconds(person: Person) -> set[int]:
    """The whole seconds in the middle of which this person is seen."""
    middles = np.arange(0.5, 12) * 1000
    return {int(t / 1000) for t in middles if np.abs(person.times_ms - t).min() < 50}


def test_of_two_tracks_the_marked_one_is_read(analyses: dict[str, Analysis]) -> None:
    found = analyses["two-video-tracks"]
    assert found.size == (640, 360)
    assert len(found.people) == 1


def test_missing_frames_are_told_and_nothing_micro_is_claimed(
    analyses: dict[str, Analysis],
) -> None:
    found = analyses["frames-missing"]
    assert found.timing.gap_ms > 1000
    assert found.timing.unseen_ms >= found.timing.gap_ms
    assert any("Frames are missing" in note for note in found.notes)
    assert "micro" not in {event.kind for event in found.events}


def test_high_dynamic_range_is_read_as_ordinary(analyses: dict[str, Analysis]) -> None:
    (person,) = analyses["hdr-hlg"].people
    late = person.probabilities[person.sampled_ms > 13_000]
    happy = late[:, person.classes.index("happiness")]
    assert (happy > 0.5).mean() > 0.9


def test_a_video_filmed_upside_down_is_turned_and_says_so(analyses: dict[str, Analysis]) -> None:
    found = analyses["filmed-upside-down"]
    assert any("upside down" in note for note in found.notes)
    (person,) = found.people
    looks = {person.classes[index] for index in person.probabilities.argmax(1)}
    assert looks == {"neutral", "happiness"}
    assert not person.covered.size


def test_times_are_the_players_own(analyses: dict[str, Analysis]) -> None:
    (person,) = analyses["pictures-start-late"].people
    assert person.times_ms[0] == pytest.approx(800, abs=40)


def test_people_who_come_back_and_change_places_keep_their_numbers(
    analyses: dict[str, Analysis],
) -> None:
    first, second = analyses["identities"].people
    assert seconds(first) == {0, 1, 6, 7, 8, 9, 10, 11}
    assert seconds(second) == {4, 5, 8, 9, 10, 11}
    swapped = second.times_ms > 10_100
    before = (second.times_ms > 8_100) & (second.times_ms < 9_900)
    apart = np.median(second.boxes[swapped, 0]) - np.median(second.boxes[before, 0])
    assert abs(apart) > 200  # pixels: the places were changed, the numbers were not


def test_a_thousand_frames_a_second_are_bounded(analyses: dict[str, Analysis]) -> None:
    found = analyses["video_1000fps_2s"]
    assert found.timing.frames <= 500
    assert any("250 frames a second" in note for note in found.notes)
