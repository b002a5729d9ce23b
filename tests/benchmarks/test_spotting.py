"""Scores of spotters that are known to be perfect, blind, late or nervous."""

import json
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks import spotting, spotting_tables
from benchmarks.spotting_scores import matched, overlap, score
from benchmarks.synthetic.clips import Clip
from benchmarks.synthetic.timeline import plan
from mer.errors import ImageError, MerError
from mer.faces import detection
from mer.io.video import Frame, write_clip
from mer.video.types import Event


def event(onset: float, offset: float, kind: str = "micro") -> Event:
    return Event(1, kind, onset, (onset + offset) / 2, offset, "lips", "up", 2.0, 9.0)


def moved(one: Event, by_ms: float) -> Event:
    times = {name: getattr(one, name) + by_ms for name in ("onset_ms", "apex_ms", "offset_ms")}
    return replace(one, **times)


def blind(frames: Iterable[Frame]) -> list[Event]:
    assert all(frame.image.size for frame in frames)
    return []


@pytest.fixture
def clip(astronaut: np.ndarray) -> Clip:
    return Clip(astronaut, seconds=30, events=plan(30, 2.0), blinks=30)


def test_nothing_matches_nothing() -> None:
    assert matched([], []) == []
    assert matched([event(0, 100)], []) == []
    assert matched([], [event(0, 100)]) == []


@pytest.mark.parametrize(
    ("other", "shared"),
    [((0, 100), 1.0), ((50, 100), 0.5), ((50, 150), 1 / 3), ((100, 200), 0), ((300, 400), 0)],
)
def test_overlap_is_intersection_over_union(other: tuple[float, float], shared: float) -> None:
    assert overlap(event(0, 100), event(*other)) == pytest.approx(shared)


def test_each_event_is_matched_once_with_the_best() -> None:
    truth, found = event(0, 100), [event(20, 100), event(0, 95), event(0, 60)]
    assert matched([truth], found) == [(truth, found[1])]


def test_a_perfect_spotter(clip: Clip) -> None:
    perfect = score(clip, clip.truth)
    assert (perfect.f1, perfect.onset_ms, perfect.apex_ms) == (1, 0, 0)
    assert perfect.micro == perfect.micro_matched > 0
    assert perfect.macro == perfect.macro_matched > 0


def test_a_blind_spotter(clip: Clip) -> None:
    assert score(clip, []).f1 == 0
    assert math.isnan(score(clip, []).onset_ms)


def test_a_late_spotter(clip: Clip) -> None:
    micro = [one for one in clip.truth if one.kind == "micro"]
    late = score(clip, [moved(one, 20) for one in clip.truth])
    assert (late.f1, late.onset_ms, late.apex_ms) == pytest.approx((1, 20, 20))
    assert score(clip, [moved(one, 400) for one in micro]).f1 == 0


def test_a_spotter_that_takes_blinks_for_expressions(clip: Clip) -> None:
    blinks = sum(one.kind == "blink" for one in clip.truth)
    nervous = score(clip, [replace(one, kind="micro") for one in clip.truth])
    events = nervous.micro + nervous.macro
    assert nervous.found == events + blinks
    assert nervous.f1 == 2 * events / (2 * events + blinks)


def test_macro_called_micro_is_found_all_the_same(clip: Clip) -> None:
    assert score(clip, [replace(one, kind="macro") for one in clip.truth[:1]]).f1 > 0


def test_blinks_and_speech_are_not_counted(clip: Clip) -> None:
    apart = [replace(one, kind=kind) for one in clip.truth for kind in ("blink", "speech")]
    assert score(clip, apart).found == 0


def test_run_scores_each_rate_and_displacement(astronaut: np.ndarray) -> None:
    scores = spotting.run(
        astronaut, blind, rates=(2, 4), pixels=(1.0, 3.0), seconds=12, quiet=3, talk=8
    )
    assert [(one.fps, one.pixels) for one in scores] == [
        *((2, 0), (2, 1), (2, 3), (2, 0)),
        *((4, 0), (4, 1), (4, 3), (4, 0)),
    ]
    assert [one.micro + one.macro > 0 for one in scores] == [False, True, True, False] * 2
    assert [one.f1 for one in scores if one.pixels] == [0] * 4
    assert [one.spoken > 0 for one in scores] == [False, False, False, True] * 2
    assert [one.seconds for one in scores] == [3, 12, 12, 8] * 2


def test_report_names_every_figure(astronaut: np.ndarray) -> None:
    def nervous(frames: Iterable[Frame]) -> list[Event]:
        return [event(frame.time_ms, frame.time_ms + 1) for frame in frames]

    scores = spotting.run(
        astronaut, nervous, rates=(2,), pixels=(1.0,), seconds=12, quiet=4, talk=4
    )
    text = spotting_tables.report(scores)
    for words in ("F1 at IoU 0.5", "Onset", "Apex", "2 fps", "1 px", "–"):
        assert words in text
    assert "False alarms a minute" in text
    assert "120.0" in text


def test_measure_keeps_a_few_figures_of_all_scores(
    tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spotting, "spotted", blind)
    monkeypatch.setattr(
        spotting, "QUICK", {"rates": (2,), "pixels": (2.0,), "seconds": 6, "quiet": 1, "talk": 8}
    )
    path = tmp_path / "face.png"
    Image.fromarray(astronaut).save(path)
    found = spotting.measure(path, quick=True)
    assert "made clips" in found["text"]
    assert [one["pixels"] for one in found["scores"]] == [0, 2, 0]
    assert [one["f1"] for one in found["scores"]] == [None, 0, None]
    assert found["figures"] == {"f1_2px": {"2": 0}, "talk_events": 0, "talk_called": 0}
    json.dumps(found, allow_nan=False)


def test_the_project_s_own_spotter_finds_large_expressions(astronaut: np.ndarray) -> None:
    clip = Clip(astronaut, fps=30, seconds=8, events=plan(8, 4.0), size=(320, 240), blinks=0)
    assert score(clip, spotting.spotted(clip)).f1 > 0.5


def test_a_video_gives_the_frame_with_the_surest_face(
    astronaut: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "face.webm"
    shape = (240, 320, 3)
    frames = [Frame(i, 40.0 * i, np.full(shape, 128, np.uint8)) for i in range(5)]
    frames += [Frame(5, 200.0, next(iter(Clip(astronaut, size=(320, 240)))).image)]
    write_clip(path, frames, 25)
    assert len(detection.detect(spotting.still(path))) == 1


def test_a_video_without_a_face_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.webm"
    write_clip(path, [Frame(0, 0.0, np.full((240, 320, 3), 128, np.uint8))], 25)
    with pytest.raises(MerError, match=r"No face was found .* none\.webm"):
        spotting.still(path)


def test_what_is_neither_picture_nor_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("no picture")
    with pytest.raises(ImageError):
        spotting.still(path)


def test_a_picture_is_taken_as_it_is(astronaut: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), cv2.cvtColor(astronaut, cv2.COLOR_RGB2BGR))
    assert np.array_equal(spotting.still(path), astronaut)
