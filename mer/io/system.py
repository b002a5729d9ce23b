"""What the system knows of a process: locks of files, limits, memory."""

import fcntl
import resource
from typing import IO


def locked(file: int | IO[str]) -> bool:
    """Lock an open file until it is closed; False where another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_files(most: int) -> None:
    """Let this process hold so many files open, or as many as it may."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, most), limit))
