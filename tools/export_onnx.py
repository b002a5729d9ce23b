"""Writes the networks' graphs for ONNX Runtime, without weights: `python -m tools.export_onnx`.

To be run again when a network's code changes, with the package `onnx` installed. The weights stay
in their one file; `mer.inference.backends` puts both together.
"""

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mer.inference.backends import path_of
from mer.models.base import BaseClasificacionImagenes
from mer.models.registry import MODELS

if TYPE_CHECKING:
    import onnx


class Pixels(nn.Module):
    """A network from pixels as they come."""

    def __init__(self, network: BaseClasificacionImagenes) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels, uint8 (n, size, size, 3), to logits (n, classes)."""
        logits: Tensor = self.network(pixels.permute(0, 3, 1, 2).float() / 255)
        return logits


def graph(name: str) -> bytes:
    """The graph of network `name` as an ONNX file whose weights lie outside, under their names."""
    import onnx

    network = MODELS[name]().eval()
    for value in network.state_dict().values():  # equal ones would be merged
        value.copy_(torch.rand_like(value) if value.is_floating_point() else value)
    model = onnx.load_model_from_string(_traced(Pixels(network), network.size))
    for tensor in model.graph.initializer:
        tensor.name = tensor.name.removeprefix("network.")
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights")
    for node in model.graph.node:
        for place, used in enumerate(node.input):
            node.input[place] = used.removeprefix("network.")
    _pad_within(model.graph)
    content: bytes = model.SerializeToString()
    return content


def _pad_within(graph: "onnx.GraphProto") -> None:
    """Let convolutions pad by themselves, as they can to one side only, unlike torch's: no copies.

    Those of ours that need it pad by one pixel, right and below. What counted that out goes.
    """
    pads = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Pad"}
    for node in graph.node:
        if node.op_type == "Conv" and node.input[0] in pads:
            node.input[0] = pads[node.input[0]]
            (told,) = (one for one in node.attribute if one.name == "pads")
            told.ints[:] = [0, 0, 1, 1]  # above, left, below, right
    wanted = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)


def _traced(network: nn.Module, size: int) -> bytes:
    pixels = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    with tempfile.NamedTemporaryFile() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the newer exporter renames the weights
        torch.onnx.export(
            network,
            (pixels,),
            file.name,
            dynamo=False,
            input_names=["pixels"],
            output_names=["logits"],
            dynamic_axes={"pixels": {0: "n"}, "logits": {0: "n"}},
            opset_version=17,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,  # else batch norms change their weights
        )
        return Path(file.name).read_bytes()


def main() -> None:
    """Write the graph of every network in the registry."""
    for name in MODELS:
        path = path_of(name)
        path.write_bytes(graph(name))
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
