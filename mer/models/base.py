"""The base class of all networks: training step, validation step and accuracy."""

import functools
import os
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer.emotions import EMOTIONS

CLASSES: Final = len(EMOTIONS)
Batch = tuple[Tensor, Tensor]  # images (n, 3, size, size) in 0..1, targets (n, 7) summing to 1

# A forked child has none of the threads that torch computes with, and would wait for them for ever.
os.register_at_fork(after_in_child=functools.partial(torch.set_num_threads, 1))


def accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """Share of rows whose largest logit is the largest target, as a scalar in 0..1."""
    return (logits.argmax(1) == targets.argmax(1)).float().mean()


class BaseClasificacionImagenes(nn.Module):
    """Base of the classifiers, as the paper names it.

    `forward` takes float RGB (n, 3, size, size) in 0..1 and returns logits (n, classes).
    """

    size: ClassVar[int]  # height and width of the input, in pixels
    # Names of the modules whose outputs `mer.inference.class_activation_map` weighs.
    explained: tuple[str, ...]

    def training_step(self, batch: Batch, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
        """Return the loss, to be differentiated, and the accuracy of the batch."""
        images, targets = batch
        logits = self(images)
        loss = functional.cross_entropy(logits.float(), targets, label_smoothing=label_smoothing)
        return loss, accuracy(logits.detach(), targets)

    @torch.no_grad()
    def validation_step(self, batch: Batch) -> dict[str, float]:
        """Loss and accuracy of one batch, with the number of pictures in it."""
        images, targets = batch
        logits = self(images).float()
        loss = functional.cross_entropy(logits, targets)
        right = accuracy(logits, targets).item()
        return {"n": float(len(images)), "loss": loss.item(), "accuracy": right}

    def validation_epoch_end(self, steps: Sequence[dict[str, float]]) -> dict[str, float]:
        """Loss and accuracy over all pictures; the paper's mean is over batches, short ones too."""
        n = sum(step["n"] for step in steps)
        return {k: sum(s[k] * s["n"] for s in steps) / n for k in ("loss", "accuracy")}

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Loss and accuracy over `batches` in evaluation mode."""
        self.eval()
        return self.validation_epoch_end([self.validation_step(batch) for batch in batches])
