"""ONNX Runtime sessions, and how they share the cores of the machine."""

import functools
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from onnxruntime import InferenceSession, OrtValue, SessionOptions

_Part = TypeVar("_Part")
_Answer = TypeVar("_Answer")
_alone = threading.local()  # `asked` is True in threads that compute without help, see `one_thread`


class Session:
    """A graph that computes in the thread that calls it; several threads may call it at once.

    ONNX Runtime's own threads, which wait after each layer, are slower than `shared_out`.
    """

    def __init__(self, file: bytes, arrays: Mapping[str, np.ndarray] | None = None) -> None:
        """Build the graph of an ONNX file, given the weights that it leaves out by their names."""
        arrays, options = arrays or {}, SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4  # nothing but fatal errors: all errors are raised anyway
        # They are kept, since ONNX Runtime may read weights where they lie.
        self._values = [OrtValue.ortvalue_from_numpy(array) for array in arrays.values()]
        options.add_external_initializers(list(arrays), self._values)
        self._session = InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def __call__(self, names: Sequence[str], values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Compute the outputs of these names."""
        found: list[np.ndarray] = self._session.run(list(names), dict(values))
        return found

    def shape(self, name: str) -> list[Any]:
        """The shape of an input; a name stands for a length that may vary."""
        return next(list(one.shape) for one in self._session.get_inputs() if one.name == name)


def alone() -> bool:
    """Whether the calling thread is inside `one_thread`."""
    return bool(getattr(_alone, "asked", False))


def shared_out(work: Callable[[_Part], _Answer], parts: Sequence[_Part]) -> list[_Answer]:
    """`work(part)` for each part, in order, by one thread a core; `work` itself shares nothing."""
    if alone() or len(parts) < 2:
        return [work(part) for part in parts]

    def by_itself(part: _Part) -> _Answer:
        with one_thread():
            return work(part)

    helped = [_workers().submit(by_itself, part) for part in parts[1:]]
    own = {0: by_itself(parts[0])}
    for row in range(len(parts) - 1, 0, -1):  # what nobody has begun is taken back from the end
        if helped[row - 1].cancel():
            own[row] = by_itself(parts[row])
    return [own[row] if row in own else helped[row - 1].result() for row in range(len(parts))]


@functools.cache
def _workers() -> ThreadPoolExecutor:  # that help those that call; the whole process shares them
    return ThreadPoolExecutor(max(1, cores() - 1), "mer-graph")


# In a forked child the pool's threads are gone, and what waits for them would wait for ever.
os.register_at_fork(after_in_child=_workers.cache_clear)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def one_thread() -> Iterator[None]:
    """Make graphs compute in the calling thread alone, for callers that run side by side."""
    before = alone()
    _alone.asked = True
    try:
        yield
    finally:
        _alone.asked = before
