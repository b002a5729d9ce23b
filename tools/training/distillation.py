"""Mixup, and distillation from other networks, the teachers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from mer.data.augmentation import to_tensor
from mer.data.dataset import Pictures
from mer.emotions import EMOTIONS
from mer.errors import WeightsError
from mer.models.base import BaseClasificacionImagenes, Batch
from mer.training.devices import to_float
from mer.weights import store
from tools.training import distributed


def read_teachers(
    paths: Sequence[Path], device: torch.device, classes: Sequence[str] = EMOTIONS
) -> list[BaseClasificacionImagenes]:
    """Load the networks in `paths`, files of weights with their records beside them.

    Raises:
        WeightsError: a file is missing, damaged or no network's, or it knows other `classes`.
    """
    networks = []
    for path in paths:
        network, record = store.load(path.stem, folder=path.parent)
        if store.classes(record) != tuple(classes):
            raise WeightsError(f"{path.stem} cannot teach: it tells other classes apart.")
        networks.append(network.to(device, memory_format=torch.channels_last))  # type: ignore[call-overload]
    return networks


def fingerprints(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return name, length and checksum of each teacher's file, for the record.

    Raises:
        WeightsError: a file holds no weights or has no record.
    """
    for path in paths:
        if path.suffix != ".safetensors":
            raise WeightsError(f"A teacher is a file of weights (.safetensors), not {path.name}.")
    return [store.read_record(path.stem, folder=path.parent)["file"] for path in paths]


@torch.no_grad()
def taught_targets(
    networks: Sequence[BaseClasificacionImagenes],
    pictures: Pictures,
    rows: NDArray[np.int64],
    part: float,
    device: torch.device,
) -> NDArray[np.float32]:
    """Return the targets of all pictures; in `rows` the share `part` is the teachers' mean answer.

    A teacher's answer is the mean over a picture and its mirror image.
    """
    targets = pictures.targets.copy()
    batches = [rows[begin : begin + 128] for begin in range(0, len(rows), 128)]
    for chosen in tqdm(batches, "teachers", leave=False, disable=None):
        images = to_float(to_tensor(pictures.pixels[chosen]).to(device))
        views = [images, images.flip(3)]
        answers = torch.stack([_answer(one, view) for one in networks for view in views]).mean(0)
        targets[chosen] = (1 - part) * targets[chosen] + part * answers.cpu().numpy()
    return targets


class Teaching:
    """Applies mixup and the teachers' answers to a batch.

    Mixup (Zhang et al. 2018) blends each picture with another, and their targets in the same way.
    Teachers (Hinton et al. 2015) see the same blended pictures as the learner (Beyer et al. 2022);
    the mean of their answers makes up the share `taught` of the target.
    """

    def __init__(
        self, mixup: float, taught: float, teachers: Sequence[BaseClasificacionImagenes]
    ) -> None:
        self.mixup, self.taught, self.teachers = mixup, taught, teachers

    def __call__(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """This process's rows of a global batch: images (n, 3, size, size) and targets (n, 7)."""
        images, targets = distributed.shard(self._blended(batch, rng) if self.mixup else batch)
        if self.teachers:
            answers = torch.stack([_answer(teacher, images) for teacher in self.teachers]).mean(0)
            targets = (1 - self.taught) * targets + self.taught * answers.to(targets.dtype)
        return images, targets

    def _blended(self, batch: Batch, rng: np.random.Generator) -> Batch:
        part = float(rng.beta(self.mixup, self.mixup))
        order = torch.from_numpy(rng.permutation(len(batch[0]))).to(batch[0].device)
        images, targets = (part * given + (1 - part) * given[order] for given in batch)
        return images, targets


@torch.no_grad()
def _answer(teacher: BaseClasificacionImagenes, images: Tensor) -> Tensor:
    """Return probabilities (n, 7) of a teacher, whose input size may differ from the learner's."""
    if images.shape[-1] != teacher.size:
        images = functional.interpolate(images, size=teacher.size, mode="bilinear", antialias=True)
    images = images.contiguous(memory_format=torch.channels_last)
    probabilities: Tensor = teacher(images).float().softmax(1)
    return probabilities
