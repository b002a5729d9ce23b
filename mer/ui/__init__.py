"""The page: a notice and six tabs, each a thin skin over public functions of the package."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import gradio as gr

from mer.errors import MerError
from mer.io import decoding, memory
from mer.io.files import open_files
from mer.ui import (
    api,
    guard,
    header,
    origin,
    records,
    upload,
    video,
    visitor_files,
    visitors,
    webcam,
)
from mer.ui.errors import Page

# Heaps of the C library that threads share. Under `make load` the page's own process takes 1,000 MB
# with two, 1,350 with as many as glibc would have.
_HEAPS: Final = 2
_LOOKED_AT: Final = 50  # ports above one that is taken, for a free one
_OPEN: Final = (
    "mer: This page will be open to whoever has its link. Set MER_USER and MER_PASSWORD to ask for "
    "a name and a password."
)
# With the last of these Gradio asks itself for the page, and gives up on a machine busy for 3 s.
_OFF: Final = (
    *("show_error", "run_history", "enable_monitoring", "ssr_mode", "mcp_server", "_frontend"),
)


def build() -> gr.Blocks:
    """The whole page, ready to be launched with `settings()`."""
    visitor_files.take_folder()  # before the components ask where to put their files
    visitor_files.give_each_their_own()
    page = Page(title="Facial expressions", analytics_enabled=False)
    with page:
        chosen = header.build(page)  # network and detector
        tabs: dict[str, Callable[[], None]] = {
            "Webcam": partial(webcam.build, *chosen),
            "Upload": partial(upload.build, *chosen),
            "Video": partial(video.build, *chosen),
            "Comparison": records.build_comparison,
            "Report": records.build_report,
            "About": records.build_about,
        }
        with gr.Tabs():
            for name, lay_out in tabs.items():
                with gr.Tab(name, id=name.lower()):
                    gr.HTML(f"<h2>{name}</h2>", elem_classes="heading")
                    lay_out()
        api.build()
        page.unload(video.cancel)
        page.unload(visitor_files.forget)
    visitors.queue(page)
    return page


def settings(*, share: bool = False) -> dict[str, Any]:
    """What `launch()` has to be told besides the address; for `share` and errors see `launch`."""
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # the guard believes proxies or not, not the server
    root = urlsplit(os.environ.get("GRADIO_ROOT_PATH", "")).path.rstrip("/")
    told = (origin.Origins.configured(share=share), origin.password(), root)
    routes = [*webcam.routes(), visitor_files.ROUTE]
    return {
        **header.look(),
        **dict.fromkeys(_OFF, False),
        "app_kwargs": {"routes": routes, "lifespan": partial(_serving, told=told)},
        "max_file_size": visitor_files.UPLOAD_BYTES,
        "footer_links": ["api"],
        "i18n": gr.I18n(en={"common.upload": "Upload", "common.complete": "Done"}),
    }


@contextlib.asynccontextmanager
async def _serving(app: Any, told: tuple[Any, ...]) -> AsyncIterator[None]:
    """The server's lifespan, in which the guard stands before all of it."""
    page = app.get_blocks()
    app.state_holder = visitors.Sessions(page)
    app.middleware_stack = guard.Guard(app, *told)
    endless = (visitor_files.keep_sweeping(page), guard.watch_connections(page))
    tasks = [asyncio.create_task(one) for one in endless]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        visitor_files.sweep(page, 0.0)


def launch(
    page: gr.Blocks | None = None,
    *,
    host: str | None = None,
    port: int | str | None = None,
    share: bool = False,
) -> None:
    """Serve the page until it is interrupted, or told to end.

    Where nothing is given, $GRADIO_SERVER_NAME and $GRADIO_SERVER_PORT count, or 127.0.0.1:7860.
    `share` adds a public link. $GRADIO_ROOT_PATH: path, or whole address, that a proxy shows.

    Raises:
        MerError: `port` is no port number, another program listens there, $MER_USER is set
            without $MER_PASSWORD, or $MER_ORIGINS is wrong.
    """
    host = host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    port = os.environ.get("GRADIO_SERVER_PORT", 7860) if port is None else port
    number = int(port) if str(port).strip().isdecimal() else 0
    if not 0 < number < 65536:
        raise MerError(f"PORT has to be a number from 1 to 65535, such as 7860; it is {port!r}.")
    _check_free(host, number)
    # Each thread would have a heap of its own, and a heap stays as large as it once was.
    memory.mallopt(memory.M_ARENA_MAX, _HEAPS)
    decoding.POOL.prepare()
    if share and origin.password() is None:
        print(_OPEN, file=sys.stderr)
    open_files(65_536)  # at a time, connections among them
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the files of visitors go
    told = settings(share=share)
    # Gradio asks the page whether it is there before it goes on: no proxy knows.
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = f"{known},localhost,127.0.0.1,::1,{host}".lstrip(",")
    (page or build()).launch(server_name=host, server_port=number, share=share, **told)


def _check_free(host: str, port: int) -> None:
    if not (problem := _problem(host, port)):
        return
    others = range(port + 1, min(port + _LOOKED_AT, 65535) + 1)
    free = next((other for other in others if not _problem(host, other)), None)
    advice = f"port {free}, which is free: PORT={free} or --port {free}" if free else "another one"
    raise MerError(
        f"The page cannot be served at {host}:{port} ({problem}). "
        f"Stop the program that listens there, or choose {advice}."
    )


def _problem(host: str, port: int) -> str:
    """Why nothing can listen there, or ""."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.strerror or "the address is wrong"
    return ""
