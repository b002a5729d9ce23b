from mer.results import leaderboard
from tests.records import papers_record, record


def test_one_network_is_better_than_none() -> None:
    assert leaderboard.verdict({}) == leaderboard.verdict({"cnn1": record()}) == []


def test_networks_that_err_about_as_often_are_not_told_apart() -> None:
    records = {"cnn1": record(right=0.85), "cnn2": record("cnn2", right=0.851)}
    assert leaderboard.verdict(records) == [
        "On all pictures no network is shown to be better than another.",
        "On clean pictures no network is shown to be better than another.",
    ]


def test_differences_beyond_chance_are_named() -> None:
    rights = {"cnn1": 0.5, "cnn2": 0.7, "resnet18": 0.9}
    records = {name: record(name, right=right) for name, right in rights.items()}
    assert leaderboard.significance(records, "clean") == (
        ["resnet18", "cnn2", "cnn1"],
        [["", "better", "better"], ["worse", "", "better"], ["worse", "worse", ""]],
    )
    assert leaderboard.verdict(records)[1] == (
        "On clean pictures resnet18 is ahead of cnn2 and cnn1, cnn2 is ahead of cnn1 "
        "by more than chance."
    )


def test_a_record_that_names_no_mistakes_is_not_compared() -> None:
    records = {"cnn1": papers_record(), "cnn2": record("cnn2"), "resnet18": record("resnet18")}
    names, _ = leaderboard.significance(records, "all")
    assert sorted(names) == ["cnn2", "resnet18"]
