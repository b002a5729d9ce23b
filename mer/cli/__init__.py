"""The command line. Each command reads its arguments and calls one public function.

Imports of torch and the rest stay inside the commands, so that `--help` answers at once.
"""

import argparse
import io
import sys
from collections.abc import Sequence

from mer.cli import faces, networks
from mer.cli.common import command, nobody_listens, say
from mer.errors import MerError
from mer.version import __version__

__all__ = ["main", "parser"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0; 1 where some of several inputs could not be read; 2 where nothing could be done. Each
    failure is a sentence on stderr.
    """
    options = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name need not be text that it can show
            stream.reconfigure(errors="backslashreplace")
    try:
        status: int = options.command(options) or 0
        sys.stdout.flush()
    except MerError as error:
        return say(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        nobody_listens()
        return 0
    except OSError as error:
        return say(f"{error.filename}: {error.strerror}." if error.filename else f"{error}.")
    return status


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    root = argparse.ArgumentParser(
        prog="python -m mer",
        description="Reads which of seven facial expressions a face looks like.",
    )
    root.add_argument("--version", action="version", version=f"mer {__version__}")
    commands = root.add_subparsers(title="commands", required=True, metavar="COMMAND")
    option = command(commands, "app", app).add_argument
    option("--host", help="address to listen on (default $GRADIO_SERVER_NAME or 127.0.0.1)")
    option("--port", type=int, help="port to listen on (default $GRADIO_SERVER_PORT or 7860)")
    option("--share", action="store_true", help="also open a public Gradio link, for 72 hours")
    networks.add_publish(commands)
    faces.add_predict(commands)
    faces.add_video(commands)
    faces.add_batch(commands)
    networks.add(commands)
    return root


def app(options: argparse.Namespace) -> None:
    """Serve the page."""
    try:
        from mer.ui import launch
    except ImportError as error:  # httpx, which Gradio imports
        if "SOCKS" not in str(error):
            raise
        raise MerError(
            "ALL_PROXY names a SOCKS proxy, for which a package is missing: pip install "
            "'httpx[socks]'; or set NO_PROXY='*', and the page starts without the proxy."
        ) from error
    launch(host=options.host, port=options.port, share=options.share)
