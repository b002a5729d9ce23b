"""A video from file to figures: who, when, what they look like, what passes over them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.synthetic import clips
from mer.emotions import EMOTIONS
from mer.errors import MerError, VideoError
from mer.faces.measures import MEASURES
from mer.io.video import Frame, Video, write_clip
from mer.results import video_tables
from mer.video import analysis, upright
from mer.video.analysis import analyse
from mer.video.people import SAMPLED
from mer.video.types import KINDS, REGIONS, Analysis


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


def written(path: Path, images: list[np.ndarray], fps: float = 30) -> Path:
    frames = [Frame(i, 1000 * i / fps, image) for i, image in enumerate(images)]
    write_clip(path, frames, fps)
    return path


@pytest.fixture
def portrait(astronaut: np.ndarray) -> np.ndarray:
    """The astronaut's head and shoulders in 320x240."""
    return cv2.resize(astronaut[0:240, 60:380], (320, 240))


@pytest.fixture
def clip(clip_folder: Path, portrait: np.ndarray) -> Path:
    """Three seconds of the astronaut, who sways and blinks, at 30 frames a second."""
    path = clip_folder / "astronaut.webm"
    if not path.exists():
        write_clip(path, clips.Clip(portrait, fps=30, seconds=3), 30)
    return path


def test_no_file(tmp_path: Path, stand_in_weights: Path) -> None:
    with pytest.raises(VideoError, match=r"none\.mp4"):
        analyse(tmp_path / "none.mp4")


