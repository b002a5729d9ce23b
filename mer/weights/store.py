"""Weights in half-precision safetensors, and beside each a JSON record of how it was made.

All that reads raises a WeightsError where a file is missing, damaged or not the named network's.
Files lie in `folder`; by default where they were fetched from the Hub to, or in FOLDER.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, numpy

from mer.emotions import EMOTIONS
from mer.errors import WeightsError
from mer.io import files
from mer.models.registry import MODELS

if TYPE_CHECKING:  # torch takes seconds to import, and the page does not need it
    import torch

    from mer.models.base import BaseClasificacionImagenes

FOLDER: Final[Path] = Path(
    os.environ.get("MER_WEIGHTS") or Path(__file__).resolve().parents[2] / "weights"
)
_MEND: Final = "Restore it with `git checkout -- weights`, or train the network again."

MOST_RECORD: Final = 20_000_000  # bytes
HUB: Final = "MER_HUB"
_PINNED: Final = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40})")
_NETWORK: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")  # names that may be part of an address

_log = logging.getLogger(__name__)

Record = dict[str, Any]
Network = TypeVar("Network", bound="torch.nn.Module")
Model = TypeVar("Model")

_Share = Annotated[float, Field(ge=0, le=1)]
_Name = Annotated[str, Field(min_length=1, max_length=100)]
_Amount = Annotated[float, Field(ge=0, le=1e12)]
_Count = Annotated[int, Field(ge=0, le=10**12)]
_Option = bool | int | float | str | None


class _Part(BaseModel):
    """What a part of a record has to be like; what else is in it is left alone."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class _File(_Part):
    name: _Name | None = None
    bytes: _Count | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class _Calibration(_Part):
    """How probabilities and answers are fitted, see `mer.evaluation.calibration`."""

    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    threshold: _Share = 0.0
    thresholds: dict[str, _Share | dict[_Name, _Share]] = {}
    zooms: list[Annotated[float, Field(ge=1, le=10)]] = [1.0]


class _Training(_Part):
    seconds: _Amount = 0.0
    cpu_seconds: _Amount = 0.0
    stages: list[dict[str, Any]] = []


class _Whole(_Part):
    model: _Name
    architecture: _Name | None = None
    version: Annotated[str, Field(max_length=100)] = ""
    classes: Annotated[list[_Name], Field(min_length=2, max_length=1000)] | None = None
    options: dict[str, _Option | list[_Option]] = {}
    parameters: _Count = 0
    test_reads: Annotated[int, Field(ge=0, le=10**6)] = 0
    file: _File = _File()
    calibration: _Calibration = _Calibration()
    training: _Training = _Training()
    evaluation: dict[str, Any] = {}


def names(folder: Path | None = None) -> list[str]:
    """The registry's networks, then custom ones, whose record names an architecture."""
    own = []
    for name in sorted({path.stem for path in (folder or FOLDER).glob("*.json")} - set(MODELS)):
        with contextlib.suppress(WeightsError):
            if read_record(name, folder=folder).get("architecture") in MODELS:
                own.append(name)
    return [*MODELS, *own]


def available() -> list[str]:
    """Names of the networks that have weights, those of the registry first, in its order."""
    return [name for name in names() if (FOLDER / f"{name}.safetensors").is_file()]


