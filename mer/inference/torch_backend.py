"""Networks run by torch: those without a fitting ONNX graph, and for comparison."""

from pathlib import Path

import numpy as np
import torch

from mer.weights import store


class TorchNetwork:
    """A network run by torch. Threads may share it.

    Attributes:
        size: height and width of the input, in pixels.
    """

    def __init__(self, name: str, *, folder: Path | None = None) -> None:
        """Load a network by its name, from `folder` or from where the shipped ones lie.

        Raises:
            WeightsError: its weights or their record are missing, damaged or foreign.
        """
        network, _ = store.load(name, folder=folder)
        self.size = network.size
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, pixels: np.ndarray, mirrored: bool = True) -> np.ndarray:
        """Logits, float32 (2, n, classes), of uint8 (n, size, size, 3) and of its mirror images.

        Without those: float32 (1, n, classes).
        """
        # The view keeps the channels last in memory, the layout in which the CPU is quickest.
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255)
        with torch.inference_mode():  # holds for this thread alone
            logits = self._network(torch.cat([batch, batch.flip(3)]) if mirrored else batch)
        views: np.ndarray = logits.reshape(1 + mirrored, len(pixels), -1).numpy()
        return views
