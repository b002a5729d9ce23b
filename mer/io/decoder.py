"""The processes in which files are decoded: one that is forked for each worker, and the workers.

Only `mer.io.decoding` starts it.
"""

import contextlib
import gc
import math
import mmap
import os
import select
import signal
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pillow_heif
from PIL import AvifImagePlugin, Image

from mer.errors import MerError
from mer.io import picture_formats
from mer.io.protocol import LIMITS, Channel

try:
    import resource
except ModuleNotFoundError:  # no such limits on this system: the clocks alone end a worker
    resource = None  # type: ignore[assignment]

_THREADS: Final = 2  # of a decoder of HEIC and AVIF; each has a stack, which counts as memory


def main(number: int) -> None:
    """Fork a worker for each line that comes over the socket of this number, until it closes."""
    line = socket.socket(fileno=number)
    _settle()
    line.send(b"r")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders print what they find in damaged files
    while True:
        content, files, _, _ = socket.recv_fds(line, 1, 1)
        if not content:
            return
        try:
            child = os.fork()
        except OSError:  # no memory: the caller finds its line closed
            child = 1
        if not child:
            line.close()
            try:
                serve(socket.socket(fileno=files[0]))
            finally:
                os._exit(0)
        os.close(files[0])


def _settle() -> None:
    """What is the same for all workers."""
    warnings.simplefilter("ignore")  # of large sizes and untidy EXIF, both of which are dealt with
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no ended worker stays in the table
    cv2.setNumThreads(1)
    Image.preinit()
    Image.init()
    pillow_heif.options.DECODE_THREADS = _THREADS
    AvifImagePlugin.DEFAULT_MAX_THREADS = _THREADS
    gc.freeze()  # shared with all workers, as long as nobody touches it


def serve(line: socket.socket) -> None:
    """Answer requests until the other side is gone."""
    for ending in (signal.SIGALRM, signal.SIGXCPU, signal.SIGTERM) if resource else ():
        signal.signal(ending, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    limits, channel, memory = _Confined(), Channel(line), _Memory()
    while (received := channel.receive()) is not None:
        request, files = received
        try:
            with limits.at(files):
                _ANSWERS[request["do"]](channel, request, files, memory)
        except MerError as error:
            told = {"error": str(error), "kind": type(error).__name__}
            channel.send(told | {"memory": isinstance(error.__cause__, MemoryError)})
            memory.close()
        finally:
            for file in files:
                os.close(file)


def _end_with(line: socket.socket) -> None:
    """End this process as soon as its caller is gone, even in the middle of decoding."""
    poll = select.poll()
    poll.register(line, 0)  # only that the other side has closed it
    poll.poll()
    os._exit(0)


class _Confined:
    """What this process may take, where the system knows such limits."""

    def __init__(self) -> None:
        self._rest = _address_space()
        if resource:
            _set(resource.RLIMIT_CORE, 0)
            _set(resource.RLIMIT_FSIZE, LIMITS.large_memory)

    @contextlib.contextmanager
    def at(self, files: Sequence[int]) -> Iterator[None]:
        """The limits for one request, which holds these open files."""
        if resource:
            size = max((os.fstat(file).st_size for file in files), default=0)
            self.allow(size)
            self.renew()
        signal.setitimer(signal.ITIMER_REAL, LIMITS.wall_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def allow(self, size: int) -> None:
        """The memory for a file of so many bytes."""
        if self._rest:
            _set(resource.RLIMIT_AS, self._rest + LIMITS.memory_for(size))

    def renew(self) -> None:
        """The processor's seconds, from now on."""
        if resource:
            _set(resource.RLIMIT_CPU, math.ceil(time.process_time()) + LIMITS.processor_s)


def _set(limit: int, value: int) -> None:
    """Set what this process may take of something, within what it was given itself."""
    _, most = resource.getrlimit(limit)
    bounded = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(limit, (bounded, most))


def _address_space() -> int:
    """Bytes that this process has now; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    except OSError:
        return 0


class _Memory:
    """The caller's memory, which pictures are put into."""

    def __init__(self) -> None:
        self._map: mmap.mmap | None = None

    def open(self, file: int) -> None:
        """Take that of this file from now on."""
        self.close()
        self._map = mmap.mmap(file, 0)

    def array(self, shape: tuple[int, ...], offset: int = 0) -> np.ndarray:
        """An array in it."""
        assert self._map is not None
        return np.frombuffer(self._map, np.uint8, math.prod(shape), offset).reshape(shape)

    def close(self) -> None:
        """Let go of it, as soon as no array shows it any more."""
        self._map = None


def _picture(channel: Channel, request: dict[str, Any], files: list[int], memory: _Memory) -> None:
    """Decode a picture, after the caller has made room for it."""
    name, (file,) = request["name"], files
    content = mmap.mmap(file, 0, prot=mmap.PROT_READ)
    with os.fdopen(file, "rb", closefd=False) as read:
        read.seek(0)
        opened = picture_formats.opened(read, memoryview(content), f"/dev/fd/{file}", name)
        channel.send({"width": opened.width, "height": opened.height})
        received = channel.receive()
        if received is None:
            return
        for new in received[1]:
            memory.open(new)
            os.close(new)
        out = memory.array((opened.height, opened.width, 3))
        opened.into(out, name)
    if out.nbytes > LIMITS.kept:
        memory.close()
    channel.send({})


_ANSWERS: Final[dict[str, Callable[[Channel, dict[str, Any], list[int], _Memory], None]]] = {
    "picture": _picture,
}


def picture_here(source: int | bytes, name: str) -> np.ndarray:
    """A picture decoded in this very process, where the system knows no workers."""
    with tempfile.TemporaryFile() as file:
        content = source if isinstance(source, bytes) else os.fdopen(os.dup(source), "rb").read()
        file.write(content)
        file.flush()
        file.seek(0)
        path = f"/dev/fd/{file.fileno()}" if os.name == "posix" else ""
        opened = picture_formats.opened(file, memoryview(content), path, name)
        out = np.empty((opened.height, opened.width, 3), np.uint8)
        opened.into(out, name)
        return out
