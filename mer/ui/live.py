"""The live view of the Webcam tab: its controls, and the way of its frames to the server.

The script in live.js sends the newest frame when the answer to the last one is in, and draws what
comes back over the camera's picture, which waits for nobody. Frames come by plain routes beside
Gradio's own, on the same port, and so behind a share link and on a Space too; Gradio's queue would
add its two requests and its bookkeeping to every frame.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mer.emotions import COLORS
from mer.errors import EndedError, FullError, MerError
from mer.inference.probabilities import SMOOTHING_MS
from mer.io import images
from mer.live.session import TRAIL_MS, Live
from mer.live.session_pool import IDLE_S, Visitors
from mer.models.registry import DEFAULT_MODEL
from mer.results import html_document
from mer.ui import choices
from mer.ui.errors import UNEXPECTED

WORKERS: Final = 2  # frames in work at once, of all visitors; others wait in the order they came
MAX_BYTES: Final = 500_000  # of a frame
BUSY_MS: Final = 250.0  # from a frame's arrival to its answer: beyond it, the machine is busy
_PATIENCE_S: Final = 10.0  # for a frame to arrive whole
# The kinds of problem; others are "frame", after which the next frame may do.
_KINDS: Final[dict[type[MerError], str]] = {FullError: "full", EndedError: "ended"}
_log = logging.getLogger(__name__)


def controls() -> str:
    """HTML of the buttons, and of what is said of the view as a whole."""
    values = {"colors": COLORS, "trail": round(TRAIL_MS), "smoothing": round(SMOOTHING_MS)}
    return html_document.render("live.html", **values)


def routes() -> list[Route]:
    """Where the script sends its frames: `live/start`, `live/frame` and `live/stop`, all POST."""
    desk = _Desk()
    handlers = {"start": desk.start, "frame": desk.frame, "stop": desk.stop}
    return [
        Route(f"/live/{name}", _in_words(handler), methods=["POST"])
        for name, handler in handlers.items()
    ]


_Handler = Callable[[Request], Awaitable[Response]]


def _in_words(handler: _Handler) -> _Handler:
    """Have errors answered with a sentence; others than ours are logged, without data."""

    @wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except MerError as error:  # with status 200: browsers log others as if the page were broken
            return JSONResponse({"problem": str(error), "kind": _KINDS.get(type(error), "frame")})
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            _log.exception("a handler failed")
            return JSONResponse({"problem": UNEXPECTED, "kind": "frame"}, 500)

    return answered


class _Desk:
    """Answers the script: all but the work on the frames runs in the server's event loop."""

    def __init__(self) -> None:
        self._visitors = Visitors()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="live")
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, request: Request) -> Response:
        """Give a visitor a place, and the key to it."""
        key = self._visitors.enter(request.client.host if request.client else "")
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep())
        return JSONResponse({"key": key})

    async def frame(self, request: Request) -> Response:
        """Say what a frame shows, a JPEG in the body; see `Live.see` for the query and answer."""
        asked = request.query_params
        with self._visitors.visit(_key(request)) as live:
            work = partial(
                _work,
                live,
                await _body(request),
                network=asked.get("network", DEFAULT_MODEL),
                detector=asked.get("detector", "yunet"),
                time_ms=_number(request, "time"),
                smoothing_ms=_number(request, "smoothing", SMOOTHING_MS),
                rest=asked.get("rest") == "1",
                insist=asked.get("insist") == "1",
                came=time.perf_counter(),
            )
            loop = asyncio.get_running_loop()
            return JSONResponse(await loop.run_in_executor(self._workers, work))

    async def stop(self, request: Request) -> Response:
        """Give up a place."""
        self._visitors.leave(_key(request))
        return Response(status_code=204)

    async def _keep(self) -> None:
        """Forget who is away, also while nobody comes."""
        while self._visitors:
            await asyncio.sleep(IDLE_S)
            self._visitors.forget()


def _work(
    live: Live, content: bytes, *, network: str, detector: str, came: float, **settings: Any
) -> dict[str, Any]:
    waited_ms = 1000 * (time.perf_counter() - came)
    choices.check(network, detector)
    live.choose(network, detector)
    answer = live.see(images.read(content), **settings)
    timings = answer["timings"] | {"waited_ms": round(waited_ms, 1)}
    timings["busy"] = waited_ms + timings["work_ms"] > BUSY_MS
    return answer | {"timings": timings}


def _key(request: Request) -> str:
    return request.headers.get("x-live-key", "")  # not in the address, which servers log


def _number(request: Request, name: str, default: float = float("nan")) -> float:
    try:
        return float(request.query_params.get(name, default))
    except ValueError as error:
        raise MerError(f"The page sent no number as {name}. Load it again.") from error


async def _body(request: Request) -> bytes:
    content = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for chunk in request.stream():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise MerError(
                        f"A frame has at most {MAX_BYTES // 1000} kB. Send smaller ones."
                    )
    except TimeoutError as error:
        raise MerError("The frame did not arrive whole: the connection is too slow.") from error
    return bytes(content)
