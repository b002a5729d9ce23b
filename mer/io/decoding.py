"""Files from outside are decoded in worker processes with limits, and come back in shared memory.

A decoder that takes gigabytes or hours ends with its worker: the caller gets one sentence, the next
file a new worker. They are forked by a process that has no thread and nothing of the caller's.
"""

import atexit
import contextlib
import fcntl
import json
import math
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mer.errors import ImageError, MerError, VideoError

WORKERS: Final = max(2, min(os.cpu_count() or 1, 8))  # that decode pictures at the same time

_ERRORS: Final = {kind.__name__: kind for kind in (ImageError, VideoError, MerError)}
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True)
class Limits:
    """What a file may cost."""

    pixels: int = 50_000_000  # of a picture, or of a frame
    # Bytes of address space of a worker beyond what it has at rest, with pixels in shared memory:
    # 50 million take 350 MB by Pillow, 300 MB by OpenCV, and libraries' pages up to 50 MB.
    memory: int = 396_000_000
    large: int = 40_000_000  # bytes of a file that may take `large_memory`, as 8K video does
    large_memory: int = 1_000_000_000
    # Of a picture, or from one frame to the next. Of real files 25 million pixels of AVIF take 2 s.
    processor_s: int = 8
    wall_s: float = 60.0  # seconds after which a worker is ended that waits for something
    kept: int = 64_000_000  # bytes of shared memory kept for the next picture: fresh pages are slow
    copied: int = 3_000_000  # bytes that are copied: a process can hold 65,000 mappings

    def memory_for(self, size: int) -> int:
        """Bytes beyond what a worker has at rest, for a file of so many bytes."""
        return self.memory if size <= self.large else self.large_memory


LIMITS: Final = Limits()

CHOOSE_PICTURE: Final = "Choose a JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF picture."


def too_much(name: str) -> str:
    """What to say of a file that ended its worker."""
    return (
        f"{name} takes more memory or time to decode than any good file of its size: it is damaged "
        "or was made to do harm. Save it anew in another format, or choose another."
    )


def too_large(name: str, size: str, most: int = LIMITS.pixels) -> str:
    """What to say of a picture of this size, of whose kind at most so many pixels are read."""
    limit = f"at most {most // 1_000_000} million are read"
    return f"{name} has {size}, and {limit}: make the picture smaller and try again."


def send(line: socket.socket, message: dict[str, Any], files: Sequence[int] = ()) -> None:
    """Send open files and a message, of JSON: a pickle from a worker could execute anything."""
    socket.send_fds(line, [json.dumps(message).encode()], list(files))


