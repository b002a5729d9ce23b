"""Events in the motion of one face, from signals made here."""

import numpy as np
import pytest

from mer.video import notes as words
from mer.video.spotting import spot
from mer.video.types import MICRO_MS, REGIONS, Event, Timing

SECONDS = 20.0


def signals(
    fps: float, bumps: list[tuple[str, float, float, tuple[float, float]]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, motion and direction: noise, and bumps as (region, start ms, end ms, pixels)."""
    times = np.arange(0, 1000 * SECONDS, 1000 / fps)
    return times, *bumped(times, bumps)


def bumped(
    times: np.ndarray, bumps: list[tuple[str, float, float, tuple[float, float]]]
) -> tuple[np.ndarray, np.ndarray]:
    """Motion and direction at these times: noise, and the bumps."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.03, (len(times), len(REGIONS), 2))
    for region, start, end, pixels in bumps:
        phase = ((times - start) / (end - start)).clip(0, 1)
        rise = (1 - np.cos(2 * np.pi * phase)) / 2
        vectors[:, REGIONS.index(region)] += rise[:, None] * pixels
    direction = vectors.astype(np.float32)
    return np.hypot(direction[..., 0], direction[..., 1]), direction


def found(fps: float, *bumps: tuple[str, float, float, tuple[float, float]]) -> list[Event]:
    times, motion, direction = signals(fps, list(bumps))
    return spot(3, times, motion, direction, micro=Timing.of(times).micro)


def test_no_frames_have_no_events() -> None:
    nothing = np.empty((0, len(REGIONS)))
    assert spot(1, np.empty(0), nothing, np.empty((0, len(REGIONS), 2)), micro=True) == []


def test_what_was_never_measured_has_no_events() -> None:
    times = np.arange(0, 3000, 33.0)
    motion = np.full((len(times), len(REGIONS)), np.nan)
    assert spot(1, times, motion, np.full((*motion.shape, 2), np.nan), micro=True) == []


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
    motion, direction = bumped(times, [("left mouth corner", 8000, 8400, (1.0, -1.0))])
    claimed = spot(3, times, motion, direction, micro=True)
    assert [event.kind for event in claimed] == ["micro"]
    assert spot(3, times, motion, direction, micro=Timing.of(times).micro) == []
    assert "nothing is called a micro-expression" in words.frame_rate(Timing.of(times))


def test_under_25_frames_a_second_nothing_is_called_micro() -> None:
    assert found(20, ("left mouth corner", 8000, 8400, (1.0, -1.0))) == []
    (event,) = found(20, ("left mouth corner", 8000, 9500, (1.0, -1.0)))
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
