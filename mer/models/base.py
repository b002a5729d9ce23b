"""The base class of all networks: training step, validation step and accuracy."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer.emotions import EMOTIONS

Batch = tuple[Tensor, Tensor]  # images (n, 3, size, size) in 0..1, targets (n, 7) summing to 1


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
    explained: ClassVar[tuple[str, ...]]

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


def convolutions(widths: Sequence[int], *, norm: bool) -> nn.Sequential:
    """Blocks of three 3x3 convolutions with ReLU, each block closed by a 2x2 max-pool."""
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


def perceptron(inputs: int, units: Sequence[int], classes: int, *, dropout: float) -> nn.Sequential:
    """Linear layers with ReLU, and dropout behind each if there is any; the last one is linear."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width in units:
        layers += [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
        layers += [nn.Dropout(dropout)] if dropout else []
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, classes))


def initialise(model: nn.Module) -> None:
    """He initialisation (He et al. 2015), without which nine plain convolutions hardly train."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


CLASSES = len(EMOTIONS)
