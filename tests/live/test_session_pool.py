"""The places of the live view: given, given up, taken again, and never another's."""

import itertools

import pytest

from mer.errors import EndedError, FullError, MerError
from mer.live.session_pool import IDLE_S, KEPT, KEPT_S, OF_ADDRESS, PLACES, Visitors

addresses = itertools.count()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitors(clock: Clock) -> Visitors:
    return Visitors(clock)


def enter(visitors: Visitors) -> str:
    """A visitor from an address of their own."""
    return visitors.enter(str(next(addresses)))


def frame(visitors: Visitors, key: str) -> None:
    with visitors.visit(key):
        pass


@pytest.mark.parametrize("key", ["", "guess", "\0"])
def test_a_wrong_key_opens_nothing(visitors: Visitors, key: str) -> None:
    enter(visitors)
    visitors.leave(key)
    with pytest.raises(EndedError, match="Press Live"), visitors.visit(key):
        pass
    assert len(visitors) == 1


def test_keys_are_long_and_differ(visitors: Visitors) -> None:
    keys = {enter(visitors) for _ in range(PLACES)}
    assert len(keys) == PLACES
    assert min(map(len, keys)) >= 43  # 256 bits in base64


def test_everybody_has_a_view_of_their_own(visitors: Visitors) -> None:
    keys = [enter(visitors) for _ in range(2)]
    with visitors.visit(keys[0]) as one, visitors.visit(keys[1]) as other:
        assert one is not other
    with visitors.visit(keys[0]) as again:
        assert again is one


def test_the_eleventh_gets_a_sentence_and_the_place_of_who_leaves(visitors: Visitors) -> None:
    keys = [enter(visitors) for _ in range(PLACES)]
    with pytest.raises(FullError, match="places of the live view are taken"):
        enter(visitors)
    visitors.leave(keys[3])
    frame(visitors, enter(visitors))
    with pytest.raises(EndedError):
        frame(visitors, keys[3])


def test_an_idle_place_is_anothers_and_is_taken_again_when_there_is_one(
    visitors: Visitors, clock: Clock
) -> None:
    keys = [enter(visitors) for _ in range(PLACES)]
    clock.now += IDLE_S + 1
    for key in keys[1:]:
        frame(visitors, key)
    late = enter(visitors)
    with pytest.raises(FullError):
        frame(visitors, keys[0])
    visitors.leave(late)
    frame(visitors, keys[0])


def test_a_frame_in_work_keeps_the_place(visitors: Visitors, clock: Clock) -> None:
    keys = [enter(visitors) for _ in range(PLACES)]
    with visitors.visit(keys[0]):
        clock.now += KEPT_S + 1
        for _ in keys[1:]:
            enter(visitors)
        with pytest.raises(FullError):
            enter(visitors)
    frame(visitors, keys[0])


def test_one_frame_at_a_time(visitors: Visitors) -> None:
    key = enter(visitors)
    with (
        visitors.visit(key),
        pytest.raises(MerError, match="One frame at a time"),
        visitors.visit(key),
    ):
        pass
    frame(visitors, key)


def test_who_leaves_during_a_frame_is_forgotten(visitors: Visitors) -> None:
    key = enter(visitors)
    with visitors.visit(key):
        visitors.leave(key)
    assert len(visitors) == 0


def test_those_away_are_forgotten(visitors: Visitors, clock: Clock) -> None:
    key = enter(visitors)
    clock.now += KEPT_S - 1
    frame(visitors, key)
    clock.now += KEPT_S + 1
    visitors.forget()
    assert len(visitors) == 0


def test_the_number_of_remembered_visitors_is_bounded(visitors: Visitors, clock: Clock) -> None:
    for _ in range(2 * KEPT):
        enter(visitors)
        clock.now += IDLE_S / (PLACES - 1)
    assert len(visitors) <= KEPT


def test_one_address_has_not_all_places(visitors: Visitors, clock: Clock) -> None:
    keys = [visitors.enter("school") for _ in range(OF_ADDRESS)]
    with pytest.raises(FullError, match=f"{OF_ADDRESS} places .* taken from your address"):
        visitors.enter("school")
    for _ in range(PLACES - OF_ADDRESS):
        enter(visitors)
    clock.now += IDLE_S + 1
    for _ in range(OF_ADDRESS):
        visitors.enter("school")
    with pytest.raises(FullError, match="taken from your address"):
        frame(visitors, keys[0])


def test_who_enters_again_and_again_pushes_nobody_else_out(
    visitors: Visitors, clock: Clock
) -> None:
    paused = enter(visitors)
    clock.now += IDLE_S + 1
    for _ in range(2 * KEPT):
        visitors.enter("greedy")
        clock.now += IDLE_S / (OF_ADDRESS - 1)
        if clock.now > 100 + KEPT_S - IDLE_S:
            break
    frame(visitors, paused)
