"""A small reverse proxy with a path before the page's own, TLS, and X-Forwarded-* headers."""

import asyncio
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.responses import Response


class Proxy:
    """Passes requests below `prefix` on; ASGI."""

    def __init__(self, page: str, prefix: str) -> None:
        self._page = httpx.AsyncClient(base_url=page, timeout=None)
        self._prefix = prefix

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].startswith(f"{self._prefix}/"):  # such as the browser's /favicon.ico
            await Response(status_code=204)(scope, receive, send)
            return
        sent = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            more = True
            while more:
                message = await receive()
                more = message.get("more_body", False)
                yield message.get("body", b"")
            sent.set()

        given = dict(scope["headers"])
        headers = {k: v for k, v in given.items() if k not in (b"host", b"connection")} | {
            b"x-forwarded-for": scope["client"][0].encode(),
            b"x-forwarded-host": given[b"host"],
            b"x-forwarded-proto": b"https",
        }
        url = httpx.URL(
            path=scope["raw_path"].decode().removeprefix(self._prefix), query=scope["query_string"]
        )
        content = body() if scope["method"] == "POST" else None
        request = self._page.build_request(scope["method"], url, headers=headers, content=content)
        passing = asyncio.create_task(self._pass(request, send))
        if content is None:
            await receive()
        else:
            waiting = asyncio.create_task(sent.wait())
            await asyncio.wait({passing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        hung_up = asyncio.create_task(receive())
        await asyncio.wait({passing, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        for task in (passing, hung_up):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _pass(self, request: httpx.Request, send: Any) -> None:
        answer = await self._page.send(request, stream=True)
        try:
            start = {"type": "http.response.start", "status": answer.status_code}
            await send({**start, "headers": answer.headers.raw})
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            await answer.aclose()


@contextmanager
def proxy(page: str, prefix: str, folder: Path) -> Iterator[str]:
    """Run one before the page at this address; yields its own."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
    subprocess.run(command + files, check=True, capture_output=True)
    config = uvicorn.Config(
        Proxy(page, prefix),
        port=0,
        log_level="error",
        ssl_keyfile=str(key),
        ssl_certfile=str(certificate),
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield f"https://localhost:{server.servers[0].sockets[0].getsockname()[1]}{prefix}/"
    server.should_exit = server.force_exit = True
    thread.join(30)
