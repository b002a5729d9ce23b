"""What the live view keeps of one person: smoothing, the trail, the resting face."""

from dataclasses import replace

import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.faces.detection import Face
from mer.inference.predictor import Prediction
from mer.inference.probabilities import LOOK_MS
from mer.live.session import GAP_MS, RESTING_MS, TRAIL_MS, Watched

HAPPY, NEUTRAL = EMOTIONS.index("happiness"), EMOTIONS.index("neutral")


def face(happy: float, *concerns: str) -> Prediction:
    """What is said of a face between neutral (0) and happy (1)."""
    probabilities = [0.0] * len(EMOTIONS)
    probabilities[HAPPY], probabilities[NEUTRAL] = happy, 1 - happy
    return Prediction(Face((0, 0, 50, 60), 0.9), tuple(probabilities), not concerns, concerns)


def looked(person: Watched, happy: float, start_ms: float, end_ms: float) -> None:
    for time_ms in np.arange(start_ms, end_ms, LOOK_MS).tolist():
        person.look(face(happy), time_ms, 0)
        person.told(time_ms)


def test_nothing_is_known_at_first() -> None:
    assert Watched().told(0) == {
        "probabilities": None,
        "change": None,
        "resting_ms": None,
        "refused": None,
        "trail": {"ms": [], "probabilities": []},
    }


def test_smoothing_follows_its_time_constant_at_any_rate() -> None:
    after = []
    for step in (50, 500):
        person = Watched()
        person.look(face(0), 0, 1000)
        for time_ms in range(step, 1001, step):
            person.look(face(1), time_ms, 1000)
        after.append(person.told(1000)["probabilities"][HAPPY])
    assert after == [pytest.approx(1 - np.exp(-1), abs=1e-3)] * 2


def test_without_smoothing_the_last_look_counts_alone() -> None:
    person = Watched()
    person.look(face(0), 0, 0)
    person.look(face(1), 10, 0)
    assert person.told(10)["probabilities"][HAPPY] == 1


def test_smoothing_begins_anew_after_an_absence() -> None:
    person = Watched()
    person.look(face(0), 0, 5000)
    person.look(face(1), GAP_MS + 1, 5000)
    assert person.told(GAP_MS + 1)["probabilities"][HAPPY] == 1


def test_the_trail_is_bounded_and_ends_now() -> None:
    person = Watched()
    looked(person, 0.5, 0, 3 * TRAIL_MS)
    last = person.told(3 * TRAIL_MS)["trail"]
    assert max(last["ms"]) <= TRAIL_MS
    assert last["ms"] == sorted(last["ms"], reverse=True)
    assert len(last["ms"]) == len(last["probabilities"]) <= TRAIL_MS / LOOK_MS + 1
    assert person.told(5 * TRAIL_MS)["trail"]["ms"] == []


def test_changes_are_told_against_the_resting_face() -> None:
    person = Watched()
    person.rest(0)
    assert person.told(1000)["resting_ms"] == RESTING_MS - 1000
    looked(person, 0.25, 0, RESTING_MS)
    assert person.told(RESTING_MS - 1)["change"] is None
    person.look(face(0.75), RESTING_MS, 0)
    told = person.told(RESTING_MS)
    assert told["resting_ms"] is None
    assert told["change"][HAPPY] == pytest.approx(0.5)
    assert sum(told["change"]) == pytest.approx(0, abs=0.01)


def test_too_few_looks_make_no_resting_face() -> None:
    person = Watched()
    person.rest(0)
    looked(person, 0, 0, 2 * LOOK_MS)
    assert person.told(RESTING_MS + 1) | {"trail": 0} == {
        "probabilities": list(face(0).probabilities),
        "change": None,
        "resting_ms": None,
        "refused": None,
        "trail": 0,
    }


def test_resting_again_forgets_the_first_resting_face() -> None:
    person = Watched()
    for start in (0.0, RESTING_MS):
        person.rest(start)
        looked(person, 0.4 * start / RESTING_MS, start, start + RESTING_MS)
    person.look(face(0.4), 2 * RESTING_MS, 0)
    assert person.told(2 * RESTING_MS)["change"][HAPPY] == 0


def test_a_grin_is_no_resting_face_unless_one_insists() -> None:
    person = Watched()
    person.rest(0)
    looked(person, 0.9, 0, RESTING_MS)
    told = person.told(RESTING_MS)
    assert (told["change"], told["refused"]) == (None, "looked like happiness")
    person.insist()
    told = person.told(RESTING_MS)
    assert told["change"] == pytest.approx([0] * len(EMOTIONS), abs=1e-3)
    assert told["refused"] is None


def test_a_head_that_moves_is_no_resting_face() -> None:
    person = Watched()
    person.rest(0)
    for step in range(10):
        seen = replace(face(0), face=Face((10 * step, 0, 50, 60), 0.9))
        person.look(seen, LOOK_MS * step, 0)
    assert person.told(RESTING_MS)["refused"] == "moved"
    person.rest(RESTING_MS)
    assert person.told(RESTING_MS)["refused"] is None


def test_there_is_nothing_to_insist_on_before_a_refusal() -> None:
    person = Watched()
    looked(person, 0.9, 0, 1000)
    person.insist()
    assert person.told(1000)["change"] is None


def test_concerns_are_those_of_the_last_look() -> None:
    person = Watched()
    person.look(face(0, "too dark"), 0, 0)
    assert person.concerns == ("too dark",)
    person.look(face(0), 300, 0)
    assert not person.concerns
