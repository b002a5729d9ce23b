"""Checkpoints: a training's whole state in one file, which is replaced in one step."""

import json
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn, optim

from mer.errors import MerError, WeightsError
from mer.io.files import atomic

# What reading a damaged or foreign file raises.
_DAMAGE: Final = (
    *(SafetensorError, RuntimeError, LookupError, ValueError, TypeError, AttributeError),
    *(OverflowError, OSError),
)


def write(
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


def read(
    path: Path, modules: dict[str, nn.Module], optimizer: optim.Optimizer, identity: str
) -> dict[str, Any]:
    """Fill modules and optimizer from `path` and return the `state` stored with them.

    Raises:
        WeightsError: the file is damaged.
        MerError: it belongs to a training of another identity.
    """
    try:
        with safe_open(path, "pt") as file:
            state = _state(file.metadata())
            if state["identity"] != identity:
                raise MerError(
                    f"{path} belongs to a training with other data or settings. "
                    "Choose another --out, or delete it to begin anew."
                )
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        for name, module in modules.items():
            module.load_state_dict(_below(tensors, name), strict=True)
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in _below(tensors, "optimizer").items():
            number, slot = key.split(".")
            slots.setdefault(int(number), {})[slot] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": slots, "param_groups": groups})
    except _DAMAGE as error:
        raise WeightsError(f"The checkpoint {path} is damaged. Delete it to begin anew.") from error
    return state


def _state(metadata: dict[str, str]) -> dict[str, Any]:
    state = json.loads(metadata["state"])
    known = {"identity": str, "history": list, "started": str}
    if not isinstance(state, dict) or any(
        not isinstance(state.get(name), kind) for name, kind in known.items()
    ):
        raise ValueError("no state of a training")
    return state


def _below(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
