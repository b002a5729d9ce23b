"""Many visitors at once, good and bad, for a minute; `make load` is the long one."""

from tools.security import load
from tools.security.visitor import TASKS, Files

SECONDS = 60.0


def test_everybody_is_answered_in_sentences_and_memory_stays() -> None:
    told, seen = load.tried(SECONDS, load.VISITORS)
    print(load.report(told, seen, SECONDS, load.VISITORS))
    assert told.faults == {}
    assert {task for task, _ in told.counts} == {task.__name__ for task in TASKS}
    assert sum(told.counts.values()) >= 2 * load.VISITORS
    assert load.growth(seen) < load.GROWTH_MB


def test_a_page_that_is_gone_is_noticed() -> None:
    told = load.visits("http://127.0.0.1:9", Files(b"", b"", [], [b""], [b""], [b""]), 0.2, 2)
    assert told.all("answered") == 0
    assert told.all("lost") > 0
    assert any("was not answered" in fault for fault in told.faults)


def test_what_is_no_sentence_is_noticed() -> None:
    told = load.Told()
    for said in ("Traceback (most recent call last).", "{'error': None}", "KeyError: 3.", "None"):
        load._note(told, "picture", "refused", said, 1.0)
    load._note(told, "picture", "answered", "Face 1 looks like neutral (90 %).", 2.0)
    assert len(told.faults) == 4
    assert told.longest == 2.0


def test_growth_is_counted_after_the_warm_up() -> None:
    mb = 1_000_000
    assert load.growth([100 * mb, *[700 * mb] * 9]) == 0
    assert load.growth([(100 + 10 * n) * mb for n in range(100)]) > 300
