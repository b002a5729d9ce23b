"""Runs the whole proof and writes it down: `python -m benchmarks comparison`."""

from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import live, timing
from benchmarks.comparison import gpu, growth, learning, limits, start, versus
from benchmarks.comparison.chart import scatter
from benchmarks.timing import kept
from mer.inference.predictor import Predictor
from mer.models.registry import DEFAULT_MODEL

BUSY: Final = 0.40  # of what a matrix product reaches, the default network's graph
LOOP: Final = 0.9  # of the pictures a second of forward and backward alone, a training


def write(out: Path, folder: Path, source: Path | None) -> str:
    """Measure everything, write `benchmarks.md` and `benchmarks.svg`, and return the text.

    Args:
        out: the folder to write to; is made.
        folder: where other programs are installed, once.
        source: the paper's data set, for the accuracies; without it they are left out.

    Raises:
        MerError: scikit-image is missing, or the data set cannot be read.
    """
    beside, dots = versus.listed(folder.resolve(), source)
    face = timing.astronaut()
    predictor = Predictor(DEFAULT_MODEL)
    parts = [
        _HEAD.format(machine=timing.machine()),
        *["", "## Against what a user would pick instead", "", *beside],
        *_limits(),
        *_learning(),
        *_growth(predictor, face),
        *_live(),
        *_start(),
        *_gpu(),
    ]
    text = "\n".join(parts) + "\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "benchmarks.md").write_text(text, encoding="utf-8")
    if dots:
        (out / "benchmarks.svg").write_text(scatter(dots), encoding="utf-8")
    return text


_HEAD: Final = """# Benchmarks

Written by `make bench MER_DATA=DIR`, in one run on one machine: {machine}.
Times are medians; beside them stand the middle half of all runs, or the fastest and slowest.
Compare ratios, not milliseconds: another machine has others."""


def _limits() -> list[str]:
    best, found = limits.product(), limits.shares()
    rows = ["", "## Against the limit", "", _LIMITS.format(best=best, side=limits.SIDE), ""]
    rows.append(
        f"| network | Mflop a view | graph, {limits.BATCH} pictures: ms | torch: ms "
        "| graph, one picture: ms | torch: ms | Gflop/s | share |"
    )
    rows.append("|---" * 8 + "|")
    for name, one in found.items():
        rows.append(
            f"| {name} | {one.operations / 1e6:.0f} | {one.milliseconds[0]:.0f} "
            f"| {one.milliseconds[1]:.0f} | {one.alone[0]:.1f} | {one.alone[1]:.1f} "
            f"| {one.reached:.0f} | {one.reached / best:.0%} |"
        )
    reached = found[DEFAULT_MODEL].reached / best
    held = kept(reached >= BUSY)
    return [*rows, "", f"{DEFAULT_MODEL}, target {BUSY:.0%}: {held}."]


_LIMITS: Final = """A product of two float32 matrices of {side}x{side} reaches {best:.0f} Gflop/s on
these cores. Each network's arithmetic over the time of its graph is a share of that; a picture is
seen in two views, itself and its mirror image. A share above 100 % is no mistake: small
convolutions are done by Winograd's algorithm or the like, with fewer operations than are counted,
or the product was disturbed."""


def _learning() -> list[str]:
    loop, alone = learning.share(DEFAULT_MODEL)
    return [
        "",
        "## Learning",
        "",
        f"{DEFAULT_MODEL} learns from {loop:.0f} pictures a second, and would from {alone:.0f} "
        f"did nothing but forward and backward take time: {loop / alone:.0%}, target {LOOP:.0%}: "
        f"{kept(loop / alone >= LOOP)}.",
    ]


def _growth(predictor: Predictor, face: np.ndarray) -> list[str]:
    name = predictor.model
    return [
        *["", "## How it grows", "", f"The whole way through a picture, network {name}.", ""],
        *growth.listed(growth.by_faces(predictor, face), "faces in 1600x1200"),
        "",
        *growth.listed(growth.by_pixels(predictor, face), "megapixels, one face"),
        *["", "The network alone:", ""],
        *growth.listed(growth.by_batch(predictor), "face crops at once"),
    ]


def _live() -> list[str]:
    found = [f"- {line}" for line in live.visited()]
    return ["", "## The live view, with all its places taken", "", _LIVE, "", *found]


_LIVE: Final = """Visitors of one page at once, over HTTP and all on this machine, each of whom
sends the next frame of 640x480 when the last is answered. Alone: `python -m benchmarks live`. One
visitor more is told that all places are taken (`tests/benchmarks/test_live.py`)."""


def _start() -> list[str]:
    return ["", "## From the command to the page", "", _START, "", *start.listed()]


_START: Final = """A new process each time, the page until its address has answered whole. Gradio
loads `mcp` where it finds it; `make run` does without."""


def _gpu() -> list[str]:
    import torch

    head = ["", "## On a GPU", ""]
    if not torch.cuda.is_available():
        return [*head, "There is none on this machine; nothing was measured."]
    text = _GPU.format(name=torch.cuda.get_device_name(), batch=limits.BATCH, side=limits.SIDE)
    return [*head, text, "", *gpu.listed(torch.device("cuda"))]


_GPU: Final = """On {name}, by torch; the page itself answers on the processor. Each of {batch}
pictures is seen in two views when answered, in one when learned from, in a whole step: forward,
backward and AdamW. Share: of a product of two matrices of {side}x{side} in the same precision;
convolutions of float32 may take shorter numbers there than the product does."""
