"""A live view, frame by frame: who is boxed, what is said of them, and what is borne."""

import json
import math
from typing import Any

import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.errors import ImageError, MerError, WeightsError
from mer.inference.probabilities import WAYS
from mer.live.session import FACES_A_FRAME, LONG_SIDE, REMEMBERED, RESTING_MS, Live
from mer.models.registry import DEFAULT_MODEL

STEP_MS = 250.0  # between two frames, as of a camera at four a second

WALL = np.full((360, 480, 3), 90, np.uint8)


@pytest.fixture
def face(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[:360])


def seen(
    live: Live, image: np.ndarray, count: int, start_ms: float = 0, **settings: Any
) -> list[dict[str, Any]]:
    """The answers to `count` frames, each with noise of its own."""
    random = np.random.default_rng(0)
    noise = (random.integers(-4, 5, image.shape) for _ in range(count))
    frames = [(image + some).clip(0, 255).astype(np.uint8) for some in noise]
    times = [start_ms + STEP_MS * index for index in range(count)]
    return [live.see(one, at, **settings) for one, at in zip(frames, times, strict=True)]


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 5, 3), (5, 5), (5, 5, 4)])
def test_what_is_no_picture_gets_a_sentence(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="Start it again"):
        Live().see(np.zeros(shape, np.uint8), 0)


def test_floats_get_a_sentence() -> None:
    with pytest.raises(ImageError, match="no colours"):
        Live().see(np.zeros((9, 9, 3)), 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (40, 30)])
def test_tiny_frames_are_borne(shape: tuple[int, int]) -> None:
    live = Live()
    assert [one["people"] for one in seen(live, np.full((*shape, 3), 90, np.uint8), 3)] == [[]] * 3


def test_nobody_in_sight() -> None:
    answer = seen(Live(), WALL, 3)[-1]
    assert answer["people"] == []
    assert answer["size"] == [480, 360]


def test_unknown_names_get_a_sentence() -> None:
    with pytest.raises(WeightsError, match="no network called 'net'"):
        Live().choose("net", "yunet")
    live = Live()
    live.choose("cnn1", "retina")
    with pytest.raises(MerError, match="no detector 'retina'"):
        live.see(WALL, 0)


def test_a_face_is_boxed_numbered_and_read(face: np.ndarray) -> None:
    answers = seen(Live(), face, 6)
    assert json.loads(json.dumps(answers, allow_nan=False)) == answers
    (person,) = answers[-1]["people"]
    x, y, width, height = person["box"]
    assert person["number"] == 1
    assert x < 220 < x + width  # her nose
    assert y < 130 < y + height
    assert person["emotion"] in EMOTIONS
    assert person["certainty"] == max(person["probabilities"])
    assert sum(person["probabilities"]) == pytest.approx(1, abs=0.01)
    assert person["sure"] in (True, False)
    assert person["trail"]["ms"][-1] == 0
    assert answers[-1]["timings"]["frames_per_second"] > 0


