"""How soon the package, the command line and the page are there."""

import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Final

from benchmarks import live
from benchmarks.timing import kept

RUNS: Final = 5
TARGETS: Final = {"import mer": 0.3, "python -m mer --help": 0.5, "page ready": 6.0}  # seconds


def listed() -> list[str]:
    """Rows of a table in Markdown: seconds of each start beside its target, with spread.

    Raises:
        MerError: the page does not start.
    """
    ways: dict[str, Callable[[], float]] = {
        "import mer": lambda: _run("-c", "import mer"),
        "python -m mer --help": lambda: _run("-m", "mer", "--help"),
        "page ready": _page,
    }
    rows = ["| start | seconds | fastest to slowest | target |", "|---|---|---|---|"]
    for name, start in ways.items():
        start()  # not counted: it reads the disk
        times = [start() for _ in range(RUNS)]
        middle, target = statistics.median(times), TARGETS[name]
        rows.append(
            f"| {name} | {middle:.2f} | {min(times):.2f} to {max(times):.2f} "
            f"| {target:g}, {kept(middle <= target)} |"
        )
    return rows


def _run(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _page() -> float:
    """Seconds from the command to the whole answer of the page's address."""
    began = time.perf_counter()
    with live.page() as (address, _), urllib.request.urlopen(address) as answer:
        answer.read()
        return time.perf_counter() - began
