"""The judge of real recordings: what it counts, and one real recording where the data is."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import spotting_record
from benchmarks.real import clips, spotting
from benchmarks.real.clips import Recording, expression
from benchmarks.real.naming import Namer
from mer.errors import MerError
from mer.io.video import Frame
from mer.results import methods
from mer.video.types import Event
from mer.weights import store


def nothing(folder: Path) -> float:
    return 30.0


def recording(subject: str = "1", *, marked: bool = True) -> Recording:
    truth = expression(1000, 1200, 1400) if marked else None
    return Recording("clip", subject, nothing, 6.0, truth, neutral=not marked)


def claimed(onset: float, offset: float, kind: str = "micro") -> Event:
    return Event(1, kind, onset, (onset + offset) / 2, offset, "lips", "up", 1.0, 9.0)


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(MerError, match="casme2"):
        clips.casme(tmp_path, 30)


def test_without_outcomes_there_are_no_figures() -> None:
    assert math.isnan(spotting.f1([]))
    assert math.isnan(spotting.hits([]))
    assert spotting.interval([], spotting.f1) is None
    assert spotting.figures([])["f1"] is None
    assert spotting.stability([]) == dict.fromkeys(spotting.CHANGES, 1.0)


def test_an_event_counts_by_what_it_shares_with_the_mark() -> None:
    right = spotting.outcome(recording(), [claimed(1020, 1420), claimed(3000, 3300)])
    assert (right.hit, right.matched, right.claimed, right.beside) == (True, True, 2, 1)
    assert right.onset_ms == 20
    long = spotting.outcome(recording(), [claimed(900, 3000, "macro")])
    assert (long.hit, long.matched, long.beside) == (True, False, 0)
    spoken = spotting.outcome(recording(), [claimed(900, 3000, "speech")])
    assert (spoken.hit, spoken.claimed, spoken.spoken) == (False, 0, 1)
    assert spotting.f1([right, long]) == pytest.approx(2 / 5)
    assert spotting.hits([right, spoken]) == 0.5


def test_an_interval_draws_people_and_not_clips() -> None:
    right = spotting.outcome(recording("1"), [claimed(1000, 1400)])
    missed = spotting.outcome(recording("2"), [])
    assert spotting.interval([right, right, missed, missed], spotting.f1) == [0.0, 1.0]


def test_events_in_neutral_clips_do_not_touch_f1() -> None:
    neutral = spotting.outcome(recording(marked=False), [claimed(1000, 1400)])
    assert (neutral.neutral, neutral.claimed) == (True, 1)
    assert math.isnan(spotting.f1([neutral]))


def test_changed_clips_keep_their_times() -> None:
    frames = [Frame(n, 1000 * n / 60, np.full((8, 6, 3), n, np.uint8)) for n in range(9)]
    for name, change in spotting.CHANGES.items():
        times = [frame.time_ms for frame in change(frames)]
        assert times == sorted(times), name
        assert set(times) <= {frame.time_ms for frame in frames}, name


def test_the_figures_of_a_set_are_json_and_become_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    assert methods.spotting() == ""
    right = replace(
        spotting.outcome(recording(), [claimed(1000, 1400)]),
        kind="positive",
        given="positive",
        spotted="negative",
    )
    found = {"sets": dict.fromkeys(("flashes", "CASME, 30 fps"), spotting.figures([right]))}
    spotting_record.save("real", found | {"every": 6, "stability": {"mirrored": 0.9}})
    spotting_record.save("made", {"f1_2px": {"30": 0.97}, "talk_events": 2, "talk_called": 0.5})
    told = spotting_record.targets()
    assert "| 1 of 1 |" in told
    assert "| 1.00 (1 clips) / 0.00 (1 clips) |" in told
    assert "--fps 30 --every 6 --stable --save" in told
    assert "| 0.90 |" in told
    assert "1 of 1 expressions of real clips" in methods.spotting()


def test_a_real_micro_expression_between_stills_is_found_and_named(mer_data: Path) -> None:
    folder = mer_data / "real-videos" / "casme2"
    one = next(clip for clip in clips.casme(folder, 30) if clip.name == "sub01_EP04_02")
    (found,) = spotting.run([one], Namer(mer_data / "optical-flow"))
    assert found.matched
    assert found.claimed == 1
    assert bool(found.given) == bool(found.spotted) == bool(one.kind)
