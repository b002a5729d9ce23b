"""The Webcam tab: a captured picture, and the live view.

The scripts page.js and live.js own the camera. A captured frame travels as a data URL, so unlike an
upload it never lies on a disk. For the live view live.js sends the newest frame when the last one
is answered, by plain routes beside Gradio's: its queue would add two requests to every frame.
"""

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import gradio as gr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mer.emotions import COLORS
from mer.errors import EndedError, FullError, MerError
from mer.inference.predictor import get_predictor
from mer.io import images
from mer.live.session import TRAIL_MS
from mer.live.session_pool import IDLE_S, Visitors
from mer.models.registry import DEFAULT_MODEL
from mer.results import documents, drawing
from mer.ui import header, parts
from mer.ui.errors import UNEXPECTED

WORKERS: Final = 2  # frames in work at once, of all visitors; others wait in the order they came
MAX_BYTES: Final = 500_000  # of a frame
BUSY_MS: Final = 250.0  # from a frame's arrival to its answer: beyond it, the machine is busy
_PATIENCE_S: Final = 10.0  # for a frame to arrive whole
# The kinds of problem; others are "frame", after which the next frame may do.
_KINDS: Final[dict[type[MerError], str]] = {FullError: "full", EndedError: "ended"}
_NOT_STARTED: Final = (
    "There is no camera picture yet. Press Start, allow the camera in the browser, and "
    "capture again; without a camera, use the Upload tab."
)
_EMPTY: Final = "Start gives answers all the time; Capture keeps one picture, to look at closely."
_CUT: Final = "The camera's picture did not arrive whole. Please capture again."
_LARGE: Final = f"A frame has at most {MAX_BYTES // 1000} kB. Send smaller ones."
_KEY: Final = "x-live-key"  # a header, and not in the address, which servers log
_log = logging.getLogger(__name__)


def build(network: gr.Radio, detector: gr.Radio) -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            gr.HTML(documents.render("camera.html"), elem_id="camera", js_on_load=None)
            live = documents.render("live.html", colors=COLORS, trail=round(TRAIL_MS))
            gr.HTML(live, elem_id="live", js_on_load=None)
            capture = gr.Button("Capture (Space)", visible="hidden", elem_id="capture")
            frame = gr.Textbox(visible=False, label="Frame, a picture as a data URL")
        with gr.Column(min_width=320):
            gr.HTML('<div class="people"></div>', elem_id="people-live", js_on_load=None)
            answer = gr.HTML(parts.lines(_EMPTY), elem_id="webcam-answer", js_on_load=None)
    inputs = [frame, network, detector]
    script = "async (_, ...rest) => [await window.mer.{}(), ...rest]"
    capture.click(
        read,
        inputs,
        answer,
        js=script.format("capture"),
        api_name="webcam",
        api_visibility="undocumented",
        show_progress="hidden",
    ).then(js="() => window.mer.reveal('#webcam-answer .shot')")
    # The browser keeps the last frame, to see at once what another network says about it.
    gr.on(
        [network.input, detector.input],
        lambda frame, *chosen: read(frame, *chosen) if frame else gr.skip(),
        inputs,
        answer,
        js=script.format("last"),
        **parts.QUIET,
    )


def read(frame: str, network: str, detector: str) -> str:
    """HTML of a frame, given as a data URL or plain base64: its faces, and what they look like."""
    if not frame:
        return parts.lines(problems=[_NOT_STARTED])
    try:
        content = base64.b64decode(frame.rpartition(",")[2], validate=True)
    except ValueError:
        return parts.lines(problems=[_CUT])
    try:
        image = images.read(content)
        found = get_predictor(network, detector).predict(image)
    except MerError as error:
        return parts.lines(problems=[str(error)])
    problems = [] if found else [parts.no_face("the camera's picture")]
    return parts.faces([drawing.picture("Capture", image, found)], problems=problems)


def routes() -> list[Route]:
    """Where live.js sends its frames: `live/start`, `live/frame` and `live/stop`, all POST."""
    desk = _Desk()
    return [
        Route(f"/live/{handler.__name__}", partial(_in_words, handler), methods=["POST"])
        for handler in (desk.start, desk.frame, desk.stop)
    ]


async def _in_words(handler: Callable[..., Awaitable[Response]], request: Request) -> Response:
    """Have errors answered with a sentence; others than ours are logged, without data."""
    try:
        return await handler(request)
    except MerError as error:  # with status 200: browsers log others as if the page were broken
        return JSONResponse({"problem": str(error), "kind": _KINDS.get(type(error), "frame")})
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:
        _log.exception("a handler failed")
        return JSONResponse({"problem": UNEXPECTED, "kind": "frame"}, 500)


class _Desk:
    """Answers live.js: all but the work on the frames runs in the server's event loop."""

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
        network, detector = asked.get("network", DEFAULT_MODEL), asked.get("detector", "yunet")
        with self._visitors.visit(request.headers.get(_KEY, "")) as live:
            content = await _body(request)
            try:
                time_ms = float(asked.get("time", "nan"))
            except ValueError as error:
                raise MerError("The page sent no number as time. Load it again.") from error
            came = time.perf_counter()

            def work() -> dict[str, Any]:
                waited_ms = 1000 * (time.perf_counter() - came)
                header.check(network, detector)
                live.choose(network, detector)
                marks = {name: asked.get(name) == "1" for name in ("rest", "insist")}
                answer = live.see(images.read(content), time_ms, **marks)
                timings = answer["timings"] | {"waited_ms": round(waited_ms, 1)}
                timings["busy"] = waited_ms + timings["work_ms"] > BUSY_MS
                return answer | {"timings": timings}

            loop = asyncio.get_running_loop()
            return JSONResponse(await loop.run_in_executor(self._workers, work))

    async def stop(self, request: Request) -> Response:
        """Give up a place."""
        self._visitors.leave(request.headers.get(_KEY, ""))
        return Response(status_code=204)

    async def _keep(self) -> None:
        """Forget who is away, also while nobody comes."""
        while self._visitors:
            await asyncio.sleep(IDLE_S)
            self._visitors.forget()


async def _body(request: Request) -> bytes:
    content = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for chunk in request.stream():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise MerError(_LARGE)
    except TimeoutError as error:
        raise MerError("The frame did not arrive whole: the connection is too slow.") from error
    return bytes(content)
