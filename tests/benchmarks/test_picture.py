"""Two trees side by side: what counts as the same answer, and what cannot be compared."""

import math

import numpy as np
import pytest

from benchmarks import picture
from benchmarks.picture import Compared, differing
from mer.errors import MerError

SMILE = [[10, 20, 30, 40], 0.0, "happiness", [0.9, 0.1]]
FROWN = [[10, 20, 30, 40], 0.0, "anger", [0.2, 0.8]]


def test_no_faces_are_the_same_answer() -> None:
    assert differing([], []) == (True, 0.0)


def test_answers_differ_by_their_probabilities() -> None:
    same, apart = differing([SMILE], [[*SMILE[:3], [0.89, 0.11]]])
    assert same
    assert apart == pytest.approx(0.01)


@pytest.mark.parametrize("other", [[], [FROWN], [SMILE, SMILE], [[[11, 20, 30, 40], *SMILE[1:]]]])
def test_other_faces_are_another_answer(other: list[list[object]]) -> None:
    same, apart = differing([SMILE], other)
    assert not same
    assert math.isnan(apart)


def test_the_ratio_is_that_of_the_medians() -> None:
    assert Compared("a face", [20, 22, 90], [10, 11, 12], (1, 1), True, 0.0).ratio == 2


def test_every_picture_has_the_size_of_a_camera_s_frame() -> None:
    shown = picture.pictures()
    assert next(iter(shown)) == "one upright face"
    assert {one.shape for one in shown.values()} == {(480, 640, 3)}
    assert {one.dtype for one in shown.values()} == {np.dtype(np.uint8)}


def test_an_unknown_revision_is_a_sentence() -> None:
    with pytest.raises(MerError, match="no work tree of 'nowhere'"):
        picture.report("nowhere", runs=1)
