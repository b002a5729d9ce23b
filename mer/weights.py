"""Weights and the record beside each: half-precision safetensors and a JSON of how they came."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from mer.errors import WeightsError
from mer.models import MODELS, BaseClasificacionImagenes

FOLDER: Final[Path] = Path(
    os.environ.get("MER_WEIGHTS") or Path(__file__).resolve().parent.parent / "weights"
)
_MEND: Final[str] = "Restore it with `git checkout -- weights`, or train the network again."

Record = dict[str, Any]
Network = TypeVar("Network", bound=torch.nn.Module)


def available() -> list[str]:
    """Names of the networks that have weights, in the registry's order."""
    return [name for name in MODELS if (FOLDER / f"{name}.safetensors").is_file()]


def read_record(name: str, *, folder: Path | None = None) -> Record:
    """The record of network `name`.

    Raises:
        WeightsError: the record is missing or is no JSON object for this network.
    """
    path = (folder or FOLDER) / f"{name}.json"
    try:
        record = json.loads(_read(path))
    except ValueError as error:
        raise WeightsError(f"The record {_name(path)} is damaged. {_MEND}") from error
    if not isinstance(record, dict) or record.get("model") != name:
        raise WeightsError(f"The record {_name(path)} is not one of {name}. {_MEND}")
    return record


def write_record(name: str, record: Record, *, folder: Path | None = None) -> None:
    """Write the record of network `name` in one step: readers see the old or the new one."""
    text = json.dumps(record, indent=1, allow_nan=False)
    with atomic((folder or FOLDER) / f"{name}.json") as path:
        path.write_text(text + "\n", encoding="utf-8")


def load(name: str, *, folder: Path | None = None) -> tuple[BaseClasificacionImagenes, Record]:
    """Network `name` in float32 and evaluation mode, with its record.

    Raises:
        WeightsError: unknown network, or weights that are missing, truncated or foreign.
    """
    if name not in MODELS:
        raise WeightsError(f"There is no network called {name!r}; choose {', '.join(MODELS)}.")
    return load_as(MODELS[name], name, folder=folder)


def load_as(
    build: Callable[..., Network], name: str, *, folder: Path | None = None
) -> tuple[Network, Record]:
    """The network that `build` makes with the record's options, as `load` gives one.

    Raises:
        WeightsError: the weights or their record are missing, truncated or foreign.
    """
    path = (folder or FOLDER) / f"{name}.safetensors"
    content = _read(path)
    record = read_record(name, folder=folder)
    if hashlib.sha256(content).hexdigest() != record.get("file", {}).get("sha256"):
        raise WeightsError(
            f"{_name(path)} is not the file that its record names (checksum). {_MEND}"
        )
    try:
        model = build(**record.get("options", {}))
        fill(model, load_tensors(content))
    except (SafetensorError, RuntimeError, TypeError) as error:
        raise WeightsError(f"{_name(path)} does not hold the weights of {name}. {_MEND}") from error
    return model.eval(), record


def read_start(model: BaseClasificacionImagenes, name: str, path: Path) -> Record:
    """Fill `model` with the weights at `path` and return their record.

    Raises:
        WeightsError: the file or the record beside it is missing, damaged or another network's.
    """
    loaded, record = load(name, folder=path.parent)
    model.load_state_dict(loaded.state_dict(), strict=True)
    return record


def fill(model: torch.nn.Module, tensors: dict[str, Tensor]) -> None:
    """Copy `tensors` into `model`: every key and every shape has to fit.

    Raises:
        RuntimeError: a key is missing or left over, or a shape differs.
    """
    full = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    model.load_state_dict(full, strict=True)


def save(model: torch.nn.Module, name: str, record: Record, folder: Path) -> None:
    """Write `<folder>/<name>.safetensors` in half precision, and the record beside it."""
    half = {
        key: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for key, value in model.state_dict().items()
    }
    content = save_tensors(half)
    with atomic(folder / f"{name}.safetensors") as path:
        path.write_bytes(content)
    file = {
        "name": f"{name}.safetensors",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_record(name, record | {"file": file}, folder=folder)


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp's files are private
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _name(path: Path) -> str:
    """Folder and file: enough to find it, and visitors of the page learn no more."""
    return f"{path.parent.name}/{path.name}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise WeightsError(f"{_name(path)} is missing. {_MEND}") from error
    except OSError as error:
        raise WeightsError(f"{_name(path)} cannot be read ({error.strerror}). {_MEND}") from error
