"""Motions in the signal of one region, laid down by formula."""

import numpy as np
import pytest

from mer.video.motion import peaks
from mer.video.motion.peaks import DIRECTIONS, Peak, suppressed

FPS = 60.0


def bump(times: np.ndarray, apex: float, half: float, pixels: float) -> np.ndarray:
    """Up and down again within `half` milliseconds before and after the apex."""
    return pixels * np.cos(np.clip((times - apex) / half, -1, 1) * np.pi / 2) ** 2


def found(line: np.ndarray, axis: tuple[float, float] = (0, -1), noise: float = 0) -> list[Peak]:
    """The motions in a region's line along an axis, of those that overlap the largest."""
    times = np.arange(len(line)) * 1000 / FPS
    vectors = line[:, None] * axis + np.random.default_rng(0).normal(0, noise, (len(line), 2))
    signal = peaks.resampled(times, vectors[:, None].astype(np.float32))
    spread = max(float(peaks.noise([signal])[0]), noise / 3)
    every = peaks.peaks(0.0, signal[:, 0], "lips", spread)
    return suppressed(sorted(every, key=lambda peak: -peak.pixels), Peak.shares)


TIMES = np.arange(600) * 1000 / FPS  # ten seconds


def test_no_signal_has_no_peaks() -> None:
    assert (peaks.noise([]) == peaks.LIMITS.faintest).all()
    assert suppressed([], Peak.shares) == []


@pytest.mark.parametrize("length", [2, 3, 10])
def test_a_short_rest_has_no_peaks(length: int) -> None:
    assert found(np.zeros(length)) == []


def test_noise_alone_has_no_peaks() -> None:
    assert found(np.zeros(600), noise=0.1) == []


@pytest.mark.parametrize("name", DIRECTIONS)
@pytest.mark.parametrize("half", [120.0, 900.0])
def test_a_motion_is_measured(name: str, half: float) -> None:
    (peak,) = found(bump(TIMES, 5000, half, 3.0), DIRECTIONS[name], noise=0.05)
    assert (peak.region, peak.direction, peak.closed) == ("lips", name, True)
    assert peak.apex == pytest.approx(5000, abs=0.15 * half + 20)
    assert peak.onset == pytest.approx(5000 - half, abs=0.4 * half)
    assert peak.offset == pytest.approx(5000 + half, abs=0.4 * half)
    assert 2.0 < peak.pixels < 3.2  # of a slow one, the flanks may count as surroundings
    assert peak.strength > 7


def test_what_is_too_small_or_too_slow_is_none() -> None:
    assert found(bump(TIMES, 5000, 200, 0.1)) == []
    assert found(bump(TIMES, 5000, 4500, 0.8), noise=0.05) == []


def test_a_motion_that_does_not_end_is_open() -> None:
    (peak,) = found(bump(np.minimum(TIMES, 8500), 8500, 400, 3.0)[:560], noise=0.05)
    assert not peak.closed


def test_of_overlapping_peaks_the_first_stays() -> None:
    def peak(onset: float, offset: float) -> Peak:
        return Peak("lips", "up", onset, (onset + offset) / 2, offset, 1.0, 9.0, True)

    kept = suppressed([peak(0, 400), peak(100, 500), peak(350, 800)], Peak.shares)
    assert [one.onset for one in kept] == [0, 350]