def receive(line: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its files; a ConnectionError where the other side is gone."""
    text, files, _, _ = socket.recv_fds(line, 1 << 17, 4)
    if not text:
        raise ConnectionError
    return json.loads(text), files


def _memory_file(size: int) -> int:
    """A descriptor of an open file without a name, of this size, in memory."""
    file = os.memfd_create("mer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(file, size)
    # A worker that shrank it would end the caller.
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return file


class Worker:
    """The caller's end of a worker process; for one thread at a time."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        # What pictures are decoded into, one after another, and the array that shows the last one.
        self._memory: tuple[int, mmap.mmap] | None = None
        self._lent: Callable[[], np.ndarray | None] = lambda: None
        self.state: dict[str, Any] = {}  # what is known of the video, complete after a pass

    def close(self) -> None:
        """Let go of the process, which ends at once, even in the middle of decoding."""
        self._line.close()
        self.forget_memory()

    def gone(self) -> bool:
        """Whether the process has ended; only between two requests."""
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        return bool(poll.poll(0))

    def forget_memory(self) -> None:
        """Decode into other memory from now on; what an array shows stays as long as it does."""
        if self._memory:
            os.close(self._memory[0])
        self._memory = None

    def ask(self, message: dict[str, Any], files: Sequence[int] = ()) -> dict[str, Any]:
        """The answer to a message; a ConnectionError where the worker ended, or its own error."""
        send(self._line, message, files)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        message, _ = receive(self._line)
        if "error" in message:
            cause = MemoryError() if message.get("memory") else None
            raise _ERRORS[message["kind"]](message["error"]) from cause
        return message

    def picture(self, file: int, name: str) -> np.ndarray:
        """The picture in an open file; raises as `ask`."""
        try:
            head = self.ask({"do": "picture", "name": name}, [file])
            height, width = int(head["height"]), int(head["width"])
            if not 0 < height * width <= LIMITS.pixels:
                raise ConnectionError
            pixels, files = self._room((height, width, 3))
            self.ask({}, files)
        except MerError:  # upon which the worker lets go of the memory
            self.forget_memory()
            raise
        if pixels.nbytes > LIMITS.kept:
            self.forget_memory()
        return pixels.copy() if pixels.nbytes <= LIMITS.copied else pixels

    def frames(
        self, start_ms: float, end_ms: float, shape: tuple[int, int, int]
    ) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        """The open video's frames from one time to another, pixels apart; raises as `ask`."""
        places, files = self._room((2, *shape))
        send(self._line, {"do": "frames", "from": start_ms, "to": end_ms}, files)
        while "frame" in (told := self._answer()):
            pixels = places[told["place"]].copy()
            with contextlib.suppress(ConnectionError):  # the next answer tells
                send(self._line, {"taken": told["place"]})
            yield told["frame"], pixels
        self.state = told

    def _room(self, shape: tuple[int, ...]) -> tuple[np.ndarray, list[int]]:
        """Where to decode to, and the file to tell the worker of where that is new to it."""
        size, room, files = math.prod(shape), self._memory, []
        if not room or len(room[1]) < size or self._lent() is not None:  # somebody looks at it
            self.forget_memory()
            files = [_memory_file(size)]
            room = self._memory = files[0], mmap.mmap(files[0], size)
        flat = np.frombuffer(room[1], np.uint8, size)
        self._lent = weakref.ref(flat)  # views keep it alive
        return flat.reshape(shape), files


class Pool:
    """The workers of this process, each for one picture or video at a time."""

    def __init__(self) -> None:
        self._free = threading.Condition()  # its lock may be taken again by who holds it
        self._idle: list[Worker] = []
        self._busy = 0  # with pictures
        self._all: weakref.WeakSet[Worker] = weakref.WeakSet()
        self._server: subprocess.Popen[bytes] | None = None  # that workers are forked from
        self._line: socket.socket  # to it
        self._ready = False  # whether it has said so

    def picture(self, source: int | bytes, name: str) -> np.ndarray:
        """The picture as RGB uint8 (height, width, 3), upright, by a worker that is free.

        `source` is the file's content or a descriptor of the open file, `name` what errors call it.
        Raises an ImageError where it cannot be read, or takes more than LIMITS.
        """
        if isinstance(source, bytes):
            with os.fdopen(_memory_file(len(source)), "wb", buffering=0) as file:
                file.write(source)
                return self.picture(file.fileno(), name)
        worker, kept = self._taken(), False
        try:
            picture = worker.picture(source, name)
            kept = True
        except MerError as error:
            kept = not isinstance(error.__cause__, MemoryError)
            raise
        except ConnectionError as error:
            raise ImageError(too_much(name)) from error
        finally:
            with self._free:
                self._busy -= 1
                if kept:
                    self._idle.append(worker)
                else:
                    worker.close()
                self._free.notify()
        return picture

    def _taken(self) -> Worker:
        with self._free:
            self._free.wait_for(lambda: self._idle or self._busy < WORKERS)
            while self._idle:
                worker = self._idle.pop()
                if not worker.gone():
                    break
                worker.close()  # somebody has ended it meanwhile
            else:
                worker = self.fresh()
            self._busy += 1
            return worker

    def fresh(self) -> Worker:
        """A new worker, to be closed: then it ends at once, even amid a frame."""
        with self._free:
            for _ in range(2):  # what they come from may just have ended
                self.prepare()
                if not self._ready and not self._line.recv(1):  # the first alone waits for it
                    break
                self._ready = True
                ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)  # for whole messages
                with theirs, contextlib.suppress(OSError):
                    socket.send_fds(self._line, [b"f"], [theirs.fileno()])
                    worker = Worker(ours)
                    self._all.add(worker)
                    return worker
                ours.close()
                self._end_server()
            raise MerError("The decoder cannot be started. Free memory, or install mer again.")

    def prepare(self) -> None:
        """Start the process that workers are forked from, unless it runs."""
        with self._free:
            if self._server and self._server.poll() is None:
                return
            self._end_server()
            (self._line, theirs), self._ready = socket.socketpair(), False
            paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)  # noqa: PTH100
            command = f"from mer.io import decoder; decoder.main({theirs.fileno()})"
            try:
                self._server = subprocess.Popen(
                    [sys.executable, "-c", command],
                    pass_fds=[theirs.fileno()],
                    env=os.environ | _ONE_THREAD | {"PYTHONPATH": paths},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the caller to answer
                )
            except OSError as error:
                self._line.close()
                raise MerError(f"The decoder cannot be started ({error}). Free memory.") from error
            finally:
                theirs.close()

    def _end_server(self) -> None:
        """End it; its workers end with their own lines."""
        if self._server:
            self._line.close()
            self._server.kill()
            self._server.wait()
        self._server = None

    def server_process(self) -> int:
        """The number of the process that workers are forked from; 0 before there is one."""
        return self._server.pid if self._server else 0

    def close(self) -> None:
        """End all that waits; what works ends with the caller. The next file starts new ones."""
        with self._free:
            for worker in self._idle:
                worker.close()
            self._idle.clear()
            self._end_server()

    def disown(self) -> None:
        """In a forked child, whose parent goes on with these workers."""
        for worker in self._all:
            worker.close()
        if self._server:
            self._line.close()
            self._server.returncode = 0  # else Popen would warn of it
        self.__init__()  # type: ignore[misc]  # whoever held the lock is not here

    def forget_memory(self) -> None:
        """In a parent that forked: its children may look at the pictures for ever."""
        for worker in self._all:
            worker.forget_memory()


POOL: Final = Pool()
atexit.register(POOL.close)
os.register_at_fork(after_in_child=POOL.disown, after_in_parent=POOL.forget_memory)
