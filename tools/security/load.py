"""Many visitors at once, good and bad, for minutes: is each answered, and does the memory hold?

Run by `make load`. Each visitor again and again takes one of TASKS by chance. A page of its own
serves them, in a process of its own, whose memory is looked at meanwhile.
"""

import argparse
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

import httpx
import numpy as np

from benchmarks import live
from benchmarks.timing import machine
from mer.results import documents
from tools.security import process, record
from tools.security.visitor import TASKS, Files, SaidError, Visitor

VISITORS: Final = 50
SECONDS: Final = 600.0
WARM: Final = 0.2  # of the seconds, whose looks at the memory do not count
GROWTH_MB: Final = 150  # that the page may have more at the end than after them
_MB: Final = 1_000_000
# An answer is a sentence: it ends like one, and betrays nothing of the inside.
_SENTENCE: Final = re.compile(r"[A-Z'<].*[.!?)>]\s*$", re.DOTALL)
_INSIDE: Final = re.compile(r"Traceback|Error:|Exception|File \"|site-packages|0x[0-9a-f]{6}")


@dataclass
class Told:
    """What came of the visits: how often each task ended how, and what should not have been."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0  # seconds that an answer took

    def all(self, outcome: str) -> int:
        """How many tasks ended so: "answered", "refused", "left" or "lost"."""
        return sum(count for (_, ended), count in self.counts.items() if ended == outcome)


def tried(seconds: float, visitors: int, seed: int = 0) -> tuple[Told, list[int]]:
    """Visits to a page of its own; what the visitors were told, and the bytes in memory.

    The memory is that of the page and of the workers that decode for it. Each visitor does one task
    before it is first looked at, however long that takes: what is loaded at the first call is no
    growth.

    Raises:
        MerError: scikit-image is absent, or the page does not start.
    """
    files = Files.made()
    with live.page() as (address, number):
        told = visits(address, files, 0, visitors, seed)
        with _watched(number, seconds / 100) as seen:
            return visits(address, files, seconds, visitors, seed + 1, told), seen


def visits(
    address: str,
    files: Files,
    seconds: float,
    visitors: int,
    seed: int = 0,
    told: Told | None = None,
) -> Told:
    """Let so many visitors do TASKS for so long, but one each at least; what they were told.

    Args:
        address: of the page, such as http://127.0.0.1:7860.
        files: what they bring.
        seconds: after which nobody begins another task.
        visitors: how many come at once.
        seed: of all chance.
        told: what visitors were told before, to which this is added.
    """
    told, lock, end = told or Told(), threading.Lock(), time.monotonic() + seconds

    def come(number: int) -> None:
        chance = Random(f"{seed} {number}")
        while True:
            task = chance.choice(TASKS)
            outcome = _done(task, Visitor(address, files, chance))
            with lock:
                _note(told, task.__name__, *outcome)
            if time.monotonic() >= end:
                return

    with ThreadPoolExecutor(visitors) as pool:
        list(pool.map(come, range(visitors)))
    return told


def _done(task: Callable[[Visitor], str], visitor: Visitor) -> tuple[str, str, float]:
    """How a task ended, what was said, and how long that took in seconds."""
    began = time.monotonic()
    try:
        said = task(visitor)
        ended = "answered" if said else "left"
    except SaidError as error:
        ended, said = "refused", str(error)
    except (httpx.HTTPError, ValueError, StopIteration) as error:
        ended, said = "lost", repr(error)
    finally:
        visitor.close()
    return ended, said, time.monotonic() - began


def _note(told: Told, task: str, ended: str, said: str, seconds: float) -> None:
    told.counts[task, ended] += 1
    told.longest = max(told.longest, seconds)
    if ended == "lost":
        told.faults[f"{task} was not answered: {said}"] += 1
    elif said and (_INSIDE.search(said) or not _SENTENCE.match(said)):
        told.faults[f"{task} was told no sentence: {said[:200]}"] += 1


@contextmanager
def _watched(number: int, every: float) -> Iterator[list[int]]:
    """The bytes in memory of a process, looked at so often (seconds)."""
    seen, stop = [_used(number)], threading.Event()

    def watch() -> None:
        while not stop.wait(every):
            seen.append(_used(number))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def _used(number: int) -> int:
    return sum(map(process.resident, process.tree(number)))


def growth(seen: list[int]) -> float:
    """MB that the middle of the last looks lies above that of the first ones after WARM."""
    begin = round(WARM * len(seen))
    part = max(1, (len(seen) - begin) // 4)
    first, last = seen[begin : begin + part], seen[-part:]
    return float(np.median(last) - np.median(first)) / _MB


def main() -> int:
    """Print what came of it; 1 where somebody got no answer or no sentence, or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tools.security.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--seed", type=int, default=0, help="of all chance")
    parser.add_argument("--write", action="store_true", help="put the table into SECURITY.md")
    options = parser.parse_args()
    told, seen = tried(options.seconds, options.visitors, options.seed)
    text = report(told, seen, options.seconds, options.visitors)
    print(text)
    if options.write:
        record.write("load", text)
    return int(bool(told.faults) or growth(seen) > GROWTH_MB)


def report(told: Told, seen: list[int], seconds: float, visitors: int) -> str:
    """What came of it, as Markdown."""
    names = sorted({task for task, _ in told.counts})
    kinds = ("answered", "refused", "left", "lost")
    head = ("Task", "Answered", "Refused with a sentence", "Left by the visitor", "Lost")
    rows = [(name, *(told.counts[name, kind] for kind in kinds)) for name in names]
    return "\n".join(
        [
            documents.markdown(head, rows),
            "",
            f"{visitors} visitors for {seconds:.0f} seconds; {sum(told.counts.values())} tasks; "
            f"the longest took {told.longest:.0f} s. Memory of the page and its workers: at most "
            f"{max(seen) // _MB} MB, {seen[-1] // _MB} MB at the end, {growth(seen):+.0f} MB since "
            f"the warm-up (bound {GROWTH_MB} MB). {machine()}.",
            *(f"- {count} times: {fault}" for fault, count in told.faults.most_common(20)),
        ]
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
