"""Training: one network on one or several data sets, resumable, with a record to repeat it by."""

import hashlib
import json
import math
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

import mer
from mer import checkpoint, teaching, weights
from mer.augmentation import Batches
from mer.datasets import Corpus, gather
from mer.devices import DeviceDataLoader, get_default_device, selected_device
from mer.emotions import EMOTIONS
from mer.errors import MerError
from mer.models import MODELS
from mer.models.base import BaseClasificacionImagenes
from mer.provenance import machine, now, versions
from mer.settings import Settings


def train(
    model: str,
    data: Sequence[Path],
    *,
    out: Path,
    settings: Settings,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
) -> Path:
    """Train network `model` and write its weights and record to `out`.

    A training that was stopped, however hard, goes on from its last epoch when it is called
    again, and ends with the same weights as one that was left alone.

    Args:
        model: a name in `mer.models.MODELS`.
        data: data sets, as `mer.data.load` reads them; their training part is used.
        out: folder for weights, record and checkpoint.
        settings: see `Settings`.
        start: weights to begin with, whose record becomes the first part of the new one.
        teachers: weights of networks whose answers are learned beside the labels.

    Returns:
        Path of the weights.

    Raises:
        MerError: unknown network, unusable data, start, teacher or checkpoint.
    """
    if model not in MODELS:
        raise MerError(f"There is no network called {model!r}; choose {', '.join(MODELS)}.")
    corpus = gather(data, MODELS[model].size, fraction=settings.validation, seed=settings.seed)
    if not len(corpus.train) or not len(corpus.validation):
        raise MerError("There are too few pictures to hold some out for validation. Add some.")
    run = Run(model, corpus, settings, out, start, teachers)
    run.resume()
    run.fit()
    return run.finish()


