"""What of Gradio's server is open: the routes that the page needs, and bodies of bounded size.

Gradio brings routes for editing the program, for recording the screen and for fetching other
addresses. Here a route is closed unless it stands in the lists, so one that a later Gradio adds is
closed too. The guard stands before Gradio's middleware, which would answer without the password.
"""

import asyncio
import contextlib
import errno
import ipaddress
import json
import logging
import math
import socket
import time
from collections import Counter
from typing import Any, Final

import gradio as gr
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mer.ui.errors import FULL, UNEXPECTED, RefusedError
from mer.ui.origin import Origins, is_password
from mer.ui.visitor_files import UPLOAD, UPLOAD_BYTES
from mer.ui.visitors import SIZE

MAX_UPLOAD_MB: Final = UPLOAD_BYTES // 1_000_000  # of one request, which may hold several files
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
WATCH_S: Final = 5.0  # seconds between two looks at connections
IDLE_S: Final = 30.0  # seconds in which a request's head has to arrive whole
WAITING_OF_ADDRESS: Final = 500  # connections of one address that wait for a request
_VANISHED_MS: Final = 30_000  # without a word from the other side about what was sent
_WRONG_S: Final = 1.0  # wrong passwords are answered one after another, each so much later
_MB: Final = 1_000_000
_log = logging.getLogger(__name__)

_API: Final = "/gradio_api/"
_HEARTBEAT: Final = f"{_API}heartbeat/"
_INFO: Final = (f"{_API}info", f"{_API}info/")
_OPEN: Final = f"{_API}startup-events"  # Gradio's own first question, which tells nothing
_READ: Final = (
    *("/", "/config", "/config/", "/theme.css", "/favicon.ico", "/manifest.json"),
    *("/robots.txt", "/pwa_icon", f"{_API}theme.css", _OPEN, *_INFO, f"{_API}openapi.json"),
    *(f"{_API}queue/data", f"{_API}queue/status", f"{_API}upload_progress", f"{_API}app_id"),
)
_READ_BELOW: Final = (
    *("/assets/", "/static/", "/svelte/", "/pwa_icon/"),
    *(f"{_API}file=/", _HEARTBEAT, f"{_API}call/"),
)
_SENT: Final = (
    *(f"{_API}queue/join", f"{_API}cancel", f"{_API}reset", UPLOAD),
    *("/live/start", "/live/frame", "/live/stop"),
)
_SENT_BELOW: Final = (f"{_API}call/", f"{_API}run/")
_LONGEST: Final = 256  # characters of a query, and of a path that names a session or a call
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Live-Key",
    "Access-Control-Max-Age": "600",
}

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
_LARGE: Final = "At most {} MB can be sent at a time. Send fewer or smaller files."
_MANY: Final = (
    f"What was sent holds more than {MAX_VALUES} values, or goes {MAX_DEPTH} deep. Send less."
)
_LONG: Final = f"The name of a session or a call has at most {MAX_NAME} characters."


