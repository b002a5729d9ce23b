"""How the C library keeps memory for this process, where it is glibc."""

import contextlib
import ctypes
from typing import Final

# Options of glibc's mallopt, by their names there.
M_TRIM_THRESHOLD: Final = -1
M_MMAP_MAX: Final = -4
M_ARENA_MAX: Final = -8


def mallopt(option: int, value: int) -> None:
    """Set one of these options; other C libraries have none, and nothing is set."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(option, value)
