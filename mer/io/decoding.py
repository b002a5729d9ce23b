"""Files from outside are decoded in worker processes with limits, and come back in shared memory.

A decoder that a file makes take gigabytes or hours ends with its worker: the caller gets one
sentence, and the next file a new worker. Workers are forked by a small process of their own, which
starts with the first picture, holds no thread and nothing of the caller's, and ends with it.
"""

import atexit
import contextlib
import fcntl
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from mer.errors import ImageError, MerError, VideoError
from mer.io.protocol import LIMITS, Channel, too_much

WORKERS: Final = max(2, min(os.cpu_count() or 1, 8))  # that decode pictures at the same time

_ERRORS: Final[dict[str, type[MerError]]] = {
    kind.__name__: kind for kind in (ImageError, VideoError, MerError)
}


def memory_file(size: int) -> int:
    """A descriptor of an open file without a name, of this size, in memory."""
    file = os.memfd_create("mer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(file, size)
    # A worker that shrank it would end the caller.
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return file


@contextlib.contextmanager
def _descriptor(source: int | bytes) -> Iterator[int]:
    if isinstance(source, int):
        yield source
        return
    file = memory_file(len(source))
    try:
        os.pwrite(file, source, 0)
        yield file
    finally:
        os.close(file)


class _Buffer:
    """Shared memory that pictures are decoded into, one after another."""

    def __init__(self, size: int) -> None:
        self.file = memory_file(size)
        self.memory = mmap.mmap(self.file, size)
        self._lent: weakref.ref[np.ndarray] | None = None

    def close(self) -> None:
        """Give up the descriptor; the memory stays while an array shows it."""
        os.close(self.file)

    def fits(self, size: int) -> bool:
        """Whether it is large enough, and nobody looks at the picture that it held."""
        return len(self.memory) >= size and (self._lent is None or self._lent() is None)

    def array(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array that shows its beginning; views of it keep the array alive."""
        count = int(np.prod(shape))
        pixels = np.frombuffer(self.memory, np.uint8, count).reshape(shape)
        base = pixels.base
        assert isinstance(base, np.ndarray)
        self._lent = weakref.ref(base)
        return pixels


class GoneError(Exception):
    """A worker ended in the middle."""


class Worker:
    """The caller's end of a worker process; for one thread at a time."""

    def __init__(self, line: socket.socket) -> None:
        self._channel = Channel(line)
        self._buffer: _Buffer | None = None
        self.state: dict[str, Any] = {}

    def close(self) -> None:
        """Let go of the process, which ends at once, even in the middle of decoding."""
        self._channel.line.close()
        self.forget_buffer()

    def gone(self) -> bool:
        """Whether the process has ended; only between two requests."""
        poll = select.poll()
        poll.register(self._channel.line, select.POLLIN)
        return bool(poll.poll(0))

    def forget_buffer(self) -> None:
        """Decode into other memory from now on."""
        if self._buffer:
            self._buffer.close()
        self._buffer = None

    def ask(self, message: dict[str, Any], files: Sequence[int] = ()) -> dict[str, Any]:
        """Send a message and wait for the answer.

        Raises:
            GoneError: the worker ended.
            MerError: what it raised.
        """
        try:
            self._channel.send(message, files)
        except ConnectionError as error:
            raise GoneError from error
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next message, as `ask` gives it."""
        received = self._channel.receive()
        if received is None:
            raise GoneError
        message, _ = received
        if "error" in message:
            cause = MemoryError() if message.get("memory") else None
            raise _ERRORS[message["kind"]](message["error"]) from cause
        return message

    def picture(self, file: int, name: str) -> np.ndarray:
        """The picture in an open file."""
        try:
            pixels = self._decoded(file, name)
        except MerError:  # upon which the worker lets go of the memory
            self.forget_buffer()
            raise
        if pixels.nbytes > LIMITS.kept:
            self.forget_buffer()
        return pixels.copy() if pixels.nbytes <= LIMITS.copied else pixels

    def _decoded(self, file: int, name: str) -> np.ndarray:
        head = self.ask({"do": "picture", "name": name}, [file])
        height, width = int(head["height"]), int(head["width"])
        if not 0 < height * width <= LIMITS.pixels:
            raise GoneError
        pixels, files = self._room((height, width, 3))
        self.ask({}, files)
        return pixels

    def open_video(self, path: str, fps: float | None) -> dict[str, Any]:
        """Have a video opened, or a folder of frames where `fps` is their number a second.

        It gives what the reader knows, as `state` does after each pass.

        Raises:
            GoneError: the worker ended.
            VideoError: it cannot be read.
        """
        self.state = self.ask({"do": "open", "path": path, "fps": fps})
        return self.state

    def frames(
        self, start_ms: float, end_ms: float, shape: tuple[int, int, int]
    ) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        """The video's frames from one time to another: of each all else, and its pixels.

        Raises:
            GoneError: the worker ended.
            VideoError: it cannot be read any further.
        """
        places, files = self._room((2, *shape))
        self._channel.send({"do": "frames", "from": start_ms, "to": end_ms}, files)
        while "frame" in (told := self.answer()):
            pixels = places[told["place"]].copy()
            with contextlib.suppress(ConnectionError):  # the next answer tells
                self._channel.send({"taken": told["place"]})
            yield told["frame"], pixels
        self.state = told

    def _room(self, shape: tuple[int, ...]) -> tuple[np.ndarray, list[int]]:
        """Where to decode to, and the file to tell the worker of where that is new to it."""
        size = int(np.prod(shape))
        if self._buffer and self._buffer.fits(size):
            return self._buffer.array(shape), []
        self.forget_buffer()
        self._buffer = _Buffer(size)
        return self._buffer.array(shape), [self._buffer.file]


class _ForkServer:
    """The process that workers are forked from."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        command = f"from mer.io import decoder; decoder.main({theirs.fileno()})"
        paths = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100
        quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", command],
                pass_fds=[theirs.fileno()],
                env=os.environ | quiet | {"PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the caller to answer
            )
        except OSError as error:
            ours.close()
            raise MerError(f"The decoder cannot be started ({error}). Free memory.") from error
        finally:
            theirs.close()
        self._line = ours
        self._ready = False

    def fork(self) -> Worker:
        """A new worker.

        Raises:
            GoneError: the process has ended.
            MerError: it never started.
        """
        if not self._ready and not self._line.recv(1):  # it waits for the first worker alone
            raise MerError("The decoder cannot be started. Free memory, or install mer again.")
        self._ready = True
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._line, [b"f"], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise GoneError from error
        return Worker(ours)

    def running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def close(self) -> None:
        """End it; its workers end with their own lines."""
        self._line.close()
        self.process.kill()
        self.process.wait()

    def disown(self) -> None:
        """In a forked child: it is the parent's."""
        self._line.close()
        self.process.returncode = 0  # else Popen would warn of it


class Pool:
    """The workers of this process, each for one picture or video at a time."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._own: weakref.WeakSet[Worker] = weakref.WeakSet()  # of callers
        self._server: _ForkServer | None = None

    def prepare(self) -> None:
        """Start what workers come from, so that the first picture need not wait for it."""
        with self._free:
            self._running_server()

    def picture(self, source: int | bytes, name: str) -> np.ndarray:
        """The picture as RGB uint8 (height, width, 3), upright, by a worker.

        Where WORKERS are busy, by the first that is free again.

        Args:
            source: the file's content, or a descriptor of the open file.
            name: what to call it in errors.

        Raises:
            ImageError: it cannot be read, or takes more than LIMITS.
        """
        with _descriptor(source) as file, self._worker(name) as worker:
            return worker.picture(file, name)

    def fresh(self) -> Worker:
        """A worker for a video, to be closed; it ends at once then, even amid a frame."""
        with self._free:
            worker = self._forked()
            self._own.add(worker)
            return worker

    @contextlib.contextmanager
    def _worker(self, name: str) -> Iterator[Worker]:
        worker = self._taken()
        kept = False
        try:
            yield worker
            kept = True
        except MerError as error:
            kept = not isinstance(error.__cause__, MemoryError)
            raise
        except GoneError as error:
            raise ImageError(too_much(name)) from error
        finally:
            self._given_back(worker, kept)

    def _taken(self) -> Worker:
        with self._free:
            while not self._idle and len(self._busy) >= WORKERS:
                self._free.wait()
            worker = self._living() or self._forked()
            self._busy.add(worker)
            return worker

    def _living(self) -> Worker | None:
        """An idle worker that nobody has ended meanwhile."""
        while self._idle:
            worker = self._idle.pop()
            if not worker.gone():
                return worker
            worker.close()
        return None

    def _given_back(self, worker: Worker, kept: bool) -> None:
        with self._free:
            self._busy.discard(worker)
            if kept:
                self._idle.append(worker)
            else:
                worker.close()
            self._free.notify()

    def _forked(self) -> Worker:
        try:
            return self._running_server().fork()
        except GoneError:
            return self._running_server().fork()

    def _running_server(self) -> _ForkServer:
        if self._server and not self._server.running():
            self._server.close()
            self._server = None
        if not self._server:
            self._server = _ForkServer()
        return self._server

    def server_process(self) -> int:
        """The number of the process that workers are forked from; 0 before there is one."""
        return self._server.process.pid if self._server else 0

    def close(self) -> None:
        """End all that waits; what works ends with the caller. The next file starts new ones."""
        with self._free:
            for worker in self._idle:
                worker.close()
            self._idle.clear()
            if self._server:
                self._server.close()
            self._server = None

    def disown(self) -> None:
        """In a forked child, whose parent goes on with these workers."""
        for worker in (*self._idle, *self._busy, *self._own):
            worker.close()
        if self._server:
            self._server.disown()
        self.__init__()  # type: ignore[misc]  # whoever held the lock is not here

    def forget_buffers(self) -> None:
        """In a parent that forked: its children may look at the pictures for ever."""
        for worker in (*self._idle, *self._busy, *self._own):
            worker.forget_buffer()


POOL: Final = Pool()
atexit.register(POOL.close)
os.register_at_fork(after_in_child=POOL.disown, after_in_parent=POOL.forget_buffers)
