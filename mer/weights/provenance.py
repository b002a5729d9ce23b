"""The machine, the versions and the time: what a reader needs to repeat a measurement."""

import platform
import resource
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mer.version import __version__


def machine() -> str:
    """Processor and number of threads that torch uses, and the GPU where there is one."""
    import torch

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")  # on Linux; elsewhere platform's name is used
    if info.exists():
        lines = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
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
    """Return the most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
