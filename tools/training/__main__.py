"""`python -m tools.training`: `python -m mer train` with all that the shipped networks took.

`torchrun` starts it in several processes, on several GPUs or machines.
"""

import argparse
from pathlib import Path

from mer.cli import networks
from mer.training import devices
from tools.training import distributed, run


def parser() -> argparse.ArgumentParser:
    """Return the parser of this tool."""
    root = argparse.ArgumentParser(prog="python -m tools.training", description=__doc__)
    networks.training(root.add_argument, run.LabSettings)
    text = "learn the answers of these networks too (.safetensors)"
    root.add_argument("--teachers", type=Path, nargs="+", default=(), metavar="FILE", help=text)
    return root


def main(options: argparse.Namespace) -> None:
    """Train one network."""
    devices.keep_freed_memory()
    how = networks.chosen(options, run.LabSettings)
    path = run.train(options.model, options.data, teachers=options.teachers, **how)
    if distributed.first():
        print(f"written: {path} and {networks.curves(options.name or options.model, options.out)}")


if __name__ == "__main__":
    main(parser().parse_args())
