"""The machine, the versions and the time: what a reader needs to repeat a measurement."""

import platform
import re
import resource
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mer.version import __version__


def machine() -> str:
    """Processor and number of threads that torch uses, and the GPU where there is one."""
    import torch

    found = re.search(r"^model name.*?:(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    model = found[1].strip() if found else platform.processor() or platform.machine()
    gpu = f"{torch.cuda.get_device_name()}, " if torch.cuda.is_available() else ""
    return f"{gpu}{model}, {torch.get_num_threads()} threads"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide the figures."""
    import onnxruntime
    import torch

    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "mer": __version__,
    }


def now() -> str:
    """The time, ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def peak_memory() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
