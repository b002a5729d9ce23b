"""Scores a folder with two workers, in small parts and slowly, so that a test can kill them.

Prints how many items are done and the process that did the last. Usage: slowly.py SOURCE OUT
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mer.batch import scoring
from mer.batch.scoring import Found, Worker
from mer.io.sources import Item


class Slow(Worker):
    """A worker that takes its time."""

    def look(self, item: Item) -> Found:
        time.sleep(0.1)
        return super().look(item)


def tell(step: scoring.Step) -> None:
    print(step.done, step.worker, flush=True)


if __name__ == "__main__":
    scoring.Worker = Slow  # type: ignore[misc]
    scoring.score(sys.argv[1], Path(sys.argv[2]), workers=2, part=4, progress=tell)