def test_no_video(tmp_path: Path, stand_in_weights: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("no video")
    with pytest.raises(VideoError, match=r"text\.mp4"):
        analyse(path)


def test_unknown_detector(clip: Path, stand_in_weights: Path) -> None:
    with pytest.raises(MerError, match="no detector 'eye'"):
        analyse(clip, detector="eye")


def test_nobody_there(tmp_path: Path, stand_in_weights: Path) -> None:
    gray = [np.full((120, 160, 3), 90, np.uint8)] * 12
    found = analyse(written(tmp_path / "gray.webm", gray))
    assert not found.people
    assert not found.events
    assert found.complete
    assert found.timing.frames == len(found.times_ms) == 12
    assert found.size == (160, 120)


def test_one_person_in_every_frame(clip: Path, stand_in_weights: Path) -> None:
    found = analyse(clip, model="cnn2")
    (person,) = found.people
    assert found.source == "astronaut.webm"
    assert found.timing.fps == pytest.approx(30, rel=0.05)
    assert found.timing.frames == len(found.times_ms) == 90
    assert person.number == 1
    count = len(person.times_ms)
    assert count > 85  # a face counts once it was seen in a few frames
    assert set(person.times_ms) <= set(found.times_ms)
    assert person.boxes.shape == (count, 4)
    assert person.motion.shape == (count, len(REGIONS))
    assert np.isfinite(person.motion).mean() > 0.9
    assert {event.kind for event in found.events} <= set(KINDS)
    assert {event.person for event in found.events} <= {1}


def test_the_network_looks_several_times_a_second(clip: Path, stand_in_weights: Path) -> None:
    (person,) = analyse(clip).people
    assert len(person.sampled_ms) == pytest.approx(3 * SAMPLED, abs=2)
    assert set(person.sampled_ms) <= set(person.times_ms)
    assert person.probabilities.shape == (len(person.sampled_ms), len(EMOTIONS))
    np.testing.assert_allclose(person.probabilities.sum(1), 1, atol=1e-5)


def test_settings_say_what_was_used(clip: Path, stand_in_weights: Path) -> None:
    settings = analyse(clip, model="cnn2").settings
    assert (settings["network"], settings["version"]) == ("cnn2", "0.0.0")
    assert settings["detector"] == "yunet"
    assert settings["time"].endswith("+00:00")


def test_a_face_that_flashes_up_is_left_out(
    tmp_path: Path, portrait: np.ndarray, stand_in_weights: Path
) -> None:
    empty = np.full_like(portrait, 90)
    found = analyse(written(tmp_path / "flash.webm", [empty] * 15 + [portrait] * 5 + [empty] * 20))
    assert found.people == ()


def test_a_face_that_is_away_for_long(
    tmp_path: Path, portrait: np.ndarray, stand_in_weights: Path
) -> None:
    """Its working memory is given back meanwhile; the figures of both appearances stay."""
    empty = np.full_like(portrait, 90)
    frames = [portrait] * 8 + [empty] * 65 + [portrait] * 8
    found = analyse(written(tmp_path / "away.webm", frames, fps=10))
    assert sum(len(person.times_ms) for person in found.people) == pytest.approx(12, abs=4)
    for person in found.people:
        assert len(person.motion) == len(person.boxes) == len(person.times_ms)
        assert not np.any((person.times_ms > 1500) & (person.times_ms < 7000))


def test_a_covered_face_claims_nothing(
    tmp_path: Path, portrait: np.ndarray, stand_in_weights: Path
) -> None:
    hand = portrait.copy()
    cv2.ellipse(hand, (165, 165), (45, 30), 20, 0, 360, (190, 150, 130), cv2.FILLED)
    cv2.ellipse(hand, (140, 190), (40, 25), -40, 0, 360, (180, 140, 120), cv2.FILLED)
    found = analyse(
        written(tmp_path / "hand.webm", [portrait] * 30 + [hand] * 25 + [portrait] * 30)
    )
    (person,) = found.people
    ((first, last),) = person.covered
    assert first == pytest.approx(1000, abs=200)
    assert last == pytest.approx(1830, abs=300)
    assert not person.hidden(person.sampled_ms).any()
    assert np.isnan(person.motion[person.hidden(person.times_ms)]).all()
    for event in found.events:
        assert event.offset_ms <= first or event.onset_ms >= last


def test_low_frame_rate_claims_nothing_micro(
    tmp_path: Path, portrait: np.ndarray, stand_in_weights: Path
) -> None:
    path = tmp_path / "slow.webm"
    write_clip(path, clips.Clip(portrait, fps=12, seconds=3), 12)
    found = analyse(path)
    assert "micro" not in {event.kind for event in found.events}
    assert any("nothing is called a micro-expression" in note for note in found.notes)


def test_progress_rises_to_the_end(
    clip: Path, stand_in_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "REPORT_S", 0.0)
    told: list[tuple[float, str]] = []
    analyse(clip, progress=lambda part, sentence: told.append((part, sentence)))
    parts = [part for part, _ in told]
    assert parts == sorted(parts)
    assert 0 <= parts[0] < 0.5 < parts[-1] == 1
    assert any("left" in sentence for _, sentence in told)
    assert all(sentence for _, sentence in told)


def test_progress_of_a_video_without_a_length(
    clip: Path, stand_in_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = upright.opened

    def endless(path: Path, fps: float | None = None) -> Video:
        video = read(path, fps)
        video.duration_ms = None
        return video

    monkeypatch.setattr(analysis, "REPORT_S", 0.0)
    monkeypatch.setattr(upright, "opened", endless)
    told: list[str] = []
    analyse(clip, progress=lambda part, sentence: told.append(sentence))
    assert "0:01 read" in told
    assert not any("left" in sentence for sentence in told)


def cancelled_after(path: Path, frames: int) -> Analysis:
    asked = iter(range(10_000))
    return analyse(path, cancelled=lambda: next(asked) >= frames - 1)


@pytest.mark.parametrize("frames", [1, 45])
def test_cancelling_keeps_what_was_read(clip: Path, stand_in_weights: Path, frames: int) -> None:
    found = cancelled_after(clip, frames)
    assert not found.complete
    assert found.timing.frames == frames
    assert found.notes[0].startswith("Cancelled: only the first")
    assert len(found.people) == (frames > 10)
    assert all(len(person.times_ms) <= frames for person in found.people)


@pytest.mark.parametrize(
    ("name", "faces"),
    [("no_face.mp4", [False, False]), ("noface_face.mov", [False, True])],
)
def test_presence_where_a_face_is(mer_data: Path, name: str, faces: list[bool]) -> None:
    found = analyse(mer_data / "videos" / name)
    middle = found.timing.duration_ms / 2
    times = np.concatenate([np.empty(0), *(person.times_ms for person in found.people)])
    assert [bool((times < middle).any()), bool((times > middle).any())] == faces


def test_a_smile_is_a_rise_of_happiness_and_an_event(mer_data: Path) -> None:
    found = analyse(mer_data / "videos" / "single_face.mp4")
    (person,) = found.people
    happiness = person.probabilities[:, EMOTIONS.index("happiness")]
    assert happiness[:4].max() < 0.3
    assert np.median(happiness[len(happiness) // 2 :]) > 0.7
    (smile,) = (event for event in found.events if event.kind != "blink")
    assert (smile.kind, smile.moved) == ("macro", "mouth up")
    assert (len(smile.motion), len(smile.still)) == (3, 7)


def test_hands_over_a_face_are_a_gap_between_sad_and_laughing(mer_data: Path) -> None:
    clip = mer_data / "videos" / "WolfgangLanger_Pexels.mp4"
    (person,) = analyse(clip, model="cnn1").people  # others see disgust in the crying face, too
    ((first, last),) = person.covered  # her hand is on her face from 2.46 to 9.46 s
    assert first == pytest.approx(2460, abs=250)
    assert last == pytest.approx(9460, abs=250)
    looks = person.probabilities.argmax(axis=1)
    after = person.sampled_ms > last
    assert np.bincount(looks[~after]).argmax() == EMOTIONS.index("sadness")
    assert np.bincount(looks[after]).argmax() == EMOTIONS.index("happiness")


def test_the_default_network_begins_with_sad_and_ends_with_laughing(mer_data: Path) -> None:
    """It calls the tears in between disgust, as they may well look."""
    (person,) = analyse(mer_data / "videos" / "WolfgangLanger_Pexels.mp4").people
    looks = person.probabilities.argmax(axis=1)
    assert looks[0] == EMOTIONS.index("sadness")
    after = looks[person.sampled_ms > person.covered[0][1]]
    assert np.bincount(after).argmax() == EMOTIONS.index("happiness")


def test_a_part_is_read_by_the_videos_own_times(clip: Path, stand_in_weights: Path) -> None:
    found = analyse(clip, start_s=0.3, end_s=0.7)
    assert found.times_ms[0] >= 300
    assert found.times_ms[-1] <= 700
    assert found.complete
    with pytest.raises(VideoError, match="no frame from 900 to 901 seconds"):
        analyse(clip, start_s=900, end_s=901)
    with pytest.raises(VideoError, match="A part ends after it begins"):
        analyse(clip, start_s=1, end_s=0.5)


def test_one_of_several_frames_is_read(clip: Path, stand_in_weights: Path) -> None:
    found = analyse(clip, end_s=1.0, every=3)
    assert found.timing.fps == pytest.approx(10, rel=0.05)
    assert found.settings["every"] == 3
    assert found.notes[0].startswith("Of 3 frames one was read")
    assert len(found.people) == 1


def test_faces_are_measured_where_that_is_asked_for(clip: Path, stand_in_weights: Path) -> None:
    found = analyse(clip, measure=True, end_s=1.0)
    (person,) = found.people
    assert person.measures.shape == (len(person.sampled_ms), len(MEASURES))
    assert np.abs(person.measures[:, MEASURES.index("yaw")]).max() < 30
    table = video_tables.frames_table(found)
    assert table["mouthSmileLeft"].notna().sum() == len(person.sampled_ms)
    (seen,) = json.loads(video_tables.to_json(found))["frames"][0]["people"]
    assert set(seen["measures"]) == set(MEASURES)
    assert "yaw" not in video_tables.frames_table(analyse(clip, end_s=0.5))
