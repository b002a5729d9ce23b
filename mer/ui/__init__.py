"""The page: a notice and six tabs, each a thin skin over public functions of the package."""

import os
import socket
from typing import Any, Final

import gradio as gr

from mer.errors import MerError
from mer.ui import about, comparison, live, notice, report, upload, video, webcam
from mer.ui.theme import look

KEPT: Final = 300  # seconds between clean-ups of the temporary folder, and the age that goes
TABS: Final = {
    "Webcam": webcam.build,
    "Upload": upload.build,
    "Video": video.build,
    "Comparison": comparison.build,
    "Report": report.build,
    "About": about.build,
}


def build() -> gr.Blocks:
    """The whole page, ready to be launched with `settings()`."""
    page = gr.Blocks(title="Facial expressions", analytics_enabled=False, delete_cache=(KEPT, KEPT))
    with page:
        notice.build()
        with gr.Tabs():
            for name, lay_out in TABS.items():
                with gr.Tab(name, id=name.lower()):
                    lay_out()
        page.unload(video.cancel)
    # Two workers fill two cores; the queue says "busy" before the memory runs out.
    page.queue(default_concurrency_limit=2, max_size=64)
    return page


def settings() -> dict[str, Any]:
    """What `launch()` has to be told besides the address.

    That is the look, the live view's routes, and to keep no record of visitors.
    """
    return {
        **look(),
        "app_kwargs": {"routes": live.routes()},
        "max_file_size": f"{video.MAX_FILE_MB}mb",
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "footer_links": ["api"],
    }


def launch(
    page: gr.Blocks | None = None,
    *,
    host: str = "127.0.0.1",
    port: int | str = 7860,
    share: bool = False,
) -> None:
    """Serve the page until it is interrupted.

    Raises:
        MerError: `port` is no port number, or another program listens there.
    """
    number = _port(port)
    _check_free(host, number)
    (page or build()).launch(server_name=host, server_port=number, share=share, **settings())


def _port(port: int | str) -> int:
    try:
        number = int(port)
    except ValueError:
        number = -1
    if not 0 < number < 65536:
        raise MerError(f"PORT has to be a number from 1 to 65535, such as 7860; it is {port!r}.")
    return number


def _check_free(host: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise MerError(
            f"The page cannot be served at {host}:{port} ({os.strerror(error.errno or 0)}). "
            "Stop the program that listens there, or choose another port, such as PORT=7861."
        ) from error
