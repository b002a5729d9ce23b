import pytest

from mer.evaluation import metrics


def test_no_mistakes_tell_nothing_apart() -> None:
    assert metrics.mcnemar([], []) == 1.0
    assert metrics.significant_pairs({}) == metrics.significant_pairs({"cnn1": ["a"]}) == set()


def test_mistakes_on_the_same_pictures_tell_nothing_apart() -> None:
    wrong = [str(number) for number in range(300)]
    assert metrics.mcnemar(wrong, wrong) == 1.0


def test_only_pictures_count_on_which_two_networks_differ() -> None:
    shared = [f"both{number}" for number in range(500)]
    one, other = [*shared, "a"], [*shared, *"bcdefghij"]
    assert metrics.mcnemar(one, other) == metrics.mcnemar(["a"], list("bcdefghij"))
    assert metrics.mcnemar(["a"], list("bcdefghij")) == pytest.approx(2 * 11 / 1024)


def test_a_find_among_many_pairs_has_to_be_surer() -> None:
    one, other = ["a"], list("bcdefghij")  # p = 0.021
    assert metrics.significant_pairs({"one": one, "other": other}) == {("one", "other")}
    three = {"one": one, "other": other, "third": [*one, "k"]}
    assert metrics.significant_pairs(three) == set()


def test_the_ceiling_needs_twins() -> None:
    for relabelled, twins in ((0, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="twins"):
            metrics.ceiling(relabelled, twins)


def test_labels_that_always_agree_set_no_ceiling() -> None:
    best, (low, high) = metrics.ceiling(0, 700)
    assert best == high == 1.0
    assert 0.99 < low < 1


def test_each_of_two_labels_carries_half_of_the_disagreement() -> None:
    best, (low, high) = metrics.ceiling(42, 732)
    error = 1 - best
    assert 2 * error * (1 - error) == pytest.approx(42 / 732)
    assert low < best < high


def test_labels_that_mostly_disagree_are_worth_half() -> None:
    assert metrics.ceiling(9, 10)[0] == 0.5
