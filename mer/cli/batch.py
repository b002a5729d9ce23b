"""`batch`: a million pictures, a thousand hours of video."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mer.cli.common import command, detector, network
from mer.errors import MerError
from mer.models.registry import DEFAULT_MODEL


def add(commands: Any) -> None:
    """Put `batch` among the commands."""
    text = (
        "Score a great many pictures and videos, on all cores or on a cluster, to Parquet "
        "(needs pip install 'mer[scale]')"
    )
    add = command(commands, "batch", batch, text).add_argument
    text = "a folder, a zip, a pattern, or a list of paths (.txt; .csv with a column file or path)"
    add("source", metavar="SOURCE", help=text)
    text = "folder of the results; a run that was cut off goes on there"
    add("--out", type=Path, required=True, metavar="DIR", help=text)
    network(add, DEFAULT_MODEL)
    detector(add)
    text = "processes that each hold the network (default: one a core)"
    add("--workers", type=_count, metavar="N", help=text)
    text = "a Ray cluster to work on, such as auto or HOST:6379 (default: this machine alone)"
    add("--address", metavar="ADDRESS", help=text)


def batch(options: argparse.Namespace) -> int:
    """Print how many rows each table has. Ctrl-C stops, and the same command goes on."""
    from tqdm import tqdm

    try:
        import mer.batch.scoring as scoring
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("ray", "pyarrow"):
            raise
        raise MerError("This needs Ray, which is an extra: pip install 'mer[scale]'.") from error
    with tqdm(unit=" items", disable=None) as bar:

        def show(step: Any) -> None:
            bar.total = step.items
            if not step.worker:  # of an earlier run: no part of this one's speed
                bar.initial = step.done
            bar.n = step.done
            bar.refresh()

        try:
            rows = scoring.score(
                options.source,
                options.out,
                model=options.model,
                detector=options.detector,
                workers=options.workers,
                address=options.address,
                progress=show,
            )
        except KeyboardInterrupt:
            text = f"stopped after {bar.n} of {bar.total} items; the same command goes on"
            print(f"mer: {text}", file=sys.stderr)
            return 130
    for table, count in rows.items():
        print(f"{table:8}{count:10}")
    return 0


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers, from 1")
    return int(text)