class Guard:
    """Stands before Gradio's server; ASGI."""

    def __init__(
        self, app: Any, origins: Origins, password: tuple[str, str] | None, root: str
    ) -> None:
        """Stand before all of `app`, which a proxy shows at the path `root`, such as /faces."""
        self._app, self._here = app.middleware_stack, app.state_holder.here
        self._origins, self._password, self._root = origins, password, root
        self._wrong = asyncio.Lock()
        self._held: Counter[str] = Counter()  # bytes, by address
        self._open: Counter[str] = Counter()  # requests, by address
        self._client = ProxyHeadersMiddleware(self._counted, origins.proxies)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a sentence."""
        inner = scope["path"].removeprefix(self._root)
        scope = {**scope, "path": inner if inner.startswith("/") else scope["path"]}
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
            if begun and not isinstance(error.__cause__, HTTPException):
                raise
            if begun:  # Gradio's for a call that it does not know, which need not fill the log
                await send({"type": "http.response.body"})
                return
            failed.clear()
            begun = True
            await _answer(error, scope)(scope, receive, noted)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the requests that are open, of all and of the one who asks."""
        if scope["type"] != "http":
            raise RefusedError(403, _CLOSED)
        address = _group((scope.get("client") or ("",))[0])
        scope["client"] = (address, 0)
        if self._open[address] >= AT_ONCE_OF_ADDRESS or self._open.total() >= AT_ONCE:
            raise RefusedError(503, _CROWDED)
        self._open[address] += 1
        try:
            await self._checked(scope, receive, send)
        finally:
            self._open -= Counter({address: 1})  # and what falls to zero goes

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check who asks, from where, and for what."""
        if self._password is not None and scope["path"] != _OPEN:
            given = Headers(scope=scope).get("authorization")
            if not given or not is_password(given, self._password):
                if given:
                    async with self._wrong:
                        await asyncio.sleep(_WRONG_S)
                raise RefusedError(401, "This page asks for a name and a password.")
        if self._origins.is_foreign(scope):
            raise RefusedError(403, _FOREIGN)
        if scope["method"] == "OPTIONS" and Headers(scope=scope).get("origin"):
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return
        _check_route(scope)
        path, go_on, most_mb = scope["path"], self._pass, math.inf
        if scope["method"] == "POST" and not path.startswith("/live/"):  # which bounds its own
            go_on, most_mb = self._pass_values, MAX_JSON_MB
            if path == UPLOAD:
                go_on, most_mb = self._pass, MAX_UPLOAD_MB
            length = Headers(scope=scope).get("content-length", "0")
            if not length.isdecimal() or int(length) > most_mb * _MB:
                raise RefusedError(413, _LARGE.format(most_mb))
        await go_on(scope, _bounded(receive, most_mb), send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request; while a heartbeat is answered, the page of its session is open."""
        path = scope["path"]
        if path in _INFO:  # without a page, the first asker's address would be told to all
            scope["query_string"] = b"page="
        here = [path.removeprefix(_HEARTBEAT)] if path.startswith(_HEARTBEAT) else []
        self._here.update(here)
        try:
            await self._app(scope, receive, send)
        finally:
            self._here -= Counter(here)  # and what falls to zero goes

    async def _pass_values(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a call when its values are here whole, and known to be harmless."""
        address = scope["client"][0]
        body = bytearray()
        try:
            async for piece in Request(scope, receive).stream():
                body += piece
                self._held[address] += len(piece)
                held, of_all = self._held[address], self._held.total()
                if held > HELD_OF_ADDRESS_MB * _MB or of_all > HELD_MB * _MB:
                    raise RefusedError(503, _BUSY)
            await asyncio.to_thread(_check_values, body)
            whole = [{"type": "http.request", "body": bytes(body)}]

            async def again() -> Message:
                return whole.pop() if whole else await receive()

            await self._app({**scope, SIZE: len(body)}, again, send)
        finally:
            self._held -= Counter({address: len(body)})


def _answer(error: Exception, scope: Scope) -> Response:
    """What a visitor is told of an error; others than ours are logged."""
    refused = error if isinstance(error, RefusedError) else RefusedError(500, UNEXPECTED)
    if refused is not error:
        _log.error("a request failed", exc_info=error)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            refused = RefusedError(507, FULL)
    # What is still on its way is not waited for.
    headers = {"Connection": "close"} if scope.get("method") == "POST" else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="mer", charset="UTF-8"'
    if refused.status == 401 or scope["path"] == UPLOAD:  # Gradio's script shows it as it is
        return PlainTextResponse(str(refused), refused.status, headers)
    return JSONResponse({"detail": str(refused)}, refused.status, headers)


def _group(address: str) -> str:
    """What counts as one address: of IPv6 a network, for one computer has all of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    found = getattr(found, "ipv4_mapped", None) or found
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), False))


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


def _bounded(receive: Receive, most_mb: float) -> Receive:
    """`receive`, whatever length a request states; raises RefusedError for too large or slow."""
    began, came, whole = time.monotonic(), 0, False

    async def bounded() -> Message:
        nonlocal came, whole
        left = began + PATIENCE_S + came / LEAST_RATE - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), None if whole else max(left, 0.0))
        except TimeoutError:
            raise RefusedError(408, _SLOW) from None
        came += len(message.get("body", b""))
        if came > most_mb * _MB:
            raise RefusedError(413, _LARGE.format(most_mb))
        whole = not message.get("more_body", False)  # what comes then is that they hang up
        return message

    return bounded


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
    parts = [(value, 0)]
    while parts:
        part, depth = parts.pop()
        if depth > MAX_DEPTH:
            raise RefusedError(413, _MANY)
        if isinstance(part, dict):
            path = part.get("path")  # Gradio takes each for a file's
            if isinstance(path, str) and path and not path.startswith("/"):
                raise RefusedError(400, _NO_FETCH)
            part = list(part.values())
        if isinstance(part, list):
            parts += [(inner, depth + 1) for inner in part]


async def watch_connections(page: gr.Blocks) -> None:
    """End connections that come to nothing within a minute; the server would wait for ever."""
    waiting: dict[Any, tuple[Any, float]] = {}  # a connection's last request, and since when
    while True:
        await asyncio.sleep(WATCH_S)
        server = getattr(page, "server", None)  # which Gradio names when it has started
        now, still, ours = time.monotonic(), dict[Any, tuple[Any, float]](), Counter[str]()
        for one in list(server.server_state.connections) if server else ():
            _notice_vanished(one.transport.get_extra_info("socket"))
            if one.cycle is None or one.cycle.response_complete:
                last, since = waiting.get(one, (None, now))
                still[one] = (one.cycle, since if last is one.cycle else now)
                address = one.client[0] if one.client else ""
                ours[address] += 1
                if now - still[one][1] > IDLE_S or ours[address] > WAITING_OF_ADDRESS:
                    one.transport.abort()
        waiting = still


def _notice_vanished(end: socket.socket | None) -> None:
    """Have the system end it when the other side no longer answers, also in the middle."""
    if end is not None and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        with contextlib.suppress(OSError):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _VANISHED_MS)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _VANISHED_MS // 2000)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
