"""Writes YuNet anew as two graphs that give the same answers sooner: `python -m tools.split_yunet`.

To be run with the package `onnx` installed, should OpenCV Zoo's file change. `stem` is all up to
feature maps of an eighth of the picture, which bands of a picture share out; `head` is the rest.
The four branches of each level, of 1, 1, 4 and 10 channels, become one of 16: ONNX Runtime computes
16 channels at once, and would compute most of them four times in vain.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mer.faces import detection
from mer.weights import store

if TYPE_CHECKING:
    import onnx

BRANCHES: Final = ("cls", "obj", "bbox", "kps")


def split(content: bytes) -> dict[str, bytes]:
    """The two graphs, by the names of their files.

    Args:
        content: OpenCV Zoo's file.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = onnx.load_model_from_string(content).graph
    _merge_branches(graph)
    _take_pixels(graph)
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "height", "width", 3])
    maps = ["n", 64, "rows", "columns"]
    stem = _part(graph, pixels, [detection.JOINT])
    between = helper.make_tensor_value_info(detection.JOINT, TensorProto.FLOAT, maps)
    head = _part(graph, between, detection.NAMES)
    return {detection.STEM[0]: stem, detection.HEAD[0]: head}


def _merge_branches(graph: "onnx.GraphProto") -> None:
    """Put one branch of 16 channels in the place of a level's four; outputs (1, 16, h, w)."""
    from onnx import helper, numpy_helper

    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for level, name in enumerate(detection.NAMES):
        stages: dict[str, list[Any]] = {"conv1": [], "conv2": []}
        for branch in BRANCHES:
            for stage, found in stages.items():
                start = f"bbox_head.multi_level_{branch}.{level}.{stage}"
                (node,) = (one for one in graph.node if f"{start}.weight" in one.input)
                found.append((node, values[f"{start}.weight"], values[f"{start}.bias"]))
        source = stages["conv1"][0][0].input[0]
        between = f"{name}_between"
        for stage, (given, made) in zip(stages, ((source, between), (between, name)), strict=True):
            weights, biases = (
                np.concatenate([one[part] for one in stages[stage]]) for part in (1, 2)
            )
            inputs = [f"{name}_{stage}_weight", f"{name}_{stage}_bias"]
            graph.initializer.extend(map(numpy_helper.from_array, (weights, biases), inputs))
            groups = {"conv1": 1, "conv2": len(weights)}[stage]
            edge = weights.shape[2] // 2
            graph.node.append(
                helper.make_node("Conv", [given, *inputs], [made], pads=[edge] * 4, group=groups)
            )


def _take_pixels(graph: "onnx.GraphProto") -> None:
    """Let the graph begin with a picture as it comes: red first, one byte a value."""
    from onnx import TensorProto, helper, numpy_helper

    first = graph.node[0]
    (weights,) = (one for one in graph.initializer if one.name == first.input[1])
    red_first = np.ascontiguousarray(numpy_helper.to_array(weights)[:, ::-1])
    weights.CopyFrom(numpy_helper.from_array(red_first, weights.name))
    planes = helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2])
    cast = helper.make_node("Cast", ["planes"], [first.input[0]], to=TensorProto.FLOAT)
    graph.node.insert(0, cast)
    graph.node.insert(0, planes)


def _part(graph: "onnx.GraphProto", given: "onnx.ValueInfoProto", wanted: list[str]) -> bytes:
    """The nodes that lead from the input `given` to the outputs `wanted`."""
    from onnx import TensorProto, helper

    nodes: list[onnx.NodeProto] = []
    needed = set(wanted)
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output) and given.name not in node.output:
            nodes.insert(0, node)
            needed.update(node.input)
    part = helper.make_graph(
        nodes,
        "yunet",
        [given],
        [helper.make_tensor_value_info(one, TensorProto.FLOAT, None) for one in wanted],
        [one for one in graph.initializer if one.name in needed],
    )
    opset = [helper.make_opsetid("", 11)]
    content: bytes = helper.make_model(part, opset_imports=opset, ir_version=6).SerializeToString()
    return content


def main() -> None:
    """Write both graphs beside the weights."""
    for name, content in split(store.read_verified(*detection.SOURCE, "face detector")).items():
        path = Path(store.FOLDER) / name
        path.write_bytes(content)
        print(f"{path.name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
