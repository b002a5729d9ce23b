"""The epochs of a training: the learning rate of each step, which was best, and their record."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from mer.data.corpora import Corpus
from mer.training.config import Settings
from mer.weights.provenance import machine, now, versions

Epoch = dict[str, float]  # losses, accuracies, learning rate and seconds of one epoch


def learning_rate(settings: Settings, step: int, steps: int) -> float:
    """A rise over the first tenth of `steps` in all epochs, then half a cosine to zero."""
    rise = max(steps // 10, 1)
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    part = (step - rise) / max(steps - rise, 1)
    return settings.learning_rate * (1 + math.cos(math.pi * part)) / 2


def best(history: Sequence[Epoch]) -> int:
    """Return the epoch of the highest validation accuracy, counted from 1."""
    scores = [entry["validation_accuracy"] for entry in history]
    return scores.index(max(scores)) + 1


def stale(history: Sequence[Epoch], patience: int) -> bool:
    """Whether the last `patience` epochs were no better than one before them."""
    return len(history) > 0 and len(history) - best(history) >= patience


def line(entry: Epoch) -> str:
    """Return the line that is printed for an epoch."""
    return (
        f"epoch {entry['epoch']:3d}  train loss {entry['train_loss']:.3f} "
        f"accuracy {entry['train_accuracy']:.3f}  validation loss {entry['validation_loss']:.3f} "
        f"accuracy {entry['validation_accuracy']:.3f}  {entry['seconds']:.0f} s"
    )


def stage(
    corpus: Corpus,
    settings: Settings,
    device: torch.device,
    history: Sequence[Epoch],
    started: str,
) -> dict[str, Any]:
    """Return the record of a training that has just ended."""
    return {
        "name": " + ".join(part["name"] for part in corpus.description),
        "data": corpus.description,
        "settings": asdict(settings),
        "seed": settings.seed,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "machine": machine(),
        "versions": versions(),
        "history": list(history),
        "best_epoch": best(history),
        "seconds": sum(entry["seconds"] for entry in history),
        "cpu_seconds": sum(entry["cpu_seconds"] for entry in history),
        "started": started,
        "finished": now(),
    }


def together(stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the record of all stages of a network's training."""
    return {
        "seconds": sum(s["seconds"] for s in stages),
        "cpu_seconds": sum(s["cpu_seconds"] for s in stages),
        "finished": stages[-1]["finished"],
        "stages": list(stages),
    }
