"""`app` and `publish`: the page here, and the page or a network on the Hugging Face Hub."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from mer.cli.common import command
from mer.errors import MerError
from mer.models.registry import DEFAULT_MODEL, NETWORKS


def add(commands: Any) -> None:
    """Put `app` and `publish` among the commands."""
    add = command(commands, "app", app, "Serve the page").add_argument
    add("--host", help="address to listen on (default $GRADIO_SERVER_NAME or 127.0.0.1)")
    add("--port", type=int, help="port to listen on (default $GRADIO_SERVER_PORT or 7860)")
    add("--share", action="store_true", help="also open a public Gradio link, for 72 hours")

    text = "Push the page as a Space, or a network with its model card, to the Hugging Face Hub"
    parser = command(commands, "publish", publish, text)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--space", metavar="OWNER/NAME", help="the Space to push the page to")
    where.add_argument("--model", metavar="OWNER/NAME", help="the repository of a network")
    names = ", ".join(NETWORKS)
    text = f"network to push with --model: {names}, or one of your own (default %(default)s)"
    parser.add_argument("--network", metavar="NAME", default=DEFAULT_MODEL, help=text)
    text = "push nothing: write what would be pushed to this folder"
    parser.add_argument("--dry-run", type=Path, metavar="DIR", help=text)


def app(options: argparse.Namespace) -> None:
    """Serve the page until it is interrupted."""
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


def publish(options: argparse.Namespace) -> None:
    """Push, and say what was pushed; with --dry-run, write the folder and list it."""
    from mer import hub

    kind = "space" if options.space else "model"
    write = hub.space if options.space else partial(hub.model, options.network)
    if options.dry_run:
        write(options.dry_run)
        files = sorted(path for path in options.dry_run.rglob("*") if path.is_file())
        print("\n".join(path.relative_to(options.dry_run).as_posix() for path in files))
        return
    repository = options.space or options.model
    commit = hub.push(repository, kind, write)
    print(f"pushed: {repository}, commit {commit}")
    if options.model:
        print(f"to use it: MER_HUB={repository}@{commit}")
