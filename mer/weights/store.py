"""Weights in half-precision safetensors, and beside each a JSON record of how it was made."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from safetensors import SafetensorError, numpy

from mer.emotions import EMOTIONS
from mer.errors import WeightsError
from mer.io import files
from mer.models.registry import MODELS
from mer.weights import hub, schema

if TYPE_CHECKING:  # torch takes seconds to import, and the page does not need it
    import torch

    from mer.models.base import BaseClasificacionImagenes

FOLDER: Final[Path] = Path(
    os.environ.get("MER_WEIGHTS") or Path(__file__).resolve().parents[2] / "weights"
)
_MEND: Final[str] = "Restore it with `git checkout -- weights`, or train the network again."

MOST_RECORD: Final = 20_000_000  # bytes

Record = dict[str, Any]
Network = TypeVar("Network", bound="torch.nn.Module")
Model = TypeVar("Model")


def names(folder: Path | None = None) -> list[str]:
    """Return the registry's networks, then custom ones, whose record names an architecture."""
    found = sorted(path.stem for path in (folder or FOLDER).glob("*.json"))
    return [*MODELS, *(name for name in found if name not in MODELS and _is_own(name, folder))]


def _is_own(name: str, folder: Path | None) -> bool:
    try:
        return read_record(name, folder=folder).get("architecture") in MODELS
    except WeightsError:
        return False


def available() -> list[str]:
    """Names of the networks that have weights, those of the registry first, in its order."""
    return [name for name in names() if (FOLDER / f"{name}.safetensors").is_file()]


