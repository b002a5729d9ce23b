"""The smoothed time line of a person."""

from dataclasses import replace

import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.video.expression_segments import smoothed, stretches
from tests.video.analyses import person


def test_nobody_looked() -> None:
    unseen = replace(person(), sampled_ms=np.empty(0), probabilities=np.empty((0, 7), np.float32))
    assert smoothed(unseen).shape == (0, len(EMOTIONS))
    assert stretches(unseen) == []


def test_smoothing_keeps_sums_and_softens_a_single_frame() -> None:
    one = person()
    looks = one.probabilities.copy()
    looks[3] = np.eye(7, dtype=np.float32)[EMOTIONS.index("fear")]
    means = smoothed(replace(one, probabilities=looks))
    np.testing.assert_allclose(means.sum(1), 1)
    assert 0 < means[3, EMOTIONS.index("fear")] < 0.5


def test_stretches_follow_one_another() -> None:
    first, second = stretches(person())
    assert (first.emotion, second.emotion) == ("neutral", "happiness")
    assert first.start_ms == 0
    assert first.end_ms == second.start_ms == pytest.approx(933, abs=1)
    assert first.probability > 0.9


def test_a_gap_ends_a_stretch_at_its_last_look() -> None:
    one = person()
    away = np.where(one.sampled_ms > 600, one.sampled_ms + 5000, one.sampled_ms)
    first, second, _ = stretches(replace(one, sampled_ms=away))
    assert first.emotion == second.emotion == "neutral"
    assert first.end_ms < 601
    assert second.start_ms > 5600
