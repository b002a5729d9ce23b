"""ONNX Runtime sessions, and how they share the cores of the machine."""

import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeVar
from weakref import WeakSet

import numpy as np
from onnxruntime import InferenceSession, OrtValue, SessionOptions

_Part = TypeVar("_Part")
_Answer = TypeVar("_Answer")

_alone = threading.local()  # `asked` is True in threads that compute without help, see `one_thread`
_in_work: set[object] = set()  # holds one object for each graph that computes now
_sessions: "WeakSet[Session]" = WeakSet()
_useless: list[InferenceSession | None] = []  # sessions of a forked child's parent, with threads


class Session:
    """A graph that computes in the thread that calls it; several threads may call it at once.

    ONNX Runtime's own threads share out each layer and wait for one another after each. That pays
    only where nothing else is to be computed; `together` asks for it.
    """

    def __init__(
        self, file: bytes, arrays: Mapping[str, np.ndarray] = MappingProxyType({})
    ) -> None:
        """Build the graph.

        Args:
            file: content of an ONNX file.
            arrays: the weights that the file leaves out, by their names.
        """
        self._open = functools.partial(_opened, file, dict(arrays))
        self._alone = self._open(1)
        _sessions.add(self)

    def __call__(
        self, names: Sequence[str], values: Mapping[str, np.ndarray], *, together: bool = False
    ) -> list[np.ndarray]:
        """Compute the outputs of these names.

        With `together` all cores are used, unless `one_thread` forbids it or another graph computes
        now: then both would mostly wait for one another.
        """
        with _counted() as others:
            chosen = self._together if together and not others and not alone() else self._alone
            found: list[np.ndarray] = chosen.run(list(names), dict(values))
            return found

    @functools.cached_property
    def _together(self) -> InferenceSession:
        return self._open(cores())

    def shape(self, name: str) -> list[Any]:
        """Return the shape of an input; a name stands for a length that may vary."""
        (shape,) = (one.shape for one in self._alone.get_inputs() if one.name == name)
        return list(shape)


def _opened(file: bytes, arrays: Mapping[str, np.ndarray], threads: int) -> InferenceSession:
    options = SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that go on spinning after an answer would hold a core that the next graph needs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 4  # nothing but fatal errors: all errors are raised anyway
    values = map(OrtValue.ortvalue_from_numpy, arrays.values())
    options.add_external_initializers(list(arrays), list(values))
    return InferenceSession(file, options, providers=["CPUExecutionProvider"])


@contextmanager
def _counted() -> Iterator[int]:
    """Register the caller as a graph that computes; yield the number of others."""
    ticket = object()
    others = len(_in_work)
    _in_work.add(ticket)
    try:
        yield others
    finally:
        _in_work.discard(ticket)


def _after_fork() -> None:
    """In a forked child there are no threads but one: what waits for others would wait for ever.

    Sessions with threads are kept, unused: to take one down is to wait for its threads.
    """
    _in_work.clear()
    _workers.cache_clear()
    for session in _sessions:
        _useless.append(vars(session).pop("_together", None))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def alone() -> bool:
    """Whether the calling thread is inside `one_thread`."""
    return bool(getattr(_alone, "asked", False))


def shared_out(work: Callable[[_Part], _Answer], parts: Iterable[_Part]) -> list[_Answer]:
    """Return `work(part)` for each part, in order, computed side by side with one thread a core.

    This is the quickest way to run several graphs. `work` must not call `shared_out` itself.
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
    """Return the thread pool for networks that the whole process shares, one thread a core."""
    return ThreadPoolExecutor(cores(), "mer-graph")


def cores() -> int:
    """Processor cores that this process may use."""
    may = getattr(os, "sched_getaffinity", None)
    return len(may(0)) if may else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Make graphs compute in the calling thread alone, for callers that run side by side.

    More threads than cores spend most of their time waiting for one another.
    """
    before = alone()
    _alone.asked = True
    try:
        yield
    finally:
        _alone.asked = before
