"""What computes a network: ONNX Runtime, which needs no torch, or torch where no graph fits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from mer.models.registry import NETWORKS
from mer.weights import store
from mer.weights.onnx_session import Session, alone, cores, shared_out


def path_of(architecture: str) -> Path:
    """Return the path of a network's ONNX graph, which `tools.export_onnx` writes."""
    return Path(__file__).parent.parent / "models" / f"{architecture}.onnx"


def fits(architecture: str, options: Mapping[str, Any]) -> bool:
    """Whether the ONNX graph of an architecture fits a network with the options in its record."""
    usual = NETWORKS[architecture].options
    as_usual = all(usual.get(name) == chosen for name, chosen in options.items())
    return as_usual and path_of(architecture).is_file()


class OnnxNetwork:
    """A network's ONNX graph with weights, for pictures of `size` pixels. Threads may share it."""

    def __init__(
        self, architecture: str, arrays: Mapping[str, np.ndarray], *, threads: int = 0
    ) -> None:
        """Put graph and weights (see `store.arrays`) together, or raise ValueError.

        So many threads share the pictures; 0 for one a core.
        """
        values = {k: v for k, v in arrays.items() if v.dtype == np.float32}
        try:
            self._session = Session(path_of(architecture).read_bytes(), values)
        except (errors.Fail, errors.InvalidArgument, errors.RuntimeException) as error:
            raise ValueError(f"These are not the weights of {architecture}.") from error
        self._threads = threads or cores()
        self.size: int = self._session.shape("pixels")[1]

    def __call__(self, pixels: np.ndarray, mirrored: bool = True) -> np.ndarray:
        """Logits, float32 (1 or 2, n, classes), of uint8 (n, size, size, 3), then mirrored ones."""
        views = np.concatenate([pixels, pixels[:, :, ::-1]]) if mirrored else pixels
        parts = 1 if alone() else min(self._threads, len(views))
        answers = shared_out(self._run, np.array_split(views, parts))
        return np.concatenate(answers).reshape(1 + mirrored, len(pixels), -1)

    def _run(self, views: np.ndarray) -> np.ndarray:
        return self._session(["logits"], {"pixels": views})[0]


class TorchNetwork:
    """A network run by torch, as `OnnxNetwork`."""

    def __init__(self, name: str, *, folder: Path | None = None) -> None:
        """Load a network as `store.load` does."""
        import torch

        network, _ = store.load(name, folder=folder)
        self.size = network.size
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, pixels: np.ndarray, mirrored: bool = True) -> np.ndarray:
        """Logits as of `OnnxNetwork`."""
        import torch

        # The view keeps the channels last in memory, the layout in which the CPU is quickest.
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255)
        with torch.inference_mode():  # holds for this thread alone
            logits = self._network(torch.cat([batch, batch.flip(3)]) if mirrored else batch)
        return np.asarray(logits.reshape(1 + mirrored, len(pixels), -1))
