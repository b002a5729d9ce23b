"""An analysis made by hand, for tests of what is done with one."""

from dataclasses import replace

import numpy as np

from mer.emotions import EMOTIONS
from mer.video.types import REGIONS, Analysis, Event, Person, Timing

SETTINGS = {
    "network": "cnn1",
    "version": "0.1.0",
    "detector": "yunet",
    "mer": "0.1.0",
    "time": "2026-01-02T03:04:05+00:00",
}
EMPTY = Analysis("empty.mp4", (64, 48), Timing(0, 0.0, 0.0, 0.0), (), (), SETTINGS)

SMILE = Event(
    *(1, "macro", 500.0, 900.0, 1500.0, "right mouth corner", "up and left", 3.25, 14.5),
    motion=(0.05, 0.9, 0.05),
    still=(0, 0, 0, 0.93, 0.07, 0, 0),
)
BLINK = Event(1, "blink", 1600.0, 1700.0, 1800.0, "right eye", "down", 4.0, 20.0)


def person(number: int = 1, *, start: int = 0, frames: int = 60, fps: float = 30) -> Person:
    """First neutral, then, for the second half, happy; every fourth frame sampled."""
    times = (start + np.arange(frames)) * 1000 / fps
    sampled = times[::4]
    looks = np.zeros((len(sampled), len(EMOTIONS)), np.float32)
    half = len(sampled) // 2
    looks[:half, EMOTIONS.index("neutral")] = 1
    looks[half:, EMOTIONS.index("happiness")] = 1
    motion = np.zeros((frames, len(REGIONS)), np.float32)
    motion[0] = np.nan
    boxes = np.tile(np.array([10, 20, 30, 40], np.int32), (frames, 1))
    points = np.full((frames, 5, 2), np.nan, np.float32)
    sure, concerns = np.ones(len(sampled), bool), ((),) * len(sampled)
    return Person(number, times, boxes, points, sampled, looks, sure, concerns, motion)


def hidden_person() -> Person:
    """The first person, whose face is covered from 1.0 to 1.5 s."""
    one = person()
    bare = (one.sampled_ms < 1000) | (one.sampled_ms > 1500)
    return replace(
        one,
        sampled_ms=one.sampled_ms[bare],
        probabilities=one.probabilities[bare],
        sure=one.sure[bare],
        concerns=one.concerns[: int(bare.sum())],
        covered=np.array([[1000.0, 1500.0]]),
    )


def analysis(source: str = "smile.mp4", *, fps: float = 30) -> Analysis:
    """Two people at `fps`, a smile and a blink of the first; frame 60 is the last, and empty."""
    people = person(1, fps=fps), person(2, start=30, frames=30, fps=fps)
    times = np.arange(61) * 1000 / fps
    timing = Timing(61, float(times[-1]), fps, 0.0)
    events = SMILE, BLINK
    return Analysis(source, (640, 480), timing, people, events, SETTINGS, times_ms=times)
