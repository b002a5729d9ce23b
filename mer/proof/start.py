"""How soon the package, the command line and the page are there."""

import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Final
from urllib.error import URLError

from mer.errors import MerError

RUNS: Final = 5
PATIENCE: Final = 120.0  # seconds, after which a page does not come at all
TARGETS: Final = {"import mer": 0.3, "python -m mer --help": 0.5, "page ready": 6.0}  # seconds


def listed() -> list[str]:
    """Rows of a table in Markdown: seconds of each start beside its target, with spread.

    Raises:
        MerError: the page does not come.
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
        middle, kept = statistics.median(times), statistics.median(times) <= TARGETS[name]
        rows.append(
            f"| {name} | {middle:.2f} | {min(times):.2f} to {max(times):.2f} "
            f"| {TARGETS[name]:g}, {'kept' if kept else 'MISSED'} |"
        )
    return rows


def _run(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _page() -> float:
    """Seconds from the command to the whole answer of the page's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, "-m", "mer", "app", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if program.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise MerError("The page did not come. See what `make run` says.")
            time.sleep(0.02)
        return time.perf_counter() - began
    finally:
        program.terminate()
        program.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
            return bool(page.read())
    except (URLError, OSError):
        return False
