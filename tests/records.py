"""Records of made-up networks, as `weights/<network>.json` holds them, for tests of the tabs."""

from typing import Any

import numpy as np

from mer.emotions import EMOTIONS
from mer.evaluation.metrics import evaluate
from mer.results.paper import FIGURE_6


def scores(right: float, pictures: int) -> dict[str, Any]:
    """Figures of a network right on the share `right` of every class, and else one class off."""
    each = pictures // len(EMOTIONS)
    hits = np.eye(len(EMOTIONS), dtype=int) * round(each * right)
    misses = np.roll(np.eye(len(EMOTIONS), dtype=int), 1, axis=1) * (each - round(each * right))
    names = [f"{emotion}/{n}.jpg" for emotion in EMOTIONS for n in range(round(each * right), each)]
    return evaluate(hits + misses) | {"mistakes": names}


def record(
    name: str = "cnn1", *, right: float = 0.85, seconds: float = 4320.0, clean: bool = True
) -> dict[str, Any]:
    """A whole record: two stages of training, and tests on 1400 and, if `clean`, 700 pictures."""
    test = scores(right, 1400) | ({"clean": scores(right - 0.05, 700)} if clean else {})
    stages = [
        {"name": "ferplus", "history": _history(2)},
        {"name": "paper", "history": _history(3)},
    ]
    return {
        "model": name,
        "version": "0.1.0",
        "parameters": 2_970_000,
        "test_reads": 2,
        "file": {"name": f"{name}.safetensors", "bytes": 5_950_000, "sha256": "ab" * 32},
        "training": {"seconds": 2 * seconds, "cpu_seconds": seconds, "stages": stages},
        "evaluation": {"train": scores(0.95, 7000), "test": test},
    }


def papers_record(name: str = "cnn1") -> dict[str, Any]:
    """A record whose network did on all pictures what the paper's did."""
    whole = record(name)
    whole["evaluation"]["test"] = evaluate(np.array(FIGURE_6))
    return whole


def _history(epochs: int) -> list[dict[str, float]]:
    keys = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    return [{"epoch": number, **dict.fromkeys(keys, 0.5)} for number in range(1, epochs + 1)]