def classes(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the classes of a network, in the order of its outputs.

    Raises:
        WeightsError: the record names another number of classes than the network has.
    """
    found = tuple(record.get("classes", EMOTIONS))
    if len(found) != record.get("options", {}).get("classes", len(EMOTIONS)):
        raise WeightsError(f"A record names {len(found)} classes, not those it has. {_MEND}")
    return found


def home(name: str) -> Path:
    """Where network `name` lies: in FOLDER, or where it was fetched from the Hub to.

    Raises:
        WeightsError: $MER_HUB names no pinned revision, or the Hub knows no such repository.
    """
    return hub.folder(name) or FOLDER


def read_record(name: str, *, folder: Path | None = None) -> Record:
    """The record of network `name`.

    Raises:
        WeightsError: the record is missing or is no JSON object for this network.
    """
    path = (folder or home(name)) / f"{name}.json"
    try:
        record = schema.checked(_read(path, MOST_RECORD))
    except ValueError as error:
        raise WeightsError(f"The record {_name(path)} is damaged ({error}). {_MEND}") from error
    if record["model"] != name:
        raise WeightsError(f"The record {_name(path)} is not one of {name}. {_MEND}")
    return record


def write_record(name: str, record: Record, *, folder: Path | None = None) -> None:
    """Write the record of network `name` in one step."""
    files.write_json((folder or FOLDER) / f"{name}.json", record)


def architecture(name: str, *, folder: Path | None = None) -> str:
    """The name in the registry of what network `name` is built like.

    Raises:
        WeightsError: there is no such network, or its record is missing or damaged.
    """
    known = names(folder or home(name))
    if name not in known:
        raise WeightsError(f"There is no network called {name!r}; choose {', '.join(known)}.")
    return name if name in MODELS else str(read_record(name, folder=folder)["architecture"])


def arrays(name: str, *, folder: Path | None = None) -> tuple[dict[str, np.ndarray], Record]:
    """The weights of network `name` by their names, in float32 but for counts, and its record.

    Raises:
        WeightsError: the weights or their record are missing, truncated or foreign.
    """
    path = (folder or home(name)) / f"{name}.safetensors"
    content = _read(path)
    record = read_record(name, folder=folder)
    if hashlib.sha256(content).hexdigest() != record.get("file", {}).get("sha256"):
        raise WeightsError(
            f"{_name(path)} is not the file that its record names (checksum). {_MEND}"
        )
    try:
        half = numpy.load(content)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise foreign(name, folder) from error
    return {k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in half.items()}, record


def read_verified(file: str, sha256: str, name: str) -> bytes:
    """The content of a third party's file among the weights; `name` says in errors what it is.

    Raises:
        WeightsError: it cannot be read, or its checksum is another.
    """
    path = FOLDER / file
    mend = f"Restore it with `git checkout -- weights/{file}`."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"The {name} {path} cannot be read. {mend}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(f"The {name} {path} is damaged. {mend}")
    return content


def foreign(name: str, folder: Path | None = None) -> WeightsError:
    """Return the error for weights that do not belong to network `name`."""
    path = (folder or home(name)) / f"{name}.safetensors"
    return WeightsError(f"{_name(path)} does not hold the weights of {name}. {_MEND}")


def load(name: str, *, folder: Path | None = None) -> tuple[BaseClasificacionImagenes, Record]:
    """Network `name` in float32 and evaluation mode, with its record.

    Raises:
        WeightsError: unknown network, or weights that are missing, truncated or foreign.
    """
    model, record = load_as(MODELS[architecture(name, folder=folder)], name, folder=folder)
    classes(record)
    return model, record


def load_as(
    build: Callable[..., Network], name: str, *, folder: Path | None = None
) -> tuple[Network, Record]:
    """The network that `build` makes with the record's options, as `load` gives one.

    Raises:
        WeightsError: the weights or their record are missing, truncated or foreign.
    """
    import torch

    found, record = arrays(name, folder=folder)
    try:
        model = build(**record.get("options", {}))
        tensors = {key: torch.from_numpy(one) for key, one in found.items()}
        model.load_state_dict(tensors, strict=True)
    except (RuntimeError, TypeError) as error:
        raise foreign(name, folder) from error
    return model.eval(), record


def read_start(model: BaseClasificacionImagenes, path: Path) -> Record:
    """Fill `model` with the weights at `path` and return their record.

    Where they are of a network with more or fewer classes, all but its last layer is taken.

    Raises:
        WeightsError: the file or the record beside it is missing, damaged or of another kind.
    """
    loaded, record = load(path.stem, folder=path.parent)
    if type(loaded) is not type(model):
        raise WeightsError(f"{_name(path)} is of another kind of network: choose another --start.")
    own, given = model.state_dict(), loaded.state_dict()
    if own.keys() != given.keys():
        raise WeightsError(f"{_name(path)} was trained with other options: choose another --start.")
    fits = {key: one for key, one in given.items() if one.shape == own[key].shape}
    model.load_state_dict(own | fits, strict=True)
    return record


def load_linear(
    build: Callable[..., Model], name: str, shape: tuple[int, int], *, folder: Path | None = None
) -> Model:
    """What `build` makes of a linear model's weight (outputs, inputs), bias and options.

    Raises:
        WeightsError: its weights or their record are missing, truncated or foreign.
    """
    tensors, record = arrays(name, folder=folder)
    try:
        weight, bias = (tensors[f"linear.{part}"] for part in ("weight", "bias"))
        if weight.shape != shape or bias.shape != shape[:1]:
            raise ValueError
        return build(weight, bias, **record.get("options", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise foreign(name, folder) from error


def save_linear(
    weight: np.ndarray, bias: np.ndarray, name: str, record: Record, folder: Path
) -> None:
    """Write a linear model as `save` writes a network."""
    _save({"linear.weight": weight, "linear.bias": bias}, name, record, folder)


def save(model: torch.nn.Module, name: str, record: Record, folder: Path) -> None:
    """Write `<folder>/<name>.safetensors` in half precision, and the record beside it."""
    _save(
        {key: value.cpu().numpy() for key, value in model.state_dict().items()},
        name,
        record,
        folder,
    )


def _save(tensors: Mapping[str, np.ndarray], name: str, record: Record, folder: Path) -> None:
    half = {
        key: np.ascontiguousarray(value.astype(np.float16) if value.dtype.kind == "f" else value)
        for key, value in tensors.items()
    }
    content = numpy.save(half)
    with files.atomic(folder / f"{name}.safetensors") as path:
        path.write_bytes(content)
    file = {
        "name": f"{name}.safetensors",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_record(name, record | {"file": file}, folder=folder)


def _name(path: Path) -> str:
    """Folder and file: enough to find it, and visitors of the page learn no more."""
    return f"{path.parent.name}/{path.name}"


def _read(path: Path, most: int | None = None) -> bytes:
    try:
        if most is not None and path.stat().st_size > most:
            raise WeightsError(f"{_name(path)} is larger than any record. {_MEND}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise WeightsError(f"{_name(path)} is missing. {_MEND}") from error
    except OSError as error:
        raise WeightsError(f"{_name(path)} cannot be read ({error.strerror}). {_MEND}") from error
