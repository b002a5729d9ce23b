"""Training of one network on one or several data sets, resumable, with a record of how."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, cast

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn, optim
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from mer.data import dataset
from mer.data.augmentation import Batches
from mer.data.dataset import Corpus
from mer.emotions import EMOTIONS
from mer.errors import MerError, WeightsError
from mer.io.files import atomic, remove_leftovers
from mer.models.base import BaseClasificacionImagenes, Batch
from mer.models.registry import MODELS, NETWORKS
from mer.training.config import Settings, check_names
from mer.training.devices import arriving, get_default_device, selected_device
from mer.version import __version__
from mer.weights import store
from mer.weights.provenance import machine, now, versions

# What is printed of an epoch.
LINE: Final = (
    "epoch {epoch:3.0f}  train loss {train_loss:.3f} accuracy {train_accuracy:.3f}  "
    "validation loss {validation_loss:.3f} accuracy {validation_accuracy:.3f}  {seconds:.0f} s"
)
_STATE: Final = {"identity": str, "history": list, "started": str}  # of a training


def train(
    model: str, data: Sequence[Path], *, out: Path, settings: Settings, start: Path | None = None,
    name: str | None = None, classes: Sequence[str] = EMOTIONS, cut: Sequence[Path] = (),
    build: "Callable[..., Run] | None" = None,
) -> Path:  # fmt: skip
    """Train network `model`, write its weights and record to `out`; the path of the weights.

    A training that was stopped or killed goes on from its last epoch when it is called again, and
    ends with the same weights as one without a stop. It learns from the training part of `data` and
    of `cut`, whose pictures show more than a face, see `mer.data.dataset.load`. It begins with the
    weights `start`, whose stages are kept in the record. `name` is that of a custom network, and
    `build` makes the `Run` of `tools.training`.

    Raises MerError: unknown network, unusable data, start, checkpoint, name or classes.
    """
    if model not in MODELS:
        raise MerError(f"There is no network called {model!r}; choose {', '.join(MODELS)}.")
    check_names(model, name or model, classes, out)
    size, fraction, seed = NETWORKS[model].size, settings.validation, settings.seed
    corpus = dataset.gather(data, size, fraction=fraction, seed=seed, classes=classes, cut=cut)
    if not len(corpus.train) or not len(corpus.validation):
        raise MerError("There are too few pictures to hold some out for validation. Add some.")
    return (build or Run)(model, corpus, settings, out, start, name or model).trained()


class Run:
    """The state of one training: network, moving average, best weights, optimizer, history."""

    first = True  # whether this process prints and writes: `tools.training` shares a training out

    def __init__(
        self, name: str, corpus: Corpus, settings: Settings, out: Path, start: Path | None,
        called: str,
    ) -> None:  # fmt: skip
        self.name, self.corpus, self.settings, self.out = name, corpus, settings, out
        self.called = called
        self.checkpoint_file = out / f"{called}.checkpoint"
        torch.manual_seed(settings.seed)
        self.device = get_default_device()
        classes = len(corpus.pictures.classes)
        other = {"classes": classes} if classes != len(EMOTIONS) else {}
        chosen = {option: getattr(settings, option) for option in NETWORKS[name].options}
        self.options = chosen | other
        network = self.built()
        earlier = store.read_start(network, start) if start else {}
        self.earlier = earlier.get("training", {}).get("stages", [])
        # A custom network is tested on other pictures.
        keys = ("test_reads", "origin") if called == name else ("origin",)
        self.inherited = {key: earlier[key] for key in keys if key in earlier}
        self.model = selected_device(network, self.device).to(memory_format=torch.channels_last)
        average = get_ema_multi_avg_fn(settings.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        self.best = AveragedModel(self.model, use_buffers=True)
        self._modules = {"model": self.model, "average": self.average, "best": self.best}
        self.optimizer = optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        identity = [name, asdict(settings), corpus.pictures.fingerprint, self.earlier]
        self.state: dict[str, Any] = {
            "identity": hashlib.sha256(json.dumps(identity).encode()).hexdigest(),
            "history": [],
            "started": now(),
        }
        self.train_batches = self.batches_to_learn()
        self.validation_batches = Batches(
            corpus.pictures, corpus.validation, batch=settings.batch, seed=settings.seed
        )

    def built(self) -> BaseClasificacionImagenes:
        """The network with random weights."""
        return MODELS[self.name](**self.options)

    def batches_to_learn(self) -> Batches:
        """What an epoch learns from."""
        how, pictures, rows = self.settings, self.corpus.pictures, self.corpus.train
        return Batches(
            pictures, rows, batch=how.batch, copies=how.copies, shuffle=True, seed=how.seed
        )

    def trained(self) -> Path:
        """Train from the checkpoint on, or from the beginning; the path of the weights."""
        self.resume()
        self.fit()
        return self.finish()

    def resume(self) -> None:
        """Continue from the checkpoint in `out`, if there is one.

        Raises WeightsError: it is damaged; MerError: it is of other data or settings.
        """
        remove_leftovers(self.checkpoint_file)
        if self.checkpoint_file.exists():
            identity = self.state["identity"]
            self.state = read_checkpoint(
                self.checkpoint_file, self._modules, self.optimizer, identity
            )
            if self.first:
                print(f"resumed after epoch {len(self.history)}", flush=True)

    def fit(self) -> None:
        """Run the remaining epochs; stop early when patience ends."""
        how = self.settings
        while (done := len(self.history)) < how.epochs and done - self._best < how.patience:
            self.epoch()
            if self.first:
                print(LINE.format(**self.history[-1]), flush=True)
                write_checkpoint(self.checkpoint_file, self._modules, self.optimizer, self.state)

    def finish(self) -> Path:
        """Write the best weights and the record."""
        network, stages = self.best.module, [*self.earlier, self.stage()]
        record = {
            "model": self.called,
            "architecture": self.name,
            "version": __version__,
            "classes": list(self.corpus.pictures.classes),
            "size": NETWORKS[self.name].size,
            "options": self.options,
            "parameters": sum(p.numel() for p in network.parameters()),
            "training": {
                "seconds": sum(stage["seconds"] for stage in stages),
                "cpu_seconds": sum(stage["cpu_seconds"] for stage in stages),
                "finished": stages[-1]["finished"],
                "stages": stages,
            },
            **self.inherited,
        }
        if self.first:
            store.save(network, self.called, record, self.out)
        return self.out / f"{self.called}.safetensors"

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry an epoch."""
        history: list[dict[str, float]] = self.state["history"]
        return history

    def autocast(self) -> torch.autocast:
        """Arithmetic in the precision of the settings."""
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _learning_rate(self, step: int) -> float:
        """A rise over the first tenth of the steps in all epochs, then half a cosine to zero."""
        steps, highest = self.settings.epochs * len(self.train_batches), self.settings.learning_rate
        rise = max(steps // 10, 1)
        if step < rise:
            return highest * (step + 1) / rise
        part = (step - rise) / max(steps - rise, 1)
        return highest * (1 + math.cos(math.pi * part)) / 2

    @property
    def _best(self) -> int:
        """The epoch of the highest validation accuracy, the first of equal ones; 0 before all."""
        scores = [entry["validation_accuracy"] for entry in self.history]
        return scores.index(max(scores)) + 1 if scores else 0

    def epoch(self) -> None:
        """Train for one more epoch, and take down how it went."""
        number = len(self.history)
        began, cpu = time.perf_counter(), time.process_time()
        loss, right = self.train_epoch(number)
        scores = self.scores()
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

    def scores(self) -> dict[str, float]:
        """Return loss and accuracy of the averaged weights on the validation pictures."""
        network = cast(BaseClasificacionImagenes, self.average.module)
        with self.autocast():
            return network.evaluate(arriving(self.validation_batches, self.device))

    def train_epoch(self, number: int) -> tuple[float, float]:
        """Train for one epoch; return its mean loss and accuracy."""
        torch.manual_seed(self.seed(number))
        self.train_batches.start(number)
        self.model.train()
        steps = len(self.train_batches)
        sums = torch.zeros(2, device=self.device)  # on the device: reading it each step would wait
        hidden = None if self.first else True  # None hides it where stderr is no terminal
        batches = arriving(self.train_batches, self.device)
        for index, batch in enumerate(
            tqdm(batches, f"epoch {number + 1}", steps, leave=False, disable=hidden)
        ):
            rate = self._learning_rate(number * steps + index)
            self.optimizer.param_groups[0]["lr"] = rate
            with self.autocast():
                loss, right = self.learn(batch)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.average.update_parameters(self.model)
            sums += torch.stack([loss.detach(), right])
        loss_mean, right_mean = (sums / steps).tolist()
        return loss_mean, right_mean

    def seed(self, number: int) -> int:
        """Of all that is random in an epoch, such as dropout."""
        return self.settings.seed * 1_000_003 + number

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Loss, to be differentiated, and accuracy of a batch."""
        loss, right = self.model.training_step(batch, self.settings.label_smoothing)
        return loss, right

    def stage(self) -> dict[str, Any]:
        """What the record says of this training."""
        return {
            "name": " + ".join(part["name"] for part in self.corpus.description),
            "data": self.corpus.description,
            "settings": asdict(self.settings),
            "seed": self.settings.seed,
            "device": str(self.device),
            "threads": torch.get_num_threads(),
            "machine": machine(),
            "versions": versions(),
            "history": self.history,
            "best_epoch": self._best,
            "seconds": sum(entry["seconds"] for entry in self.history),
            "cpu_seconds": sum(entry["cpu_seconds"] for entry in self.history),
            "started": self.state["started"],
            "finished": now(),
        }


def write_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizer: optim.Optimizer, state: dict[str, Any]
) -> None:
    """Store modules, optimizer and the JSON-like `state` at `path` in one step."""
    tensors = {
        f"{m}.{k}": v for m, module in modules.items() for k, v in module.state_dict().items()
    }
    for number, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": value for key, value in slots.items()}
    dense = {key: value.contiguous() for key, value in tensors.items()}
    with atomic(path) as temporary:
        save_file(dense, temporary, metadata={"state": json.dumps(state)})


def read_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizer: optim.Optimizer, identity: str
) -> dict[str, Any]:
    """Fill modules and optimizer from `path` and return the `state` stored with them.

    Raises WeightsError: the file is damaged; MerError: it is of a training of another identity.
    """
    try:
        with safe_open(path, "pt") as file:
            state: dict[str, Any] = json.loads(file.metadata()["state"])
            if any(not isinstance(state[name], kind) for name, kind in _STATE.items()):
                raise ValueError("no state of a training")
            if state["identity"] != identity:
                raise MerError(
                    f"{path} belongs to a training with other data or settings. "
                    "Choose another --out, or delete it to begin anew."
                )
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        parts: dict[str, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            part, _, name = key.partition(".")
            parts.setdefault(part, {})[name] = tensor
        for name, module in modules.items():
            module.load_state_dict(parts[name], strict=True)
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in parts.get("optimizer", {}).items():
            number, slot = key.split(".")
            slots.setdefault(int(number), {})[slot] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": slots, "param_groups": groups})
    except MerError:
        raise
    except Exception as error:  # a damaged or foreign file raises errors of many kinds
        raise WeightsError(f"The checkpoint {path} is damaged. Delete it to begin anew.") from error
    return state
