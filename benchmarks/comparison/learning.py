"""How much of a training's time goes into the network itself."""

import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image

from mer.data.dataset import gather
from mer.emotions import EMOTIONS
from mer.models.registry import MODELS
from mer.training.config import Settings
from mer.training.devices import arriving
from mer.training.trainer import Run

PICTURES: Final = 90  # of each class
SIDE: Final = 80  # pixels, as the paper's
ROUNDS: Final = 3  # of which the middle share counts


def share(name: str, settings: Settings | None = None) -> tuple[float, float]:
    """Pictures a second of a training, and of forward and backward alone on one batch in memory.

    Noise stands in for faces: it takes as long to learn from.
    """
    settings = settings or Settings(epochs=ROUNDS + 1, copies=1, precision=_precision())
    with tempfile.TemporaryDirectory() as folder:
        _made(Path(folder))
        corpus = gather([Path(folder)], MODELS[name].size, fraction=settings.validation, seed=0)
        run = Run(name, corpus, settings, Path(folder), None, name)
        run.train_epoch(0)  # not counted: it reserves memory
        rounds = [(_loop(run, number + 1), _alone(run)) for number in range(ROUNDS)]
    rounds.sort(key=lambda one: one[0] / one[1])
    return rounds[ROUNDS // 2]


def _precision() -> str:
    """What a training would be told on this processor: without AVX-512, bfloat16 is slow."""
    return "bfloat16" if "AVX512" in torch.backends.cpu.get_cpu_capability() else "float32"


def _made(folder: Path) -> None:
    random = np.random.default_rng(0)
    for emotion in EMOTIONS:
        (folder / emotion).mkdir()
        for number in range(PICTURES):
            pixels = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
            Image.fromarray(pixels).save(folder / emotion / f"{number}.png")


def _loop(run: Run, number: int) -> float:
    began = time.perf_counter()
    run.train_epoch(number)
    seen = len(run.corpus.train) * (1 + run.settings.copies)
    return seen / (time.perf_counter() - began)


def _alone(run: Run) -> float:
    batch = next(iter(arriving(run.train_batches, run.device)))
    steps, shorter = len(run.train_batches), run.settings.precision == "bfloat16"
    began = time.perf_counter()
    for _ in range(steps):
        with torch.autocast(run.device.type, torch.bfloat16, enabled=shorter):
            loss, _ = run.model.training_step(batch, run.settings.label_smoothing)
        run.model.zero_grad()
        loss.backward()
    loss.item()  # a GPU is waited for
    return steps * len(batch[0]) / (time.perf_counter() - began)