class Run:
    """One training on its way: network, average, best so far, optimizer and history."""

    def __init__(
        self,
        name: str,
        corpus: Corpus,
        settings: Settings,
        out: Path,
        start: Path | None,
        teachers: Sequence[Path],
    ) -> None:
        self.name, self.corpus, self.settings, self.out = name, corpus, settings, out
        torch.manual_seed(settings.seed)
        self.device = get_default_device()
        extra = {"imagenet": True} if settings.imagenet and name == "resnet18" else {}
        network = MODELS[name](**settings.options(name), **extra)
        earlier = weights.read_start(network, name, start) if start else {}
        self.earlier = earlier.get("training", {}).get("stages", [])
        self.origin = {"origin": earlier["origin"]} if "origin" in earlier else {}
        self.model = selected_device(network, self.device).to(memory_format=torch.channels_last)
        average = get_ema_multi_avg_fn(settings.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        self.best = AveragedModel(self.model, use_buffers=True)
        self.optimizer = optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.teachers = teaching.fingerprints(teachers)
        networks = teaching.read_teachers(teachers, self.device)
        if networks and settings.once:
            with self._autocast():
                targets = teaching.taught_targets(
                    networks, corpus.pictures, corpus.train, settings.taught, self.device
                )
            self.corpus = replace(corpus, pictures=replace(corpus.pictures, targets=targets))
            networks = []
        self.teaching = teaching.Teaching(settings.mixup, settings.taught, networks)
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
        """Take up the checkpoint in `out`, if there is one.

        Raises:
            WeightsError: it is damaged.
            MerError: it belongs to a training with other data or settings.
        """
        if not self._checkpoint.exists():
            return
        if checkpoint.peek(self._checkpoint)["identity"] != self.state["identity"]:
            raise MerError(
                f"{self._checkpoint} belongs to a training with other data or settings. "
                "Choose another --out, or delete it to begin anew."
            )
        self.state = checkpoint.read(self._checkpoint, self._modules, self.optimizer)
        print(f"resumed after epoch {len(self.history)}", flush=True)

    def fit(self) -> None:
        """Run the epochs that are left, until patience ends."""
        while len(self.history) < self.settings.epochs and not self._stale():
            self._epoch()
            checkpoint.write(self._checkpoint, self._modules, self.optimizer, self.state)

    def finish(self) -> Path:
        """Write the best weights and the record."""
        network = self.best.module
        record = {
            "model": self.name,
            "version": mer.__version__,
            "classes": list(EMOTIONS),
            "size": MODELS[self.name].size,
            "options": self.settings.options(self.name),
            "parameters": sum(p.numel() for p in network.parameters()),
            "training": self._training_record(),
            **self.origin,  # of weights that came from elsewhere: their source and licence
        }
        weights.save(network, self.name, record, self.out)
        return self.out / f"{self.name}.safetensors"

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry an epoch."""
        history: list[dict[str, float]] = self.state["history"]
        return history

    @property
    def _checkpoint(self) -> Path:
        return self.out / f"{self.name}.checkpoint"

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
        )

    def _autocast(self) -> torch.autocast:
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _learning_rate(self, step: int) -> float:
        """A rise over the first tenth of all steps, then half a cosine to zero."""
        total = self.settings.epochs * len(self.train_batches)
        rise = max(total // 10, 1)
        if step < rise:
            return self.settings.learning_rate * (step + 1) / rise
        part = (step - rise) / max(total - rise, 1)
        return self.settings.learning_rate * (1 + math.cos(math.pi * part)) / 2

    def _epoch(self) -> None:
        number = len(self.history)
        began, cpu = time.perf_counter(), time.process_time()
        loss, right = self._train_epoch(number)
        with self._autocast():
            scores = cast(BaseClasificacionImagenes, self.average.module).evaluate(
                DeviceDataLoader(self.validation_batches, self.device)
            )
        entry = {
            "epoch": number + 1,
            "train_loss": loss,
            "train_accuracy": right,
            "validation_loss": scores["loss"],
            "validation_accuracy": scores["accuracy"],
            "learning_rate": self._learning_rate((number + 1) * len(self.train_batches) - 1),
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
        }
        if scores["accuracy"] > max((e["validation_accuracy"] for e in self.history), default=0):
            self.best.load_state_dict(self.average.state_dict())
        self.history.append(entry)
        print(_line(entry), flush=True)

    def _train_epoch(self, number: int) -> tuple[float, float]:
        """One pass over originals and copies; mean loss and accuracy on them."""
        torch.manual_seed(self.settings.seed * 1_000_003 + number)  # dropout's
        rng = np.random.default_rng((self.settings.seed, number, 1))  # mixup's
        self.train_batches.epoch = number
        self.model.train()
        loader = DeviceDataLoader(self.train_batches, self.device)
        sums = np.zeros(2)
        for index, batch in enumerate(
            tqdm(loader, f"epoch {number + 1}", leave=False, disable=None)
        ):
            rate = self._learning_rate(number * len(loader) + index)
            self.optimizer.param_groups[0]["lr"] = rate
            with self._autocast():
                taught = self.teaching(batch, rng)
                loss, right = self.model.training_step(taught, self.settings.label_smoothing)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.average.update_parameters(self.model)
            sums += loss.item(), right.item()
        loss_mean, right_mean = (sums / len(loader)).tolist()
        return loss_mean, right_mean

    def _best_epoch(self) -> int:
        """The epoch of the highest validation accuracy, counted from 1."""
        scores = [entry["validation_accuracy"] for entry in self.history]
        return scores.index(max(scores)) + 1

    def _stale(self) -> bool:
        done = len(self.history)
        return done > 0 and done - self._best_epoch() >= self.settings.patience

    def _training_record(self) -> dict[str, Any]:
        stage = {
            "name": " + ".join(part["name"] for part in self.corpus.description),
            "data": self.corpus.description,
            "settings": asdict(self.settings),
            "teachers": self.teachers,
            "seed": self.settings.seed,
            "device": str(self.device),
            "threads": torch.get_num_threads(),
            "machine": machine(),
            "versions": versions(),
            "history": self.history,
            "best_epoch": self._best_epoch(),
            "seconds": sum(entry["seconds"] for entry in self.history),
            "cpu_seconds": sum(entry["cpu_seconds"] for entry in self.history),
            "started": self.state["started"],
            "finished": now(),
        }
        stages = [*self.earlier, stage]
        return {
            "seconds": sum(s["seconds"] for s in stages),
            "cpu_seconds": sum(s["cpu_seconds"] for s in stages),
            "finished": stage["finished"],
            "stages": stages,
        }


def _line(entry: dict[str, float]) -> str:
    return (
        f"epoch {entry['epoch']:3d}  train loss {entry['train_loss']:.3f} "
        f"accuracy {entry['train_accuracy']:.3f}  validation loss {entry['validation_loss']:.3f} "
        f"accuracy {entry['validation_accuracy']:.3f}  {entry['seconds']:.0f} s"
    )
