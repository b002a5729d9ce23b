"""Shares and answers in words."""

import pytest

from mer.results.wording import choices, percent, told


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0.0, 0, "0 %"),
        (1e-9, 0, "<1 %"),
        (0.0049, 0, "<1 %"),
        (0.005, 0, "<1 %"),
        (0.0051, 0, "1 %"),
        (0.0004, 1, "<0.1 %"),
        (0.8534, 1, "85.3 %"),
        (1.0, 0, "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing(share: float, digits: int, text: str) -> None:
    assert percent(share, digits) == text


def test_an_unsure_answer_says_so_first() -> None:
    assert told("disgust", 0.384) == "disgust 38 %"
    assert told("disgust", 0.384, sure=False) == "unsure: disgust 38 %"


def test_no_second_choice_below_five_percent() -> None:
    assert choices({"anger": 0.01, "happiness": 0.99}, 3) == ["happiness 99 %", ""]
    likely = {"anger": 0.04, "fear": 0.36, "happiness": 0.6}
    assert choices(likely, 3, sure=False) == ["unsure: happiness 60 %", "fear 36 %", ""]
