"""Thresholds by class keep the promise of sure answers on every set."""

import numpy as np

from benchmarks.class_thresholds import choose
from mer.evaluation.calibration import SURE, confidence, threshold
from mer.inference.probabilities import temperature_softmax


def test_without_an_answer_that_is_right_no_class_is_ever_sure() -> None:
    chances = np.full((50, 7), 0.01) + 0.93 * np.eye(7)[0]
    assert choose([(chances, np.ones(50, int))]) == [1.0] * 7


def test_thresholds_by_class_keep_the_promise_on_every_set_and_leave_more_sure() -> None:
    """One class is mostly confused, another never, and one set is harder than the other."""
    rng = np.random.default_rng(0)
    sets = []
    for noise in (0.8, 1.3):
        labels = rng.integers(0, 7, 2000)
        logits = 3 * np.eye(7)[labels] + rng.normal(0, noise, (2000, 7))
        logits[labels == 0, 1] += 3  # of what is called the second class, many are of the first
        sets.append((temperature_softmax(logits[None], 1.0), labels))
    least = choose(sets)
    one = max(threshold(*answers) for answers in sets)
    assert least[1] > max(least[2:])
    for answers in sets:
        sure = confidence(*answers, least)["sure"]
        assert sure["accuracy"] >= SURE
        assert sure["coverage"] > confidence(*answers, one)["sure"]["coverage"]
