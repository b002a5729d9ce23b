"""What the importers of published weights share: the record of a start, and the command line."""

import sys
from collections.abc import Callable
from pathlib import Path

from mer.emotions import EMOTIONS
from mer.errors import MerError
from mer.models.base import BaseClasificacionImagenes
from mer.version import __version__
from mer.weights import store


def save(network: BaseClasificacionImagenes, name: str, origin: dict[str, str], out: Path) -> Path:
    """Write a network that nothing was learned in yet; `origin` says name, source and licence."""
    record: store.Record = {
        "model": name,
        "version": __version__,
        "classes": list(EMOTIONS),
        "size": network.size,
        "origin": origin,
        "training": {"stages": []},
    }
    store.save(network, name, record, out)
    return out / f"{name}.safetensors"


def run(convert: Callable[..., Path], tool: str, *arguments: str) -> None:
    """Convert what the command line names; `arguments` are the names of the paths, for people."""
    if len(sys.argv) != len(arguments) + 1:
        sys.exit(f"usage: python -m tools.{tool} {' '.join(arguments)}")
    try:
        print(f"written: {convert(*map(Path, sys.argv[1:]))}")
    except MerError as trouble:
        sys.exit(f"mer: {trouble}")
