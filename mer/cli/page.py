"""`app`: the page."""

from __future__ import annotations

import argparse
from typing import Any

from mer.cli.common import command


def add(commands: Any) -> None:
    """Put `app` among the commands."""
    add = command(commands, "app", app, "Serve the page").add_argument
    add("--host", help="address to listen on (default $GRADIO_SERVER_NAME or 127.0.0.1)")
    add("--port", type=int, help="port to listen on (default $GRADIO_SERVER_PORT or 7860)")
    add("--share", action="store_true", help="also open a public Gradio link, for 72 hours")
    add("--mcp", action="store_true", help="also serve tools for assistants (pip install mer[mcp])")


def app(options: argparse.Namespace) -> None:
    """Serve the page until it is interrupted."""
    from mer.ui import launch

    launch(host=options.host, port=options.port, share=options.share, mcp=options.mcp)
