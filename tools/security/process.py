"""A process and its memory, as Linux tells of them."""

import logging
import os
import re
import resource
import sys
from pathlib import Path

import cv2


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


def begin_peak() -> int:
    """Bytes of this process that are in memory now; `peak` counts from here on."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident(os.getpid())


def peak() -> int:
    """The most bytes of this process that were in memory since `begin_peak`."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return 1024 * int(found[1]) if found else 0


def resident(number: int) -> int:
    """Bytes of the process of this number that are in memory."""
    return int(Path(f"/proc/{number}/statm").read_text().split()[1]) * resource.getpagesize()
