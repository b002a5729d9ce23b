"""Networks as graphs in ONNX Runtime: the same answers as torch's, quicker, and without torch."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as errors

THREADS: Final = 0  # one for each core
_alone = threading.local()  # whether the calling thread's answers are computed in it alone


def path_of(architecture: str) -> Path:
    """Where the graph of a network of the registry lies; `mer.models.export` writes it."""
    return Path(__file__).parent / "models" / f"{architecture}.onnx"


def fits(architecture: str, options: Mapping[str, Any]) -> bool:
    """Whether a network is built as the graph of its architecture is.

    Args:
        architecture: a name of the registry.
        options: as in the network's record.
    """
    usual = options.get("norm", True) and "classes" not in options
    return bool(usual) and path_of(architecture).is_file()


class Graph:
    """A network's graph, filled with weights. Threads may share it.

    Attributes:
        size: height and width of the input, in pixels.
    """

    def __init__(
        self, architecture: str, arrays: Mapping[str, np.ndarray], *, threads: int = THREADS
    ) -> None:
        """Put graph and weights together.

        Args:
            architecture: a name of the registry.
            arrays: its weights by their names, as `mer.weights.arrays` reads them.
            threads: that one answer is computed in; 0 for one a core.

        Raises:
            ValueError: they are not the weights of such a network.
        """
        self._file = path_of(architecture).read_bytes()
        self._arrays = {k: v for k, v in arrays.items() if v.dtype == np.float32}
        try:
            self._sessions = {threads: self._session(threads)}
        except (errors.Fail, errors.InvalidArgument, errors.RuntimeException) as error:
            raise ValueError(f"These are not the weights of {architecture}.") from error
        self._lock = threading.Lock()
        self._threads = threads
        self.size: int = self._sessions[threads].get_inputs()[0].shape[1]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Logits, float32 (2, n, classes), of uint8 (n, size, size, 3) and of its mirror images."""
        logits = self._chosen().run(None, {"pixels": pixels})[0]
        pair: np.ndarray = logits.reshape(2, len(pixels), -1)
        return pair

    def _chosen(self) -> onnxruntime.InferenceSession:
        threads = 1 if getattr(_alone, "asked", False) else self._threads
        with self._lock:
            if threads not in self._sessions:
                self._sessions[threads] = self._session(threads)
            return self._sessions[threads]

    def _session(self, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4  # what goes wrong is raised, too
        values = map(onnxruntime.OrtValue.ortvalue_from_numpy, self._arrays.values())
        options.add_external_initializers(list(self._arrays), list(values))
        return onnxruntime.InferenceSession(self._file, options, providers=["CPUExecutionProvider"])


@contextmanager
def one_thread() -> Iterator[None]:
    """Have graphs compute in the calling thread alone: for callers who run side by side.

    Where more threads compute than there are cores, they spend most of their time waiting for one
    another.
    """
    before = getattr(_alone, "asked", False)
    _alone.asked = True
    try:
        yield
    finally:
        _alone.asked = before
