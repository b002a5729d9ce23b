"""ONNX Runtime sessions, and how they share the cores of the machine."""

import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from onnxruntime import InferenceSession, OrtValue, SessionOptions

_Part = TypeVar("_Part")
_Answer = TypeVar("_Answer")

_alone = threading.local()  # whether the calling thread's answers are computed in it alone
_in_work: set[object] = set()  # one for each graph that computes now, in whatever thread


class Session:
    """A graph that computes in the thread that calls it, which may be several at once.

    Threads of its own would share out each layer, and wait for one another after each: that pays
    only where nothing else is to be computed, and is asked for by `together`.
    """

    def __init__(
        self, file: bytes, arrays: Mapping[str, np.ndarray] = MappingProxyType({})
    ) -> None:
        """Put a graph together.

        Args:
            file: an ONNX file.
            arrays: the weights that it leaves out, by their names.
        """
        self._open = functools.partial(_opened, file, dict(arrays))
        self._alone = self._open(1)

    def __call__(
        self, names: Sequence[str], values: Mapping[str, np.ndarray], *, together: bool = False
    ) -> list[np.ndarray]:
        """The outputs of these names.

        `together`: with all cores, unless `one_thread` forbids it or another thread's graph is in
        work, for then both would mostly wait for one another.
        """
        with _counted() as others:
            chosen = self._together if together and not others and not alone() else self._alone
            found: list[np.ndarray] = chosen.run(list(names), dict(values))
            return found

    @functools.cached_property
    def _together(self) -> InferenceSession:
        return self._open(cores())

    def shape(self, name: str) -> list[Any]:
        """The lengths that an input has to have; names stand for those that may be any."""
        (shape,) = (one.shape for one in self._alone.get_inputs() if one.name == name)
        return list(shape)


def _opened(file: bytes, arrays: Mapping[str, np.ndarray], threads: int) -> InferenceSession:
    options = SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that go on spinning after an answer would hold a core that the next graph needs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 4  # what goes wrong is raised, too
    values = map(OrtValue.ortvalue_from_numpy, arrays.values())
    options.add_external_initializers(list(arrays), list(values))
    return InferenceSession(file, options, providers=["CPUExecutionProvider"])


@contextmanager
def _counted() -> Iterator[int]:
    """Count the caller among the graphs in work; how many others there are."""
    ticket = object()
    others = len(_in_work)
    _in_work.add(ticket)
    try:
        yield others
    finally:
        _in_work.discard(ticket)


def alone() -> bool:
    """Whether the calling thread was told to compute by itself, see `one_thread`."""
    return bool(getattr(_alone, "asked", False))


def shared_out(work: Callable[[_Part], _Answer], parts: Iterable[_Part]) -> list[_Answer]:
    """The work's answer to each part, in their order, computed side by side, a thread each.

    What has several graphs to run is quickest so; `work` must not share out anything itself.
    """
    return (
        [work(part) for part in parts] if alone() else list(_workers().map(_by_itself(work), parts))
    )


def _by_itself(work: Callable[[_Part], _Answer]) -> Callable[[_Part], _Answer]:
    def worked(part: _Part) -> _Answer:
        with one_thread():
            return work(part)

    return worked


@functools.cache
def _workers() -> ThreadPoolExecutor:
    """The process's threads for networks, one a core, whoever calls."""
    return ThreadPoolExecutor(cores(), "mer-graph")


def cores() -> int:
    """Processor cores that this process may use."""
    may = getattr(os, "sched_getaffinity", None)
    return len(may(0)) if may else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Have graphs compute in the calling thread alone: for callers who run side by side.

    Where more threads compute than there are cores, they spend most of their time waiting for one
    another.
    """
    before = alone()
    _alone.asked = True
    try:
        yield
    finally:
        _alone.asked = before
