"""HSE-FaceRes's published files become a start for faceres; here of made-up values."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mer.errors import WeightsError
from mer.models.mobilenet import FROZEN, FaceRes, FaceResConvolution
from mer.weights import store
from tools import import_faceres

KERNELS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("first/kernel", (3, 3, 3, 4)),
    ("first/shift", (4,)),
    ("second/kernel", (3, 3, 4, 1)),
    ("second/factor", (4,)),
    ("second/shift", (4,)),
)


def faceres_folder(folder: Path) -> dict[str, np.ndarray]:
    """Write a convolution and a depthwise one of stride 2, as tfjs does; return what they hold."""
    random = np.random.default_rng(0)
    held = {name: random.normal(size=shape).astype(np.float32) for name, shape in KERNELS}
    nodes = [
        {"name": "first/kernel", "op": "Const"},
        node("Conv2D", "first/kernel", stride=1),
        node("Add", "first/shift"),
        {"name": "first/Relu", "op": "Relu", "input": ["before"]},
        node("DepthwiseConv2dNative", "second/kernel", stride=2),
        node("Mul", "second/factor"),
        node("Add", "second/shift"),
        node("Mean", "axes"),
        node("Conv2D", "no kernel", stride=1),  # beyond the trunk
    ]
    entries = [{"name": n, "shape": list(v.shape), "dtype": "float32"} for n, v in held.items()]
    graph = {
        "modelTopology": {"node": nodes},
        "weightsManifest": [{"paths": ["faceres-deep.bin"], "weights": entries}],
    }
    (folder / "faceres-deep.json").write_text(json.dumps(graph))
    (folder / "faceres-deep.bin").write_bytes(b"".join(v.tobytes() for v in held.values()))
    return held


def node(op: str, constant: str, stride: int = 0) -> dict[str, Any]:
    strides = {"strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}}}
    attributes = strides if stride else {}
    return {"name": op, "op": op, "input": ["before", constant], "attr": attributes}


class Normalised(nn.Module):
    """Images (n, 3, h, w) in 0..1 as the published network was used to see them, in BGR."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flip(1) * 255 - torch.tensor(import_faceres.SEEN).view(3, 1, 1)


def published(folder: Path) -> nn.Sequential:
    return nn.Sequential(Normalised(), *import_faceres.read(folder)).eval()


@pytest.mark.parametrize("graph", ["", "[]", "{}", '{"weightsManifest": [{"weights": []}]}'])
def test_a_folder_without_faceres_is_refused(tmp_path: Path, graph: str) -> None:
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        import_faceres.read(tmp_path)
    (tmp_path / "faceres-deep.json").write_text(graph)
    (tmp_path / "faceres-deep.bin").write_bytes(b"")
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        import_faceres.read(tmp_path)


def test_a_truncated_faceres_is_refused(tmp_path: Path) -> None:
    faceres_folder(tmp_path)
    content = tmp_path / "faceres-deep.bin"
    content.write_bytes(content.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        import_faceres.read(tmp_path)


def test_a_graph_without_a_convolution_is_refused(tmp_path: Path) -> None:
    graph = {"modelTopology": {"node": []}, "weightsManifest": [{"weights": []}]}
    (tmp_path / "faceres-deep.json").write_text(json.dumps(graph))
    (tmp_path / "faceres-deep.bin").write_bytes(b"")
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        import_faceres.read(tmp_path)


def whole_faceres(folder: Path) -> None:
    """Write as many convolutions as HSE-FaceRes has, of its sizes and with random values."""
    random, nodes, entries, content = np.random.default_rng(0), [], [], b""
    for number, module in enumerate(
        m for m in FaceRes().modules() if isinstance(m, FaceResConvolution)
    ):
        out, channels, size, _ = module.weight.shape
        deep = module.groups > 1
        shape = (size, size, out, 1) if deep else (size, size, channels, out)
        spread = (2 / (size * size * channels)) ** 0.5
        for name, values in {
            f"{number}/kernel": random.normal(scale=spread, size=shape),
            f"{number}/shift": random.normal(scale=0.1, size=out),
        }.items():
            content += values.astype(np.float32).tobytes()
            entries.append({"name": name, "shape": list(values.shape), "dtype": "float32"})
        op = "DepthwiseConv2dNative" if deep else "Conv2D"
        nodes += [
            node(op, f"{number}/kernel", stride=module.stride[0]),
            node("Add", f"{number}/shift"),
        ]
    graph = {
        "modelTopology": {"node": [*nodes, node("Mean", "axes")]},
        "weightsManifest": [{"paths": ["faceres-deep.bin"], "weights": entries}],
    }
    (folder / "faceres-deep.json").write_text(json.dumps(graph))
    (folder / "faceres-deep.bin").write_bytes(content)


def test_faceres_begins_where_face_recognition_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match="is not that of @vladmandic"):
        import_faceres.convert(tmp_path, tmp_path)
    whole_faceres(tmp_path)
    with pytest.raises(WeightsError, match="is not that of @vladmandic"):
        import_faceres.convert(tmp_path, tmp_path)
    checksum = hashlib.sha256((tmp_path / "faceres-deep.bin").read_bytes()).hexdigest()
    monkeypatch.setattr(import_faceres, "SHA256", checksum)
    path = import_faceres.convert(tmp_path, tmp_path / "out")
    model, _ = store.load("faceres", folder=path.parent)
    assert isinstance(model, FaceRes)
    images, trunk = torch.rand(1, 3, 112, 112), published(tmp_path)
    inside = slice(4, -4)  # beyond the edge a picture is gray here, of the mean colour there
    with torch.inference_mode():
        given = model.low((images * 255 - 127.5) / 128)
        expected = trunk[: 1 + 2 * FROZEN - 1](images)  # the stem is one convolution
        torch.testing.assert_close(
            given[..., inside, inside], expected[..., inside, inside], rtol=0.02, atol=0.02
        )
        deep = trunk[2 * FROZEN :](given)
        torch.testing.assert_close(model.high(given), deep, rtol=0.02, atol=0.02)


@pytest.mark.parametrize(("size", "padding"), [(8, (0, 1, 0, 1)), (7, (1, 1, 1, 1))])
def test_faceres_is_read_with_tensorflows_padding(
    tmp_path: Path, size: int, padding: tuple[int, ...]
) -> None:
    held = {name: torch.from_numpy(value) for name, value in faceres_folder(tmp_path).items()}
    images = torch.rand(2, 3, size, size)
    mean = torch.tensor([103.939, 116.779, 123.68]).view(3, 1, 1)
    kernel = held["first/kernel"].permute(3, 2, 0, 1)
    first = functional.conv2d(images.flip(1) * 255 - mean, kernel, held["first/shift"], padding=1)
    kernel = held["second/kernel"].permute(2, 3, 0, 1)
    second = functional.conv2d(
        functional.pad(first.clamp(0, 6), padding), kernel, stride=2, groups=4
    )
    factor, shift = (held[f"second/{name}"].view(4, 1, 1) for name in ("factor", "shift"))
    expected = (second * factor + shift).clamp(0, 6)
    with torch.inference_mode():
        torch.testing.assert_close(published(tmp_path)(images), expected, rtol=0, atol=1e-3)
