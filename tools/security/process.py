"""A process and its memory, as Linux tells of them."""

import contextlib
import logging
import os
import re
import resource
import sys
from pathlib import Path

import cv2

from mer.io import decoding


def silence() -> None:
    """Decoders print what they find in damaged files; let nobody have to read it."""
    logging.disable(logging.CRITICAL)
    cv2.setNumThreads(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def bound(more: int) -> None:
    """Let this process have so many more bytes of address space than it has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def family() -> list[int]:
    """This process and the workers that decode for it."""
    return [os.getpid(), *_children(decoding.POOL.server_process())]


def tree(number: int) -> list[int]:
    """The process of this number and all that it and they have started."""
    return [number, *(each for child in _children(number) for each in tree(child))]


def _children(number: int | None) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{number}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text().split())
    return found


class Cost:
    """What this process and its workers take from here on."""

    def __init__(self) -> None:
        self._family = {}
        for number in family():
            with contextlib.suppress(OSError, IndexError):  # it has just ended
                Path(f"/proc/{number}/clear_refs").write_text("5")
                self._family[number] = resident(number), processor_s(number)
        self._rest = min(rest for rest, _ in self._family.values())  # of a worker, if there is one

    def peak(self) -> int:
        """The most bytes that any of them had in memory beyond what it had at the start."""
        return max((_most(one) - self._at_first(one)[0] for one in family()), default=0)

    def seconds(self) -> float:
        """Seconds of processor of all that are still there."""
        return sum(processor_s(one) - self._at_first(one)[1] for one in family())

    def _at_first(self, number: int) -> tuple[int, float]:
        return self._family.get(number, (self._rest, 0.0))


def _most(number: int) -> int:
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{number}/status").read_text())
    except OSError:
        return 0
    return 1024 * int(found[1]) if found else 0


def processor_s(number: int) -> float:
    """Seconds of processor that a process has used; 0 where there is none of this number."""
    try:
        return int(Path(f"/proc/{number}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError):
        return 0.0


def resident(number: int) -> int:
    """Bytes of the process of this number that are in memory; 0 where there is none."""
    try:
        pages = Path(f"/proc/{number}/statm").read_text().split()
    except OSError:
        return 0
    return int(pages[1]) * resource.getpagesize()
