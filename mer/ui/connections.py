"""Connections that come to nothing end within a minute; the server itself waits for ever."""

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import gradio as gr

EVERY_S: Final = 5.0  # seconds between two looks
IDLE_S: Final = 30.0  # seconds in which a request's head has to arrive whole
OF_ADDRESS: Final = 500  # connections of one address that wait for a request
_VANISHED_MS: Final = 30_000  # without a word from the other side about what was sent


async def watch(page: gr.Blocks) -> None:
    """Watch the connections of a page for as long as it is served."""
    waiting: dict[Any, tuple[Any, float]] = {}  # a connection's last request, and since when
    while True:
        await asyncio.sleep(EVERY_S)
        server = getattr(page, "server", None)  # which Gradio names when it has started
        waiting = _ended(list(server.server_state.connections) if server else [], waiting)


def _ended(
    connections: Iterable[Any], waiting: dict[Any, tuple[Any, float]]
) -> dict[Any, tuple[Any, float]]:
    """Those that wait for a request; whichever has waited too long, or is one too many, is cut."""
    now, still, ours = time.monotonic(), {}, Counter[str]()
    for one in connections:
        _notice_vanished(one)
        if one.cycle is None or one.cycle.response_complete:
            last, since = waiting.get(one, (None, now))
            still[one] = (one.cycle, since if last is one.cycle else now)
            address = one.client[0] if one.client else ""
            ours[address] += 1
            if now - still[one][1] > IDLE_S or ours[address] > OF_ADDRESS:
                one.transport.abort()
    return still


def _notice_vanished(connection: Any) -> None:
    """Have the system end it when the other side no longer answers, also in the middle."""
    end = connection.transport.get_extra_info("socket")
    if end is not None and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        with contextlib.suppress(OSError):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _VANISHED_MS)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _VANISHED_MS // 2000)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
