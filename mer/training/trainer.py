"""Training of one network on one or several data sets, resumable, with a record of how."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn, optim
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from mer.data import corpora, custom_classes
from mer.data.augmentation import Batches
from mer.data.corpora import Corpus
from mer.emotions import EMOTIONS
from mer.errors import MerError
from mer.models.base import BaseClasificacionImagenes
from mer.models.registry import MODELS, NETWORKS
from mer.training import checkpoint, distillation, distributed, schedule
from mer.training.config import Settings
from mer.training.devices import arriving, get_default_device, selected_device
from mer.version import __version__
from mer.weights import store
from mer.weights.provenance import now


def train(
    model: str,
    data: Sequence[Path],
    *,
    out: Path,
    settings: Settings,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
    name: str | None = None,
    classes: Sequence[str] = EMOTIONS,
    cut: Sequence[Path] = (),
) -> Path:
    """Train network `model` and write its weights and record to `out`.

    A training that was stopped or killed goes on from its last epoch when it is called again, and
    ends with the same weights as one without a stop. Under `torchrun` several processes share the
    work (`mer.training.distributed`); all of them have to see the folder `out`.

    Args:
        model: a name in `mer.models.registry.MODELS`.
        data: data sets, as `mer.data.dataset.load` reads them; their training part is used.
        out: folder for weights, record and checkpoint.
        settings: settings of the training.
        start: weights to begin with; the stages in their record are kept in the new one.
        teachers: weights of networks whose answers are learned beside the labels.
        name: name of a custom network; by default it is called as `model`.
        classes: the classes to tell apart, the seven by default.
        cut: more data sets, whose pictures show more than a face, see `mer.data.dataset.load`.

    Returns:
        Path of the weights.

    Raises:
        MerError: unknown network, unusable data, start, teacher, checkpoint, name or classes.
    """
    if model not in MODELS:
        raise MerError(f"There is no network called {model!r}; choose {', '.join(MODELS)}.")
    custom_classes.check(model, name or model, classes, out)
    fraction, seed = settings.validation, settings.seed
    corpus = corpora.gather(
        data, NETWORKS[model].size, fraction=fraction, seed=seed, classes=classes, cut=cut
    )
    if not len(corpus.train) or not len(corpus.validation):
        raise MerError("There are too few pictures to hold some out for validation. Add some.")
    with distributed.process_group():
        run = Run(model, corpus, settings, out, start, teachers, name or model)
        run.resume()
        run.fit()
        return run.finish()


class Run:
    """The state of one training: network, moving average, best weights, optimizer, history."""

    def __init__(
        self,
        name: str,
        corpus: Corpus,
        settings: Settings,
        out: Path,
        start: Path | None,
        teachers: Sequence[Path],
        called: str,
    ) -> None:
        self.name, self.corpus, self.settings, self.out = name, corpus, settings, out
        self.called = called
        torch.manual_seed(settings.seed)
        self.device = get_default_device()
        classes = len(corpus.pictures.classes)
        other = {"classes": classes} if classes != len(EMOTIONS) else {}
        chosen = {option: getattr(settings, option) for option in NETWORKS[name].options}
        self.options = chosen | other
        network = MODELS[name](**self.options)
        earlier = store.read_start(network, start) if start else {}
        self.earlier = earlier.get("training", {}).get("stages", [])
        # A custom network is tested on other pictures.
        keys = ("test_reads", "origin") if called == name else ("origin",)
        self.inherited = {key: earlier[key] for key in keys if key in earlier}
        network = distributed.prepared(network)
        self.model = selected_device(network, self.device).to(memory_format=torch.channels_last)
        self.step = distributed.step(self.model)
        average = get_ema_multi_avg_fn(settings.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        self.best = AveragedModel(self.model, use_buffers=True)
        self.optimizer = optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.teachers = distillation.fingerprints(teachers)
        networks = distillation.read_teachers(teachers, self.device, corpus.pictures.classes)
        if networks and settings.once:
            with self._autocast():
                targets = distillation.taught_targets(
                    networks, corpus.pictures, corpus.train, settings.taught, self.device
                )
            self.corpus = replace(corpus, pictures=replace(corpus.pictures, targets=targets))
            networks = []
        self.corpus = corpora.balanced(self.corpus, settings.balance)
        self.chances = corpora.chances(self.corpus, settings.even)
        self.teaching = distillation.Teaching(settings.mixup, settings.taught, networks)
        fingerprint = corpus.pictures.fingerprint
        identity = [name, asdict(settings), fingerprint, self.earlier, self.teachers]
        self.state: dict[str, Any] = {
            "identity": hashlib.sha256(json.dumps(identity).encode()).hexdigest(),
            "history": [],
            "started": now(),
        }
        self.train_batches = self._batches(self.corpus.train, shuffle=True)
        self.validation_batches = self._batches(self.corpus.validation, shuffle=False)

    def resume(self) -> None:
        """Continue from the checkpoint in `out`, if there is one.

        Raises:
            WeightsError: the checkpoint is damaged.
            MerError: it belongs to a training with other data or settings, or not all machines
                that train together see it.
        """
        exists = self._checkpoint.exists()
        if distributed.broadcast(exists) != exists:
            raise MerError(f"Not every machine sees {self._checkpoint}: share the folder --out.")
        if not exists:
            return
        if checkpoint.peek(self._checkpoint)["identity"] != self.state["identity"]:
            raise MerError(
                f"{self._checkpoint} belongs to a training with other data or settings. "
                "Choose another --out, or delete it to begin anew."
            )
        self.state = checkpoint.read(self._checkpoint, self._modules, self.optimizer)
        if distributed.first():
            print(f"resumed after epoch {len(self.history)}", flush=True)

    def fit(self) -> None:
        """Run the remaining epochs; stop early when patience ends."""
        patience = self.settings.patience
        while len(self.history) < self.settings.epochs and not schedule.stale(
            self.history, patience
        ):
            self._epoch()
            if distributed.first():
                print(schedule.line(self.history[-1]), flush=True)
                checkpoint.write(self._checkpoint, self._modules, self.optimizer, self.state)

    def finish(self) -> Path:
        """Write the best weights and the record."""
        network = self.best.module
        record = {
            "model": self.called,
            "architecture": self.name,
            "version": __version__,
            "classes": list(self.corpus.pictures.classes),
            "size": NETWORKS[self.name].size,
            "options": self.options,
            "parameters": sum(p.numel() for p in network.parameters()),
            "training": schedule.together([*self.earlier, self._stage()]),
            **self.inherited,
        }
        if distributed.first():
            store.save(network, self.called, record, self.out)
        return self.out / f"{self.called}.safetensors"

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry an epoch."""
        history: list[dict[str, float]] = self.state["history"]
        return history

    @property
    def _checkpoint(self) -> Path:
        return self.out / f"{self.called}.checkpoint"

    @property
    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average, "best": self.best}

    def _batches(self, rows: "np.ndarray[Any, np.dtype[np.int64]]", *, shuffle: bool) -> Batches:
        return Batches(
            self.corpus.pictures,
            rows,
            batch=self.settings.batch,
            copies=self.settings.copies if shuffle else 0,
            shuffle=shuffle,
            seed=self.settings.seed,
            draws=self.settings.draws if shuffle else 0,
            chances=self.chances if shuffle else None,
        )

    def _autocast(self) -> torch.autocast:
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _learning_rate(self, step: int) -> float:
        steps = self.settings.epochs * len(self.train_batches)
        return schedule.learning_rate(self.settings, step, steps)

    def _epoch(self) -> None:
        number = len(self.history)
        began, cpu = time.perf_counter(), time.process_time()
        loss, right = self.train_epoch(number)
        scores = distributed.broadcast(self._scores() if distributed.first() else None)
        entry = {
            "epoch": number + 1,
            "train_loss": loss,
            "train_accuracy": right,
            "validation_loss": scores["loss"],
            "validation_accuracy": scores["accuracy"],
            "learning_rate": self._learning_rate((number + 1) * len(self.train_batches) - 1),
            "seconds": time.perf_counter() - began,
            "cpu_seconds": distributed.all_reduce([time.process_time() - cpu])[0],
        }
        if scores["accuracy"] > max((e["validation_accuracy"] for e in self.history), default=0):
            self.best.load_state_dict(self.average.state_dict())
        self.history.append(entry)

    def _scores(self) -> dict[str, float]:
        """Return loss and accuracy of the averaged weights on the validation pictures."""
        network = cast(BaseClasificacionImagenes, self.average.module)
        with self._autocast():
            return network.evaluate(arriving(self.validation_batches, self.device))

    def train_epoch(self, number: int) -> tuple[float, float]:
        """Train for one epoch; return its mean loss and accuracy."""
        # Dropout's seed differs between processes, since each has other rows.
        torch.manual_seed(self.settings.seed * 1_000_003 + number + distributed.rank() * 2**40)
        rng = np.random.default_rng((self.settings.seed, number, 1))  # for mixup
        self.train_batches.start(number)
        self.model.train()
        steps = len(self.train_batches)
        sums = torch.zeros(2, device=self.device)  # on the device: reading it each step would wait
        hidden = None if distributed.first() else True  # None hides it where stderr is no terminal
        batches = arriving(self.train_batches, self.device)
        for index, batch in enumerate(
            tqdm(batches, f"epoch {number + 1}", steps, leave=False, disable=hidden)
        ):
            rate = self._learning_rate(number * steps + index)
            self.optimizer.param_groups[0]["lr"] = rate
            with self._autocast():
                taught = self.teaching(batch, rng)
                loss, right = self.step(taught, len(batch[0]), self.settings.label_smoothing)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.average.update_parameters(self.model)
            sums += torch.stack([loss.detach(), right])
        loss_mean, right_mean = distributed.all_reduce(
            (sums / steps / distributed.world_size()).tolist()
        )
        return loss_mean, right_mean

    def _stage(self) -> dict[str, Any]:
        settings, started = self.settings, self.state["started"]
        return schedule.stage(
            self.corpus, settings, self.teachers, self.device, self.history, started
        )
