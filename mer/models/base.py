"""The base class of all networks: training step, validation step and accuracy."""

import functools
import itertools
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

    `forward` takes float RGB (n, 3, size, size) in 0..1 and returns logits (n, 7), or as many as
    the constructor's `classes` says.
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
        return {
            "n": float(len(images)),
            "loss": loss.item(),
            "accuracy": accuracy(logits, targets).item(),
        }

    def validation_epoch_end(self, steps: Sequence[dict[str, float]]) -> dict[str, float]:
        """Loss and accuracy over all pictures.

        The paper's base class takes the mean over batches, which lets a short last batch weigh
        as much as a full one; here every picture counts once.
        """
        n = sum(step["n"] for step in steps)
        return {k: sum(s[k] * s["n"] for s in steps) / n for k in ("loss", "accuracy")}

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Loss and accuracy over `batches` in evaluation mode."""
        self.eval()
        return self.validation_epoch_end([self.validation_step(batch) for batch in batches])


class PaperCNN(BaseClasificacionImagenes):
    """Blocks of three 3x3 convolutions with ReLU and a 2x2 max-pool each, then linear layers.

    `norm` puts batch normalisation behind each convolution, which the paper does not mention.
    """

    widths: ClassVar[tuple[int, ...]]  # channels of each block
    units: ClassVar[tuple[int, ...]]  # of the linear layers before the last
    dropout: ClassVar[float]  # behind each of those

    def __init__(self, *, norm: bool = True, classes: int = CLASSES) -> None:
        super().__init__()
        self.features = _convolutions(self.widths, norm)
        pools = [row for row, one in enumerate(self.features) if isinstance(one, nn.MaxPool2d)]
        self.explained = tuple(f"features.{row - 1}" for row in pools[-2:])
        inputs = self.widths[-1] * (self.size >> len(self.widths)) ** 2
        self.classifier = _perceptron((inputs, *self.units), classes, self.dropout)
        # He et al. 2015, without which nine plain convolutions hardly train
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, size, size) in 0..1 to logits (n, classes)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


def _convolutions(widths: Sequence[int], norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for width in widths:
        for _ in range(3):
            layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=not norm))
            layers += [nn.BatchNorm2d(width)] if norm else []
            layers.append(nn.ReLU(inplace=True))
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def _perceptron(widths: Sequence[int], classes: int, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, width in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(widths[-1], classes))
