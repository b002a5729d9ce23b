"""`audit`: what is wrong with a data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mer.cli.common import command


def add(commands: Any) -> None:
    """Put `audit` among the commands."""
    text = "Find pictures that a data set holds twice, and leaks between its splits"
    add = command(commands, "audit", audit, text).add_argument
    add("data", type=Path, metavar="DIR", help="data set: a folder or zip")
    add("--csv", type=Path, metavar="OUT", help="write every pair found to this file")


def audit(options: argparse.Namespace) -> None:
    """Print what the audit found."""
    from mer.data import audit as auditing

    auditing.main(options.data, options.csv)
