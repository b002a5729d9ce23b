"""Visitors of the live view, as many as wanted, over HTTP: how often and how soon each is answered.

A visitor does what the page's script does: the next frame goes out when the last answer is in.
"""

import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import cv2
import numpy as np

from benchmarks.timing import astronaut, kept, machine
from mer.errors import MerError
from mer.live.session_pool import PLACES
from mer.models.registry import DEFAULT_MODEL
from mer.results import documents

RATE: Final = 3.0  # frames a second that each of PLACES visitors should get on two cores
LATENCY_MS: Final = 700.0  # in which 95 of 100 answers should come
_FRAMES: Final = 24  # different ones, in which the face goes to and fro
_START_S: Final = 120.0  # for the page to start
_visitors: Final = itertools.count()


class Visitor:
    """One visitor, who takes a place at once; a context that ends with leaving it.

    Attributes:
        answers: to each frame, as `mer.ui.webcam` gives them.
        milliseconds: from a frame's sending to its answer, one each.
        seconds: how long the visitor looked.
        problem: the sentence with which the page refused a place or a frame, or "".
    """

    def __init__(self, address: str) -> None:
        """Take a place in front of the page at `address`, such as http://127.0.0.1:7860.

        Each comes from an address of their own, since one may not have all the places.
        """
        place = urlsplit(address)
        own = (f"127.0.1.{1 + next(_visitors) % 250}", 0)
        self._line = HTTPConnection(
            place.hostname or "", place.port, timeout=60, source_address=own
        )
        self._headers: dict[str, str] = {}
        self.answers: list[dict[str, Any]] = []
        self.milliseconds: list[float] = []
        self.seconds = 0.0
        answer = self._asked("start")
        self.problem: str = answer.get("problem", "")
        self._headers["X-Live-Key"] = answer.get("key", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.request("POST", "/live/stop", headers=self._headers)
        self._line.close()

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds if self.seconds else 0.0

    def look(
        self, pictures: Sequence[bytes], seconds: float, *, least: int = 1, query: str = ""
    ) -> None:
        """Send frames for some seconds, or until it is refused.

        Args:
            pictures: what the camera sees, over and over, one JPEG each.
            seconds: how long; longer where by then fewer than `least` frames were answered.
            least: see there.
            query: what is asked with each frame besides its time, such as "&network=cnn2".
        """
        began = time.perf_counter()
        while not self.problem and (self.seconds < seconds or len(self.answers) < least):
            sent = time.perf_counter()
            picture = pictures[len(self.answers) % len(pictures)]
            answer = self._asked(f"frame?time={1000 * (sent - began):.1f}{query}", picture)
            self.seconds = time.perf_counter() - began
            self.problem = answer.get("problem", "")
            if not self.problem:
                self.answers.append(answer)
                self.milliseconds.append(1000 * (time.perf_counter() - sent))

    def _asked(self, what: str, body: bytes = b"") -> dict[str, Any]:
        self._line.request("POST", f"/live/{what}", body, self._headers)
        answer: dict[str, Any] = json.loads(self._line.getresponse().read())
        return answer


def frames(face: np.ndarray, width: int = 640, height: int = 480) -> list[bytes]:
    """JPEGs of a picture, RGB uint8, that moves gently to and fro in a camera's frame."""
    scale = min(width / face.shape[1], height / face.shape[0])
    left = (width - scale * face.shape[1]) / 2
    made = []
    for turn in np.linspace(0, 2 * np.pi, _FRAMES, endpoint=False):
        shift = np.array([[scale, 0, left + 20 * np.sin(turn)], [0, scale, 6 * np.cos(turn)]])
        border = cv2.BORDER_REPLICATE
        frame = cv2.warpAffine(face, shift, (width, height), borderMode=border)
        made.append(documents.jpeg(frame))
    return made


def table(visits: Sequence[Visitor]) -> str:
    """Frames a second of the slowest and the middle visitor, and percentiles of the latency."""
    times = np.concatenate([one.milliseconds for one in visits])
    if not len(times):
        return f"{len(visits)} visitors, and no answer."
    rates = [one.rate for one in visits]
    middle, late = np.percentile(times, (50, 95))
    held = min(rates) >= RATE and late <= LATENCY_MS
    return (
        f"{len(visits)} visitors, {len(times)} answers: {min(rates):.1f} frames a second for the "
        f"slowest, {statistics.median(rates):.1f} in the middle; latency {middle:.0f} ms in the "
        f"middle, {late:.0f} ms for 95 of 100 (target {RATE:.0f} and {LATENCY_MS:.0f} ms: "
        f"{kept(held)})"
    )


def report(model: str = DEFAULT_MODEL, *, visitors: int = PLACES, seconds: float = 15) -> str:
    """What `visited` says, and on which machine."""
    return "\n".join([machine(), *visited(model, visitors=visitors, seconds=seconds)])


def visited(
    model: str = DEFAULT_MODEL, *, visitors: int = PLACES, seconds: float = 15
) -> list[str]:
    """Start the page in a process of its own, send the visitors there, and say what they got.

    Raises:
        MerError: scikit-image, whose face they show, is absent; or the page does not start.
    """
    pictures = frames(astronaut())
    with page() as (address, process):
        _visits(address, pictures, 1, 2, model)  # the first frames load code
        before = _used(process)
        visits = _visits(address, pictures, visitors, seconds, model)
        used = _used(process) - before
    answers = sum(len(one.answers) for one in visits)
    cost = f"{1000 * used / max(answers, 1):.0f} ms of one core a frame, on the server's side"
    problems = sorted({one.problem for one in visits if one.problem})
    return [f"network {model}", table(visits), cost, *problems]


def _visits(
    address: str, pictures: Sequence[bytes], count: int, seconds: float, model: str
) -> list[Visitor]:
    def look(visitor: Visitor) -> None:
        visitor.look(pictures, seconds, query=f"&network={model}")

    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        visitors = [stack.enter_context(Visitor(address)) for _ in range(count)]
        list(pool.map(look, visitors))
    return visitors


@contextmanager
def page() -> Iterator[tuple[str, int]]:
    """A page that runs: its address, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mer", "app", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as page:
        try:
            _await(page, port)
            yield f"http://127.0.0.1:{port}", page.pid
        finally:
            page.terminate()


def _await(page: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and page.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)  # the start is measured by it, too
    raise MerError("The page did not start. Try `python -m mer app`, which says why.")


def _used(process: int) -> float:
    """Seconds of all cores that a process has used so far; NaN where Linux is not there to ask."""
    status = Path(f"/proc/{process}/stat")
    if not status.exists():
        return float("nan")
    user, system = status.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / float(os.sysconf("SC_CLK_TCK"))