def test_an_answer_is_held_to_the_threshold_of_its_own_way(
    face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, sure in ((1.1, False), (0.0, True)):
        live, limits = Live(), dict.fromkeys(WAYS, 1.1 - limit) | {"smoothed": limit}
        by_class = {name: dict.fromkeys(EMOTIONS, one) for name, one in limits.items()}
        monkeypatch.setattr(live._predictor, "thresholds", by_class)
        (person,) = seen(live, face, 4)[-1]["people"]
        assert person["sure"] == sure


def test_a_face_in_the_dark_is_unsure_and_says_why(face: np.ndarray) -> None:
    (person,) = seen(Live(), (face * 0.1).astype(np.uint8), 6)[-1]["people"]
    assert person["concerns"] == ["too dark"]
    assert not person["sure"]


def test_a_large_frame_is_answered_at_the_size_told(face: np.ndarray) -> None:
    live = Live()
    (person,) = seen(live, np.repeat(np.repeat(face, 2, 0), 2, 1), 4)[-1]["people"]
    assert max(live.see(np.zeros((10, 3000, 3), np.uint8), 9e9)["size"]) == LONG_SIDE
    x, _, width, _ = person["box"]
    assert x < 440 * LONG_SIDE / 1024 < x + width


def test_two_people_keep_their_numbers(face: np.ndarray) -> None:
    other = (face[:, ::-1] * np.array([1.0, 0.75, 0.55])).astype(np.uint8)
    both = np.hstack([face[:, 60:380], other[:, 130:450]])
    live = Live()
    numbers = [[one["number"] for one in answer["people"]] for answer in seen(live, both, 8)]
    assert numbers[3:] == [[1, 2]] * 5
    (left,) = seen(live, np.hstack([both[:, :320], WALL[:, :320]]), 4, 8 * STEP_MS)[-1]["people"]
    assert left["number"] == (1 if left["box"][0] < 320 else 2)


@pytest.mark.parametrize("late", [-1.0, 3 * STEP_MS, math.nan, math.inf, -math.inf])
def test_a_frame_out_of_order_only_repeats_the_last_answer(face: np.ndarray, late: float) -> None:
    live = Live()
    last = seen(live, face, 4)[-1]
    again = live.see(WALL, late)
    assert again["people"] == last["people"]
    assert [one["number"] for one in live.see(face, 4 * STEP_MS)["people"]] == [1]


def test_the_resting_face_is_watched_for_three_seconds(face: np.ndarray) -> None:
    live = Live()
    seen(live, face, 4)
    (person,) = live.see(face, 4 * STEP_MS, rest=True)["people"]
    assert person["resting_ms"] == RESTING_MS
    assert person["change"] is None
    count = int(RESTING_MS / STEP_MS)
    (person,) = seen(live, face, count, 5 * STEP_MS)[-1]["people"]
    assert person["resting_ms"] is None
    assert (person["change"], person["refused"]) == (None, "looked like happiness")  # she smiles
    (person,) = live.see(face, (6 + count) * STEP_MS, insist=True)["people"]
    assert person["change"] == pytest.approx([0] * 7, abs=0.2)


def test_who_comes_after_the_resting_face_was_asked_for_is_meant(face: np.ndarray) -> None:
    live = Live()
    assert live.see(WALL, -1, rest=True)["people"] == []
    first = next(one["people"] for one in seen(live, face, 4) if one["people"])
    assert [person["resting_ms"] for person in first] == [RESTING_MS]


def test_another_network_forgets_what_the_first_said_but_not_the_number(face: np.ndarray) -> None:
    live = Live()
    (before,) = seen(live, face, 9)[-1]["people"]
    live.choose("cnn2", "yunet")
    (after,) = live.see(face, 9 * STEP_MS)["people"]
    assert after["number"] == before["number"] == 1
    assert len(after["trail"]["ms"]) == 1 < len(before["trail"]["ms"])


def test_the_other_detector_boxes_too(astronaut: np.ndarray) -> None:
    live = Live()
    live.choose(DEFAULT_MODEL, "haar")
    assert seen(live, astronaut, 6)[-1]["people"]


def test_a_crowd_is_read_by_and_by(astronaut: np.ndarray) -> None:
    crowd = np.tile(astronaut[60:240, 140:320], (2, 3, 1))
    answers = seen(Live(), crowd, 8)
    first = next(one["people"] for one in answers if one["people"])
    assert len(first) > FACES_A_FRAME
    assert sum(bool(one["emotion"]) for one in first) == FACES_A_FRAME
    assert all(one["emotion"] for one in answers[-1]["people"])


def test_memory_of_people_is_bounded(monkeypatch: pytest.MonkeyPatch, face: np.ndarray) -> None:
    from mer.faces.detection import Face

    live = Live()
    for number in range(1, 2 * REMEMBERED):
        found = [(number, Face((100, 50, 90, 90), 0.9))]
        monkeypatch.setattr(live._tracker, "follow", lambda _, found=found: found)
        live.see(face, number * STEP_MS)
    assert len(live._people) == REMEMBERED