def classes(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes of a network, as many as it has, in the order of its outputs."""
    found = tuple(record.get("classes", EMOTIONS))
    if len(found) != record.get("options", {}).get("classes", len(EMOTIONS)):
        raise WeightsError(f"A record names {len(found)} classes, not those it has. {_MEND}")
    return found


def _path(name: str, ending: str, folder: Path | None) -> Path:
    return (folder or fetched(name) or FOLDER) / f"{name}.{ending}"


def fetched(name: str) -> Path | None:
    """Where the weights and the record of network `name` lie, fetched where that is needed.

    $MER_HUB says from where: `OWNER/NAME@REVISION`, a commit's 40 digits; any other, or one that
    the Hub does not know, is a WeightsError. None where the variable is not set, where that
    repository lacks this network, and, with a warning, where the Hub cannot be reached.
    """
    source = os.environ.get(HUB)
    return _fetched(source, name) if source and _NETWORK.fullmatch(name) else None


@functools.lru_cache(64)
def _fetched(source: str, name: str) -> Path | None:
    pinned = _PINNED.fullmatch(source)
    if pinned is None:
        text = f"{HUB} has to be OWNER/NAME@REVISION, with all 40 digits of the revision, so that"
        raise WeightsError(f"{text} weights never change unseen; it is {source!r}.")
    import httpx
    from huggingface_hub import errors, hf_hub_download

    repository, revision = pinned.groups()
    try:
        for ending in ("json", "safetensors"):
            path = hf_hub_download(repository, f"{name}.{ending}", revision=revision)
        return Path(path).parent
    except errors.EntryNotFoundError as error:
        if not isinstance(error, errors.LocalEntryNotFoundError):  # the Hub said so
            return None
    except (errors.HfHubHTTPError, errors.HFValidationError) as error:
        told = str(error).strip().splitlines()[0]
        raise WeightsError(f"The Hub does not give {source} ({told}). Mend {HUB}.") from error
    except (httpx.HTTPError, OSError):
        pass  # broken off on the way
    text = "The Hub cannot be reached, and %s was not fetched before: the weights at hand are used."
    _log.warning(text, name)
    return None


def read_record(name: str, *, folder: Path | None = None) -> Record:
    """The record of network `name`."""
    path = _path(name, "json", folder)
    try:
        # `int` refuses what Python takes for a number and JSON does not: NaN, Infinity.
        record: Record = json.loads(_read(path, MOST_RECORD), parse_constant=int)
        _Whole.model_validate(record)
    except RecursionError:
        reason = "nested too deep"
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "all of it"
        reason = f"{place[:100]}: {first['msg'][:100]}"
    except ValueError:
        reason = "no JSON"
    else:
        if record["model"] == name:
            return record
        raise WeightsError(f"The record {_shown(path)} is not one of {name}. {_MEND}")
    raise WeightsError(f"The record {_shown(path)} is damaged ({reason}). {_MEND}")


def write_record(name: str, record: Record, *, folder: Path | None = None) -> None:
    """Write the record of network `name` in one step."""
    files.write_json((folder or FOLDER) / f"{name}.json", record)


def architecture(name: str, *, folder: Path | None = None) -> str:
    """The name in the registry of what network `name` is built like."""
    known = names(_path(name, "json", folder).parent)
    if name not in known:
        raise WeightsError(f"There is no network called {name!r}; choose {', '.join(known)}.")
    return name if name in MODELS else str(read_record(name, folder=folder)["architecture"])


def arrays(name: str, *, folder: Path | None = None) -> tuple[dict[str, np.ndarray], Record]:
    """The weights of network `name` by their names, in float32 but for counts, and its record."""
    path = _path(name, "safetensors", folder)
    content = _read(path)
    record = read_record(name, folder=folder)
    if hashlib.sha256(content).hexdigest() != record.get("file", {}).get("sha256"):
        text = f"{_shown(path)} is not the file that its record names (checksum)."
        raise WeightsError(f"{text} {_MEND}")
    try:
        half = numpy.load(content)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise foreign(name, folder) from error
    return {k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in half.items()}, record


def read_verified(file: str, sha256: str, name: str) -> bytes:
    """The content of a third party's file among the weights; `name` says in errors what it is."""
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
    """The error for weights that do not belong to network `name`."""
    path = _shown(_path(name, "safetensors", folder))
    return WeightsError(f"{path} does not hold the weights of {name}. {_MEND}")


def load(name: str, *, folder: Path | None = None) -> tuple[BaseClasificacionImagenes, Record]:
    """Network `name` in float32 and evaluation mode, with its record."""
    model, record = load_as(MODELS[architecture(name, folder=folder)], name, folder=folder)
    classes(record)
    return model, record


def load_as(
    build: Callable[..., Network], name: str, *, folder: Path | None = None
) -> tuple[Network, Record]:
    """The network that `build` makes with the record's options, as `load` gives one."""
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
    """Fill `model` with the weights at `path`, less a last layer of other classes; their record."""
    loaded, record = load(path.stem, folder=path.parent)
    own, given = model.state_dict(), loaded.state_dict()
    if type(loaded) is not type(model) or own.keys() != given.keys():
        same = type(loaded) is type(model)
        other = "was trained with other options" if same else "is of another kind of network"
        raise WeightsError(f"{_shown(path)} {other}: choose another --start.")
    fits = {key: one for key, one in given.items() if one.shape == own[key].shape}
    model.load_state_dict(own | fits, strict=True)
    return record


def load_linear(
    build: Callable[..., Model], name: str, shape: tuple[int, int], *, folder: Path | None = None
) -> Model:
    """What `build` makes of `linear.weight` (outputs, inputs), `linear.bias` and options."""
    tensors, record = arrays(name, folder=folder)
    try:
        weight, bias = (tensors[f"linear.{part}"] for part in ("weight", "bias"))
        if weight.shape != shape or bias.shape != shape[:1]:
            raise ValueError
        return build(weight, bias, **record.get("options", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise foreign(name, folder) from error


def save(
    model: torch.nn.Module | Mapping[str, np.ndarray], name: str, record: Record, folder: Path
) -> None:
    """Write a network, or arrays by their names, in half precision, and the record beside it."""
    if not isinstance(model, Mapping):
        model = {key: value.cpu().numpy() for key, value in model.state_dict().items()}
    half = {k: v.astype(np.float16) if v.dtype.kind == "f" else v for k, v in model.items()}
    content = numpy.save({k: np.ascontiguousarray(v) for k, v in half.items()})
    with files.atomic(folder / f"{name}.safetensors") as path:
        path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file = {"name": f"{name}.safetensors", "bytes": len(content), "sha256": digest}
    write_record(name, record | {"file": file}, folder=folder)


def _shown(path: Path) -> str:
    """Folder and file: enough to find it, and visitors of the page learn no more."""
    return f"{path.parent.name}/{path.name}"


def _read(path: Path, most: int | None = None) -> bytes:
    try:
        if most is not None and path.stat().st_size > most:
            raise WeightsError(f"{_shown(path)} is larger than any record. {_MEND}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise WeightsError(f"{_shown(path)} is missing. {_MEND}") from error
    except OSError as error:
        raise WeightsError(f"{_shown(path)} cannot be read ({error.strerror}). {_MEND}") from error
