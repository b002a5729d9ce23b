"""What of Gradio's server is open: the routes that the page needs, and bodies of bounded size.

Gradio brings routes for editing the program, for recording the screen, for links that store a
visitor's answers and for fetching other addresses. Here a route is closed unless it stands in the
lists, so one that a later Gradio adds is closed too. The guard stands before all that Gradio puts
before its routes, too: that would answer some requests of other sites without the password.
"""

import asyncio
import errno
import ipaddress
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mer.ui.errors import FULL, UNEXPECTED, RefusedError
from mer.ui.origin import Origins, is_password
from mer.ui.queue import SIZE
from mer.ui.sessions import Sessions
from mer.ui.uploads import MAX_BYTES
from mer.ui.uploads import PATH as UPLOAD

MAX_UPLOAD_MB: Final = MAX_BYTES // 1_000_000  # of one request, which may hold several files
MAX_JSON_MB: Final = 24  # of the values of one call, such as a captured frame
HELD_MB: Final = 400  # of such values that are on their way in, of all visitors
HELD_OF_ADDRESS_MB: Final = 100  # and of one address
MAX_VALUES: Final = 5_000  # in the values of one call; the page's own calls have some dozen
MAX_DEPTH: Final = 32  # of values in values
MAX_NAME: Final = 64  # characters of a session's or a call's name
AT_ONCE: Final = 4_000  # requests that are being answered; a visitor's page keeps one or two open
AT_ONCE_OF_ADDRESS: Final = 400
PATIENCE_S: Final = 60.0  # for what is sent to arrive, and longer only where it goes on to come:
LEAST_RATE: Final = 10_000  # bytes a second
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
_INFO: Final = (f"{_API}info", f"{_API}info/")
_HEARTBEAT: Final = f"{_API}heartbeat/"
_READ_BELOW: Final = (
    *("/assets/", "/static/", "/svelte/", "/pwa_icon/"),
    *(f"{_API}file=/", _HEARTBEAT, f"{_API}call/"),
)
_SENT: Final = frozenset(
    {f"{_API}queue/join", f"{_API}cancel", f"{_API}reset", f"{_API}upload"}
    | {f"/live/{name}" for name in ("start", "frame", "stop")}
)
_SENT_BELOW: Final = (f"{_API}call/", f"{_API}run/")
_LONGEST: Final = 256  # characters of a query, and of a path that names a session or a call
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Live-Key",
    "Access-Control-Max-Age": "600",
}
_MCP: Final = f"{_API}mcp"  # of assistants, where the page was started for them
_OPEN: Final = f"{_API}startup-events"  # Gradio's own first question, which tells nothing

_CLOSED: Final = "There is nothing here. The page itself lies at the address without a path."
_NO_FETCH: Final = (
    "The page fetches nothing from other addresses. Download the file, and send it from here."
)
_BUSY: Final = "Too much is being sent to the page at once. Try again in a minute."
_CROWDED: Final = "Too many requests are open, of all or from your address. Try again in a minute."
_SLOW: Final = f"What was sent did not arrive within {PATIENCE_S:.0f} seconds. Try again."
_FOREIGN: Final = (
    "This page answers no other site. Whoever runs it can allow that site in MER_ORIGINS, and "
    "name the proxy before the page, if there is one, in MER_PROXY."
)
_MISNAMED: Final = (
    "This page is for this machine alone: open it as http://localhost or http://127.0.0.1. Whoever "
    "shows it through a proxy names that in MER_PROXY."
)
_MANY: Final = (
    f"What was sent holds more than {MAX_VALUES} values, or goes {MAX_DEPTH} deep. Send less."
)
_LONG: Final = f"The name of a session or a call has at most {MAX_NAME} characters."
_ASKED: Final = "This page asks for a name and a password."


