"""What of Gradio's server is open: the routes that the page needs, and bodies of bounded size.

Gradio brings routes for editing the program, for recording the screen, for links that store a
visitor's answers and for fetching other addresses. Here a route is closed unless it stands in the
lists, so one that a later Gradio adds is closed too.
"""

import asyncio
import errno
import json
import logging
from collections.abc import Iterator
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mer.errors import MerError
from mer.ui import retention
from mer.ui.auth import is_given
from mer.ui.errors import UNEXPECTED

MAX_UPLOAD_MB: Final = 200  # of one request, which may hold several files
MAX_JSON_MB: Final = 24  # of the values of one call, such as a captured frame
HELD_MB: Final = 400  # of such values that are on their way in, of all visitors
PATIENCE_S: Final = 60.0  # for such values to arrive whole
_WRONG_S: Final = 1.0  # wrong passwords are answered one after another, each so much later
_MB: Final = 1_000_000
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_log = logging.getLogger(__name__)

_API: Final = "/gradio_api/"
_READ: Final = frozenset(
    {
        *("/", "/config", "/config/", "/theme.css", "/favicon.ico", "/manifest.json"),
        *("/robots.txt", "/pwa_icon", f"{_API}theme.css", f"{_API}startup-events"),
        *(f"{_API}info", f"{_API}info/", f"{_API}openapi.json", f"{_API}queue/data"),
        *(f"{_API}queue/status", f"{_API}upload_progress", f"{_API}app_id"),
    }
)
_READ_BELOW: Final = (
    *("/assets/", "/static/", "/svelte/", "/pwa_icon/"),
    *(f"{_API}file=/", f"{_API}heartbeat/", f"{_API}call/"),
)
_SENT: Final = frozenset(
    {f"{_API}queue/join", f"{_API}cancel", f"{_API}reset", f"{_API}upload"}
    | {f"/live/{name}" for name in ("start", "frame", "stop")}
)
_SENT_BELOW: Final = (f"{_API}call/", f"{_API}run/")
_MCP: Final = f"{_API}mcp"  # of assistants, where the page was started for them
_OPEN: Final = f"{_API}startup-events"  # Gradio's own first question, which tells nothing

_CLOSED: Final = "There is nothing here. The page itself lies at the address without a path."
_NO_FETCH: Final = (
    "The page fetches nothing from other addresses. Download the file, and send it from here."
)
_FULL: Final = "The page has no room for more files now. Try again in five minutes."
_BUSY: Final = "Too much is being sent to the page at once. Try again in a minute."
_SLOW: Final = f"What was sent did not arrive within {PATIENCE_S:.0f} seconds. Try again."
_ASKED: Final = "This page asks for a name and a password."


class RefusedError(MerError):
    """A request that is not passed on; `status` is HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Guard:
    """Stands before Gradio's server; ASGI."""

    def __init__(
        self, app: ASGIApp, password: tuple[str, str] | None = None, *, mcp: bool = False
    ) -> None:
        self._app = app
        self._password = password
        self._mcp = mcp
        self._wrong = asyncio.Lock()
        self._held = 0  # bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a sentence."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._answered(scope, receive, noted)
        except ClientDisconnect:
            return  # nobody is there to be answered, and the log need not fill with it
        except Exception as error:
            if begun:
                raise
            await _answer(_as_sentence(error), scope["path"])(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RefusedError(403, _CLOSED)
        await self._check_password(scope)
        if not (self._mcp and scope["path"].startswith(_MCP)):
            _check_route(scope["method"], scope["path"])
        await self._pass(scope, receive, send)

    async def _check_password(self, scope: Scope) -> None:
        if self._password is None or scope["path"] == _OPEN:
            return
        given = Headers(scope=scope).get("authorization")
        if given and is_given(given, self._password):
            return
        if given:
            async with self._wrong:
                await asyncio.sleep(_WRONG_S)
        raise RefusedError(401, _ASKED)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or scope["path"].startswith("/live/"):  # live bounds its own
            await self._app(scope, receive, send)
        elif scope["path"] == f"{_API}upload":
            _check_length(scope, MAX_UPLOAD_MB)
            if not await asyncio.to_thread(retention.room):
                raise RefusedError(507, _FULL)
            await self._app(scope, _bounded(receive, MAX_UPLOAD_MB), send)
        else:
            _check_length(scope, MAX_JSON_MB)
            await self._pass_values(scope, receive, send)

    async def _pass_values(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._read(_bounded(receive, MAX_JSON_MB), body)
            if any(map(_is_foreign, _files(_parsed(bytes(body))))):
                raise RefusedError(400, _NO_FETCH)
            await self._app(scope, _replayed(bytes(body), receive), send)
        except TimeoutError:
            raise RefusedError(408, _SLOW) from None
        finally:
            self._held -= len(body)

    async def _read(self, receive: Receive, body: bytearray) -> None:
        more = True
        while more:
            message = await receive()
            piece: bytes = message.get("body", b"")
            body += piece
            self._held += len(piece)
            if self._held > HELD_MB * _MB:
                raise RefusedError(503, _BUSY)
            more = message.get("more_body", False)  # also when the visitor has gone


def _as_sentence(error: Exception) -> RefusedError:
    """What a visitor is told of an error; others than ours are logged."""
    if isinstance(error, RefusedError):
        return error
    _log.error("a request failed", exc_info=error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return RefusedError(507, _FULL)
    return RefusedError(500, UNEXPECTED)


def _check_route(method: str, path: str) -> None:
    if method == "POST":
        known = path in _SENT or path.startswith(_SENT_BELOW)
    else:
        known = method in ("GET", "HEAD") and (path in _READ or path.startswith(_READ_BELOW))
    if not known or ".." in path or "\0" in path:
        raise RefusedError(403, _CLOSED)


def _check_length(scope: Scope, most_mb: int) -> None:
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdecimal() or int(length) > most_mb * _MB:
        raise _too_large(most_mb)


def _too_large(most_mb: int) -> RefusedError:
    return RefusedError(
        413, f"At most {most_mb} MB can be sent at a time. Send fewer or smaller files."
    )


def _bounded(receive: Receive, most_mb: int) -> Receive:
    """`receive`, whatever length the request states; raises RefusedError."""
    left = most_mb * _MB

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(most_mb)
        return message

    return bounded


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body again, then what `receive` has to say."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        raise RefusedError(400, "What was sent is no JSON. Load the page again.") from None


def _files(value: Any) -> Iterator[Any]:
    """What stands as "path" anywhere in a JSON value: Gradio takes each for a file's."""
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            yield part.get("path")
            parts += part.values()
        elif isinstance(part, list):
            parts += part


def _is_foreign(path: Any) -> bool:
    return isinstance(path, str) and bool(path) and not path.startswith("/")


def _answer(refused: RefusedError, path: str) -> Response:
    if refused.status == 401:
        headers = {"WWW-Authenticate": 'Basic realm="mer", charset="UTF-8"'}
        return PlainTextResponse(str(refused), 401, headers)
    if path == f"{_API}upload":  # whose answer Gradio's script shows as it is
        return PlainTextResponse(str(refused), refused.status)
    return JSONResponse({"detail": str(refused)}, refused.status)
