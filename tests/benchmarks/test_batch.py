"""What the benchmark makes of a run's steps; how fast it is, is not a test."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import batch, video_profile
from mer.batch import scoring
from mer.batch.scoring import Step
from mer.errors import ImageError

PART = batch.PART


def run(workers: int, parts: int = 21) -> list[tuple[float, Step]]:
    """Steps of a part a second by workers in turn, of 2 processor seconds each; begun after 30."""
    steps = [(0.1, Step(0, parts * PART))]
    for number in range(parts):
        worker, own = 1 + number % workers, number // workers
        memory = 500.0 + worker
        step = Step(PART * (number + 1), parts * PART, worker, memory, 5.0 + 2 * own)
        steps.append((30.0 + number, step))
    return steps


def test_missing_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.jpg"):
        batch.report(picture=tmp_path / "none.jpg")


def test_a_run_too_short_to_tell() -> None:
    cost = batch.cost(run(1, parts=1))
    assert cost.rate != cost.rate  # not a number
    assert cost.start_s == 30


@pytest.mark.parametrize("workers", [1, 2])
def test_the_cost_of_a_run(workers: int) -> None:
    cost = batch.cost(run(workers))
    assert cost.rate == PART
    assert cost.processor_ms == pytest.approx(2000 / PART)
    assert cost.memory_mb == 500 + workers
    assert cost.start_s == 30


def test_the_report_computes_what_it_does_not_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    def score(*_: Any, workers: int, progress: Any, **__: Any) -> None:
        Path(_[1]).mkdir()
        for at, step in run(workers):
            clock[0] = at
            progress(step)
        clock[0] = 0.0

    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(scoring, "score", score)
    video = video_profile.Cost(frames=120, wall=2.0, processor=3.0, stages={}, memory=700.0)
    monkeypatch.setattr(video_profile, "measure", lambda *_: video)
    lines = batch.report(count=8).splitlines()
    assert f"| 640x480 | 1 | {PART}.0 | {2000 / PART:.0f} | 501 | 30 |" in lines
    assert any("2.00 times as fast as it plays" in line for line in lines)
    hours = f"{1_000_000 / PART / 3600:,.0f}"
    (small,) = [line for line in lines if line.startswith("| 1,000,000 pictures of 640x480")]
    assert small.split(" | ")[1:5] == ["2.9 days", "7.0 h", "42 min", hours]
    (film,) = [line for line in lines if line.startswith("| 1,000 hours of video")]
    assert film.split(" | ")[1:5] == ["20.8 days", "2.1 days", "5.0 h", "500"]
