"""The processes that `mer.io.decoding` starts: the one that forks workers, and the workers."""

import contextlib
import gc
import math
import mmap
import os
import resource
import select
import signal
import socket
import threading
import time
import warnings
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pillow_heif
from PIL import AvifImagePlugin, Image

from mer.errors import MerError, VideoError
from mer.io import picture_formats
from mer.io.decoding import LIMITS, receive, send, too_much
from mer.io.video import FolderReader, Reader

_THREADS: Final = 2  # of a decoder of HEIC and AVIF: the stack of each counts as memory


def main(number: int) -> None:
    """Fork a worker for each line that comes over the socket of this number, until it closes."""
    line = socket.socket(fileno=number)
    warnings.simplefilter("ignore")  # of large sizes and untidy EXIF, both of which are dealt with
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no ended worker stays in the table
    cv2.setNumThreads(1)
    Image.preinit()
    Image.init()
    pillow_heif.options.DECODE_THREADS = _THREADS
    AvifImagePlugin.DEFAULT_MAX_THREADS = _THREADS
    gc.freeze()  # shared with all workers, as long as nobody touches it
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


def serve(line: socket.socket) -> None:
    """Answer requests until the other side is gone."""
    for ending in (signal.SIGALRM, signal.SIGXCPU, signal.SIGTERM):
        signal.signal(ending, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    service = _Service(line)
    with contextlib.suppress(ConnectionError):
        while True:
            request, files = receive(line)
            try:
                service.answer(request, files)
            except (MerError, MemoryError) as error:
                text, kind = str(error), type(error).__name__
                if isinstance(error, MemoryError):  # FFmpeg's as well, whose words are no sentence
                    text, kind = too_much("The file"), "VideoError"
                short = any(isinstance(one, MemoryError) for one in (error, error.__cause__))
                send(line, {"error": text, "kind": kind, "memory": short})
                service.memory = None
            finally:
                for file in files:
                    os.close(file)


def _end_with(line: socket.socket) -> None:
    """End this process as soon as its caller is gone, even in the middle of decoding."""
    poll = select.poll()
    poll.register(line, 0)  # only that the other side has closed it
    poll.poll()
    os._exit(0)


class _Service:
    """What a worker does for its caller, each request within the limits."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.memory: mmap.mmap | None = None  # the caller's, while an array shows it
        self._video: Reader | FolderReader | None = None
        pages = int(Path("/proc/self/statm").read_text().split()[0])  # of address space
        self._rest = pages * mmap.PAGESIZE
        self._began = 0.0
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_FSIZE, LIMITS.large_memory)

    def answer(self, request: dict[str, Any], files: list[int]) -> None:
        """Do what is asked, and say what came of it; a MerError where the file cannot be read."""
        self._limit_memory(max((os.fstat(file).st_size for file in files), default=0))
        self._began = time.process_time()
        self._limit_time()
        try:
            if request["do"] == "picture":
                self._picture(request["name"], files[0])
            elif request["do"] == "open":
                path = Path(request["path"])
                if request["fps"]:
                    self._video = FolderReader(path, request["fps"], self._alive)
                else:
                    self._limit_memory(path.stat().st_size if path.exists() else 0)
                    self._video = Reader(path, self._alive)
                send(self._line, self._known())
            else:
                self._frames(request["from"], request["to"], files)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # the next one may be long in coming

    def _limit_memory(self, size: int) -> None:
        _limit(resource.RLIMIT_AS, self._rest + LIMITS.memory_for(size))

    def _limit_time(self) -> None:
        _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + LIMITS.processor_s)
        signal.setitimer(signal.ITIMER_REAL, LIMITS.wall_s)

    def _picture(self, name: str, file: int) -> None:
        """Decode a picture, after the caller has made room for it."""
        content = mmap.mmap(file, 0, prot=mmap.PROT_READ)
        with os.fdopen(file, "rb", closefd=False) as read:
            read.seek(0)
            opened = picture_formats.opened(read, memoryview(content), f"/dev/fd/{file}", name)
            send(self._line, {"width": opened.width, "height": opened.height})
            _, files = receive(self._line)
            out = self._room(files, (opened.height, opened.width, 3))
            for new in files:
                os.close(new)
            opened.fill(out)
        if out.nbytes > LIMITS.kept:
            self.memory = None
        send(self._line, {})

    def _frames(self, start_ms: float, end_ms: float, files: list[int]) -> None:
        """Decode frames into two places by turns: the caller reads one, and frees it."""
        assert self._video is not None
        places, count = self._room(files, (2, self._video.size[1], self._video.size[0], 3)), 0
        for count, frame in enumerate(self._video.frames(start_ms, end_ms), 1):
            if count > len(places):
                self._await_taken()
            place = count % len(places)
            places[place] = frame.image
            told = {"index": frame.index, "time_ms": frame.time_ms}
            send(self._line, {"frame": told, "place": place})
        for _ in range(min(count, len(places))):
            self._await_taken()
        send(self._line, self._known())

    def _room(self, files: list[int], shape: tuple[int, ...]) -> np.ndarray:
        """An array in the caller's memory: in that of a file, or in the one of before."""
        if files:
            self.memory = None  # before there is another
            self.memory = mmap.mmap(files[0], 0)
        assert self.memory is not None
        return np.frombuffer(self.memory, np.uint8, math.prod(shape)).reshape(shape)

    def _await_taken(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)  # it may be long
        receive(self._line)
        self._limit_time()

    def _known(self) -> dict[str, Any]:
        return {name: getattr(self._video, name) for name in ("size", "duration_ms", "notes")}

    def _alive(self, time_ms: float) -> None:
        """A picture was decoded: the next one may take as long again, within a whole."""
        spent = time.process_time() - self._began
        if spent > LIMITS.processor_s * (1 + max(time_ms, 0) / 1000):
            raise VideoError(too_much("The video"))
        self._limit_time()


def _limit(what: int, value: int) -> None:
    """Set what this process may take of something, within what it was given itself."""
    _, most = resource.getrlimit(what)
    resource.setrlimit(what, (value if most == resource.RLIM_INFINITY else min(value, most), most))
