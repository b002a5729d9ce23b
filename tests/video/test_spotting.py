"""Events in the motion of one face, from signals made here."""

import numpy as np
import pytest

from mer.video import notes as words
from mer.video.spotting import spot
from mer.video.types import MICRO_MS, REGIONS, Event, Timing

SECONDS = 20.0


def signals(
    fps: float, bumps: list[tuple[str, float, float, tuple[float, float]]]
) -> tuple[np.ndarray, np.ndarray]:
    """Times and direction: noise, and bumps as (region, start ms, end ms, pixels)."""
    times = np.arange(0, 1000 * SECONDS, 1000 / fps)
    return times, bumped(times, bumps)


def bumped(
    times: np.ndarray, bumps: list[tuple[str, float, float, tuple[float, float]]]
) -> np.ndarray:
    """Direction at these times: noise, and the bumps."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.03, (len(times), len(REGIONS), 2))
    for region, start, end, pixels in bumps:
        phase = ((times - start) / (end - start)).clip(0, 1)
        rise = (1 - np.cos(2 * np.pi * phase)) / 2
        vectors[:, REGIONS.index(region)] += rise[:, None] * pixels
    return vectors.astype(np.float32)


def found(fps: float, *bumps: tuple[str, float, float, tuple[float, float]]) -> list[Event]:
    times, direction = signals(fps, list(bumps))
    return spot(3, times, direction, micro=Timing.of(times).micro)


def test_no_frames_have_no_events() -> None:
    assert spot(1, np.empty(0), np.empty((0, len(REGIONS), 2)), micro=True) == []


def test_what_was_never_measured_has_no_events() -> None:
    times = np.arange(0, 3000, 33.0)
    assert spot(1, times, np.full((len(times), len(REGIONS), 2), np.nan), micro=True) == []


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0, 120.0])
def test_a_still_face_has_no_events(fps: float) -> None:
    assert found(fps) == []


@pytest.mark.parametrize("fps", [30.0, 60.0, 120.0])
def test_a_short_motion_is_a_micro_expression(fps: float) -> None:
    (event,) = found(fps, ("left mouth corner", 8000, 8400, (1.0, -1.0)))
    assert (event.person, event.kind, event.region) == (3, "micro", "left mouth corner")
    assert event.direction == "up and right"
    assert event.onset_ms == pytest.approx(8000, abs=80)
    assert event.apex_ms == pytest.approx(8200, abs=50)
    assert event.offset_ms == pytest.approx(8400, abs=80)
    assert event.pixels == pytest.approx(1.4, rel=0.25)
    assert event.strength > 6


def test_a_long_motion_is_a_macro_expression() -> None:
    (event,) = found(30, ("between brows", 8000, 9500, (0.0, 2.0)))
    assert (event.kind, event.direction) == ("macro", "down")
    assert event.offset_ms - event.onset_ms > MICRO_MS


def test_steps_whose_median_alone_is_short_enough_claim_no_micro_expression() -> None:
    """Of steps of 34 and 50 ms the median is 34, but 24.2 frames come in a second."""
    steps = np.where(np.arange(480) % 20 < 11, 34.0, 50.0)
    times = np.concatenate([[0.0], np.cumsum(steps)])
    assert np.median(steps) == 34
    direction = bumped(times, [("left mouth corner", 8000, 8400, (1.0, -1.0))])
    claimed = spot(3, times, direction, micro=True)
    assert [event.kind for event in claimed] == ["micro"]
    (brief,) = spot(3, times, direction, micro=Timing.of(times).micro)
    assert brief.kind == "macro"
    assert "nothing is called a micro-expression" in words.frame_rate(Timing.of(times))


def test_under_25_frames_a_second_nothing_is_called_micro() -> None:
    for offset in (8400, 9500):
        (event,) = found(20, ("left mouth corner", 8000, offset, (1.0, -1.0)))
        assert event.kind == "macro"


def test_both_eyes_closing_are_a_blink() -> None:
    lids = [(eye, 8000.0, 8250.0, (0.0, 4.0)) for eye in ("right eye", "left eye")]
    assert [event.kind for event in found(60, *lids)] == ["blink"]


def test_lips_up_and_down_again_and_again_are_speech() -> None:
    syllables = [("lips", 6000.0 + 300 * n, 6250.0 + 300 * n, (0.0, 2.5)) for n in range(9)]
    kinds = {event.kind for event in found(60, *syllables)}
    assert kinds == {"speech"}


def test_three_motions_of_the_mouth_in_a_row_are_speech_wherever_they_show() -> None:
    syllables = [
        (region, 6000.0 + 450 * n, 6300.0 + 450 * n, (0.0, 1.5))
        for n, region in enumerate(("lips", "left mouth corner", "lips"))
    ]
    assert [event.kind for event in found(60, *syllables)] == ["speech"]


def test_two_motions_of_the_mouth_in_a_row_are_expressions() -> None:
    twice = [("lips", 6000.0 + 500 * n, 6300.0 + 500 * n, (0.0, 1.5)) for n in range(2)]
    assert [event.kind for event in found(60, *twice)] == ["micro", "micro"]


def test_a_frown_while_speaking_stands_and_what_speech_shakes_does_not() -> None:
    syllables = [("lips", 6000.0 + 300 * n, 6250.0 + 300 * n, (0.0, 2.5)) for n in range(9)]
    frown = ("between brows", 7000.0, 7400.0, (0.0, 1.5))
    shaken = ("nose", 6300.0, 6600.0, (0.0, 0.3))
    assert [event.kind for event in found(60, *syllables, frown, shaken)] == ["speech", "micro"]


def test_the_mouth_that_closes_after_the_last_word_is_part_of_speech() -> None:
    syllables = [("lips", 6000.0 + 300 * n, 6250.0 + 300 * n, (0.0, 2.5)) for n in range(9)]
    closing = ("lips", 8700.0, 10_200.0, (0.0, -0.6))
    assert [event.kind for event in found(60, *syllables, closing)] == ["speech"]


def test_a_smile_after_the_last_word_stands() -> None:
    syllables = [("lips", 6000.0 + 300 * n, 6250.0 + 300 * n, (0.0, 2.5)) for n in range(9)]
    smile = [
        (region, 8700.0, 10_200.0, (across, -4.0))
        for region, across in (("right mouth corner", -2.0), ("left mouth corner", 2.0))
    ]
    assert [event.kind for event in found(60, *syllables, *smile)] == ["speech", "macro"]


def test_a_breath_between_words_is_part_of_speech() -> None:
    starts = [6000.0 + 300 * n for n in (*range(6), *range(12, 19))]
    syllables = [("lips", start, start + 250, (0.0, 2.5)) for start in starts]
    assert [event.kind for event in found(60, *syllables)] == ["speech"]


def test_a_smile_that_lasts_is_one_event_of_the_mouth_and_no_speech() -> None:
    times, direction = signals(30, [])
    held = np.clip(np.minimum(times - 6000, 9000 - times) / 300, 0, 1)
    ripples = 1 + 0.08 * np.sin(times / 1000 * 2 * np.pi * 3)
    for region, across in (("right mouth corner", -4.0), ("left mouth corner", 4.0)):
        direction[:, REGIONS.index(region)] += (held * ripples)[:, None] * (across, -6.0)
    (event,) = spot(1, times, direction, micro=True)
    assert (event.kind, event.regions) == ("macro", ("right mouth corner", "left mouth corner"))
    assert event.onset_ms == pytest.approx(6000, abs=100)
    assert event.offset_ms == pytest.approx(9000, abs=100)


def test_a_motion_that_stops_half_way_back_ends_where_it_stops() -> None:
    times, direction = signals(60, [])
    level = np.interp(times, [8000, 8150, 8300], [0, 2, 1])
    direction[:, REGIONS.index("left brow"), 1] -= level
    (event,) = spot(1, times, direction, micro=True)
    assert (event.kind, event.region, event.direction) == ("micro", "left brow", "up")
    assert event.offset_ms == pytest.approx(8300, abs=60)


def test_no_micro_expression_is_claimed_across_missing_frames() -> None:
    times, direction = signals(60, [("lips", 8000, 8400, (0.0, 1.5))])
    seen = (times < 8100) | (times > 8300)
    assert spot(1, times[seen], direction[seen], micro=True) == []