class Guard:
    """Stands before Gradio's server; ASGI."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        origins: Origins,
        password: tuple[str, str] | None = None,
        *,
        root: str = "",
        mcp: bool = False,
    ) -> None:
        """Stand before `app`, which a proxy shows at the path `root`, such as /faces.

        Everybody has to give the name and the password; with `mcp` assistants may ask.
        """
        self._app = app
        self._sessions = sessions
        self._origins = origins
        self._password = password
        self._root = root
        self._mcp = mcp
        self._wrong = asyncio.Lock()
        self._held: Counter[str] = Counter()  # bytes, by address
        self._open: Counter[str] = Counter()  # requests, by address
        self._client = ProxyHeadersMiddleware(self._answered, origins.proxies)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a sentence."""
        scope = {**scope, "path": self._below_root(scope["path"])}
        self._origins.believe(scope)
        begun = False
        failed: list[Message] = []  # Gradio's words for an error, until it is known whether ours

        async def noted(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                self._origins.mark(message, scope)
            if failed or (not begun and message.get("status") == 500):
                failed.append(message)
                return
            begun = True
            await send(message)

        try:
            if self._origins.is_misnamed(scope):
                raise RefusedError(403, _MISNAMED)
            await self._client(scope, receive, noted)  # type: ignore[arg-type]
            for message in failed:
                await send(message)
        except ClientDisconnect:
            return  # nobody is there to be answered, and the log need not fill with it
        except Exception as error:
            if begun and isinstance(error.__cause__, HTTPException):
                await send({"type": "http.response.body"})
                return  # Gradio's for a call that it does not know, which need not fill the log
            if begun:
                raise
            failed.clear()
            begun = True
            await _answer(_as_sentence(error), scope)(scope, receive, noted)

    def _below_root(self, path: str) -> str:
        inner = path.removeprefix(self._root)
        return inner if inner.startswith("/") else path

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RefusedError(403, _CLOSED)
        address = _group(*(scope.get("client") or ("", 0))[:1])
        scope["client"] = (address, 0)
        if self._open[address] >= AT_ONCE_OF_ADDRESS or self._open.total() >= AT_ONCE:
            raise RefusedError(503, _CROWDED)
        self._open[address] += 1
        try:
            await self._checked(scope, receive, send)
        finally:
            self._open[address] -= 1
            self._open += Counter()  # without zeros

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._check_password(scope)
        if self._origins.is_foreign(scope):
            raise RefusedError(403, _FOREIGN)
        if scope["method"] == "OPTIONS" and Headers(scope=scope).get("origin"):
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return
        if not (self._mcp and scope["path"].startswith(_MCP)):
            _check_route(scope)
        await self._pass(scope, _in_time(receive), send)

    async def _check_password(self, scope: Scope) -> None:
        if self._password is None or scope["path"] == _OPEN:
            return
        given = Headers(scope=scope).get("authorization")
        if given and is_password(given, self._password):
            return
        if given:
            async with self._wrong:
                await asyncio.sleep(_WRONG_S)
        raise RefusedError(401, _ASKED)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith(_HEARTBEAT):
            await self._pass_heartbeat(path.removeprefix(_HEARTBEAT), scope, receive, send)
        elif path in _INFO:  # without a page, the first asker's address would be told to all
            await self._app({**scope, "query_string": b"page="}, receive, send)
        elif scope["method"] != "POST" or path.startswith("/live/"):  # live bounds its own
            await self._app(scope, receive, send)
        elif path == UPLOAD:
            _check_length(scope, MAX_UPLOAD_MB)
            await self._app(scope, _bounded(receive, MAX_UPLOAD_MB), send)
        else:
            _check_length(scope, MAX_JSON_MB)
            await self._pass_values(scope, receive, send)

    async def _pass_heartbeat(
        self, session: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._sessions.here[session] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._sessions.here[session] -= 1
            self._sessions.here += Counter()

    async def _pass_values(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0]
        body = bytearray()
        try:
            await self._read(_bounded(receive, MAX_JSON_MB), body, address)
            await asyncio.to_thread(_check_values, body)
            known = {**scope, SIZE: len(body)}
            await self._app(known, _replayed(bytes(body), receive), send)
        finally:
            self._held[address] -= len(body)
            self._held += Counter()

    async def _read(self, receive: Receive, body: bytearray, address: str) -> None:
        more = True
        while more:
            message = await receive()
            piece: bytes = message.get("body", b"")
            body += piece
            self._held[address] += len(piece)
            if self._held[address] > HELD_OF_ADDRESS_MB * _MB or self._held.total() > HELD_MB * _MB:
                raise RefusedError(503, _BUSY)
            more = message.get("more_body", False)  # also when the visitor has gone


def _as_sentence(error: Exception) -> RefusedError:
    """What a visitor is told of an error; others than ours are logged."""
    if isinstance(error, RefusedError):
        return error
    _log.error("a request failed", exc_info=error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return RefusedError(507, FULL)
    return RefusedError(500, UNEXPECTED)


def _group(address: str) -> str:
    """What counts as one address: of IPv6 a network, for one computer has all of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _check_route(scope: Scope) -> None:
    method, path = scope["method"], scope["path"]
    if method == "POST":
        known = path in _SENT or path.startswith(_SENT_BELOW)
    else:
        known = method in ("GET", "HEAD") and (path in _READ or path.startswith(_READ_BELOW))
    if not known or ".." in path or "\0" in path:
        raise RefusedError(403, _CLOSED)
    named = path.startswith((_HEARTBEAT, f"{_API}call/"))
    if len(scope["query_string"]) > _LONGEST or (named and len(path) > _LONGEST):
        raise RefusedError(400, _LONG)


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


def _in_time(receive: Receive) -> Receive:
    """`receive`, whose parts of a body have to come in time; raises RefusedError."""
    began, came, whole = time.monotonic(), 0, False

    async def in_time() -> Message:
        nonlocal came, whole
        left = began + PATIENCE_S + came / LEAST_RATE - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), None if whole else max(left, 0.0))
        except TimeoutError:
            raise RefusedError(408, _SLOW) from None
        came += len(message.get("body", b""))
        whole = not message.get("more_body", False)  # what comes then is that they hang up
        return message

    return in_time


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body again, then what `receive` has to say."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def _check_values(body: bytearray) -> None:
    """Refuse what would take long to read, or names a file of another address."""
    # Counted before it is read, for that stops all threads. Strings may hold such signs, too, but
    # the page sends none with many of them.
    if sum(body.count(sign) for sign in (b",", b"[", b"{")) > MAX_VALUES:
        raise RefusedError(413, _MANY)
    try:
        value = json.loads(body or b"null")
    except (ValueError, RecursionError):
        raise RefusedError(400, "What was sent is no JSON. Load the page again.") from None
    if isinstance(value, dict):
        names = (value.get("session_hash"), value.get("event_id"))
        if any(isinstance(name, str) and len(name) > MAX_NAME for name in names):
            raise RefusedError(400, _LONG)
    if any(map(_is_foreign, _files(value))):
        raise RefusedError(400, _NO_FETCH)


def _files(value: Any) -> Iterator[Any]:
    """What stands as "path" anywhere in a JSON value: Gradio takes each for a file's."""
    parts = [(value, 0)]
    while parts:
        part, depth = parts.pop()
        if depth > MAX_DEPTH:
            raise RefusedError(413, _MANY)
        if isinstance(part, dict):
            yield part.get("path")
            parts += [(inner, depth + 1) for inner in part.values()]
        elif isinstance(part, list):
            parts += [(inner, depth + 1) for inner in part]


def _is_foreign(path: Any) -> bool:
    return isinstance(path, str) and bool(path) and not path.startswith("/")


def _answer(refused: RefusedError, scope: Scope) -> Response:
    # What is still on its way is not waited for.
    headers = {"Connection": "close"} if scope.get("method") == "POST" else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="mer", charset="UTF-8"'
        return PlainTextResponse(str(refused), 401, headers)
    if scope["path"] == UPLOAD:  # whose answer Gradio's script shows as it is
        return PlainTextResponse(str(refused), refused.status, headers)
    return JSONResponse({"detail": str(refused)}, refused.status, headers)
