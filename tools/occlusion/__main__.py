"""`python -m tools.occlusion`: trains the model that tells covered faces from bare ones."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """Return the parser of the training."""
    text = "Train what tells a covered face from a bare one, by drawing hands and glasses."
    root = argparse.ArgumentParser(prog="python -m tools.occlusion", description=text)
    add = root.add_argument
    add("--data", type=Path, metavar="DIR", help="pictures of faces, in any folders")
    add("--out", type=Path, default=Path("runs"), help="folder to write to (default %(default)s)")
    add("--count", type=int, default=6000, help="pictures drawn from it (default %(default)s)")
    text = "learn anew only what tells dark glasses, into the model that is there"
    add("--glasses", action="store_true", help=text)
    text = "instead, measure on these pictures from which score on a face of a picture is covered"
    add("--still", type=Path, nargs="+", metavar="DIR", help=text)
    return root


def cover(options: argparse.Namespace) -> None:
    """Write the weights and their record, and print the score in it."""
    from tools.occlusion import still, training

    if options.still:
        print(still.measure(options.still, options.count, options.out))
        return
    if not options.data:
        parser().error("--data or --still is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.glasses:
        print(training.fit(options.data, options.out, options.count))
    print(training.fit_glasses(options.data, options.out, options.count))
    print(f"\nwritten: {options.out / 'cover.safetensors'}")


if __name__ == "__main__":
    cover(parser().parse_args())
