"""Work that is shared out to the cores comes back in order, whoever did it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mer.weights.onnx_session import alone, one_thread, shared_out


@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_answers_come_in_the_order_of_the_parts(count: int) -> None:
    assert shared_out(lambda part: part**2, range(count)) == [part**2 for part in range(count)]


def test_many_callers_at_once_get_their_own_answers() -> None:
    def call(caller: int) -> list[tuple[int, int]]:
        return shared_out(lambda part: (caller, part), range(9))

    with ThreadPoolExecutor(5) as callers:
        for caller, answers in enumerate(callers.map(call, range(40))):
            assert answers == [(caller, part) for part in range(9)]


def test_a_part_is_not_shared_out_again() -> None:
    assert shared_out(lambda _: alone(), range(4)) == [True] * 4
    assert not alone()
    with one_thread():
        assert alone()


def test_what_goes_wrong_in_a_part_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        shared_out(lambda part: 1 // part, range(-3, 3))
    assert shared_out(lambda part: part, range(3)) == [0, 1, 2]
