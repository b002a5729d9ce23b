"""A training with teachers, mixup, classes that weigh alike, draws by chance, several processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mer.data.augmentation import Batches
from mer.data.dataset import Corpus
from mer.errors import MerError
from mer.models.base import BaseClasificacionImagenes, Batch
from mer.training import trainer
from mer.training.config import Settings, flag
from mer.training.devices import get_default_device
from tools.training import distillation, distributed, sampling

ALL: Final = "all"  # of the data sets are taught


@dataclass(frozen=True)
class LabSettings(Settings):
    """The settings of `python -m mer train`, and more."""

    even: float = flag(0.0, "1: data sets and their classes come equally often, not by size")
    draws: int = flag(0, "pictures an epoch, drawn by chance; 0: each original and copy once")
    balance: float = flag(0.0, "rare classes weigh more: their share to the power of minus this")
    mixup: float = flag(0.0, "blends pairs of pictures: Beta's parameter; 0: none")
    taught: float = flag(0.7, "the teachers' part of the target, where there are any")
    once: bool = flag(False, "teachers see each picture once, not every copy of it: much quicker")
    taught_sets: str = flag(
        ALL, "names of data sets, joined by +, whose targets teachers change; with --once"
    )


def train(model: str, data: Sequence[Path], *, teachers: Sequence[Path] = (), **how: Any) -> Path:
    """Train as `mer.training.trainer.train` does, also in several processes of `torchrun`.

    Args:
        model: the network.
        data: data sets of face crops.
        teachers: weights of networks whose answers are learned beside the labels.
        how: what `trainer.train` takes, the settings being `LabSettings`. All processes have to
            see the folder `out`.

    Raises:
        MerError: as `trainer.train`; or a teacher, or `settings.taught_sets`, cannot be used.
    """

    def build(*arguments: Any) -> LabRun:
        return LabRun(*arguments, teachers=teachers)

    with distributed.process_group():
        return trainer.train(model, data, **how, build=build)


def has_bfloat16() -> bool:
    """Whether the device has bfloat16; a processor that imitates it needs ten times as long."""
    device = get_default_device().type
    if device == "cpu":
        known = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        return known and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device != "cuda" or torch.cuda.is_bf16_supported()


class LabRun(trainer.Run):
    """The state of such a training."""

    settings: LabSettings

    def __init__(
        self,
        name: str,
        corpus: Corpus,
        settings: LabSettings,
        out: Path,
        start: Path | None,
        called: str,
        *,
        teachers: Sequence[Path] = (),
    ) -> None:
        if teachers and settings.taught_sets != ALL and not settings.once:
            raise MerError("Teachers of some data sets alone see each picture once: give --once.")
        self.teachers = distillation.fingerprints(teachers)
        classes = corpus.pictures.classes
        networks = distillation.read_teachers(teachers, get_default_device(), classes)
        super().__init__(name, corpus, settings, out, start, called)
        self.first = distributed.first()
        if self.first and settings.precision == "bfloat16" and not has_bfloat16():
            print("This device imitates bfloat16: --precision float32 is quicker.", flush=True)
        self.state["identity"] = f"{self.state['identity']} {self.teachers}"
        if networks and settings.once:
            self._learn_answers(networks)
            networks = []
        self.corpus = sampling.balanced(self.corpus, settings.balance)
        self.train_batches = self.batches_to_learn()
        self._teaching = distillation.Teaching(settings.mixup, settings.taught, networks)
        self._rng = np.random.default_rng()
        self._step = distributed.step(self.model)

    def _learn_answers(self, teachers: Sequence[BaseClasificacionImagenes]) -> None:
        pictures, part = self.corpus.pictures, self.settings.taught
        rows = self._taught_rows()
        with self.autocast():
            targets = distillation.taught_targets(teachers, pictures, rows, part, self.device)
        self.corpus = replace(self.corpus, pictures=replace(pictures, targets=targets))

    def _taught_rows(self) -> NDArray[np.int64]:
        """The pictures learned from whose targets the teachers change."""
        rows, wanted = self.corpus.train, self.settings.taught_sets.split("+")
        if wanted == [ALL]:
            return rows
        names = [part["name"] for part in self.corpus.description]
        if unknown := set(wanted) - set(names):
            raise MerError(f"--taught-sets names no data set given: {', '.join(sorted(unknown))}.")
        numbers = [number for number, name in enumerate(names) if name in wanted]
        return rows[np.isin(self.corpus.sets[rows], numbers)]

    def built(self) -> BaseClasificacionImagenes:
        """The network with random weights."""
        return distributed.prepared(super().built())

    def batches_to_learn(self) -> Batches:
        """What an epoch learns from: `draws` pictures by chance, or all."""
        how, rows = self.settings, self.corpus.train
        if not how.draws:
            return super().batches_to_learn()
        chances = sampling.chances(self.corpus, how.even)
        return sampling.Drawn(
            self.corpus.pictures,
            rows,
            batch=how.batch,
            copies=how.copies,
            seed=how.seed,
            draws=how.draws,
            chances=chances,
        )

    def resume(self) -> None:
        """Continue from the checkpoint in `out`, if there is one.

        Raises:
            MerError: as `Run`; or not all machines that train together see it.
        """
        exists = self.checkpoint_file.exists()
        if distributed.broadcast(exists) != exists:
            text = f"Not every machine sees {self.checkpoint_file}: share the folder --out."
            raise MerError(text)
        super().resume()

    def train_epoch(self, number: int) -> tuple[float, float]:
        """Train for one epoch; return its mean loss and accuracy."""
        self._rng = np.random.default_rng((self.settings.seed, number, 1))  # for mixup
        scores = super().train_epoch(number)
        loss, right = distributed.all_reduce([one / distributed.world_size() for one in scores])
        return loss, right

    def seed(self, number: int) -> int:
        """Of an epoch. Dropout's differs between processes, since each has other rows."""
        return super().seed(number) + distributed.rank() * 2**40

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Loss, to be differentiated, and accuracy of a batch, which the processes share."""
        taught = self._teaching(batch, self._rng)
        learned: tuple[Tensor, Tensor] = self._step(
            taught, len(batch[0]), self.settings.label_smoothing
        )
        return learned

    def scores(self) -> dict[str, float]:
        """Loss and accuracy of the averaged weights on the validation pictures."""
        found: dict[str, float] = distributed.broadcast(super().scores() if self.first else None)
        return found

    def epoch(self) -> None:
        """Train for one more epoch, and take down how it went."""
        super().epoch()
        entry = self.history[-1]
        entry["cpu_seconds"] = distributed.all_reduce([entry["cpu_seconds"]])[0]

    def stage(self) -> dict[str, Any]:
        """What the record says of this training."""
        shared = {"teachers": self.teachers, "processes": distributed.world_size()}
        return super().stage() | shared
