"""What Linux and macOS know and Windows does not: limits of processes, and locks of files."""

from typing import IO

try:
    import fcntl
    import resource
except ModuleNotFoundError:  # Windows
    fcntl = resource = None  # type: ignore[assignment]

__all__ = ["fcntl", "locked", "open_files", "peak_memory", "resource"]


def locked(file: int | IO[str]) -> bool:
    """Lock an open file until it is closed; False where another process holds it."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_files(most: int) -> None:
    """Let this process hold so many files open, or as many as it may."""
    if resource:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, most), limit))


def peak_memory() -> int:
    """The most memory that this process has held, as getrusage says it; 0 where nobody knows."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if resource else 0
