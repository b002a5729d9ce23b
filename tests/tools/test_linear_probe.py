"""The linear probe of pretrained trunks, with tiny ones and a made-up file of two layers."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from mer.errors import DataError, WeightsError
from mer.models.faceres import Convolution
from mer.models.mobilenet import FROZEN
from mer.models.registry import FaceRes
from mer.models.torchvision_import import import_models
from mer.weights import store
from tools import import_faceres, linear_probe, trunks

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


class Coloured(nn.Module):
    """A trunk that tells colours, which is what `tiny_data` differs in, and an empty map."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 7, 1)

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([self.layer(images), torch.zeros_like(images[:, :1])], dim=1)


@pytest.fixture
def trunk() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Coloured().eval()


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "mobilenet_v2.safetensors"
    for content in (None, b"", b"no network"):
        if content is not None:
            broken.write_bytes(content)
        with pytest.raises(WeightsError, match="is not torchvision's mobilenet_v2"):
            trunks.mobilenet(broken)
    save_file({"features.0.0.weight": torch.zeros(1)}, broken)
    with pytest.raises(WeightsError, match="is not torchvision's mobilenet_v2"):
        trunks.mobilenet(broken)
    with pytest.raises(WeightsError, match="is missing"):
        trunks.sface(tmp_path / "sface.safetensors")


@pytest.mark.parametrize("graph", ["", "[]", "{}", '{"weightsManifest": [{"weights": []}]}'])
def test_a_folder_without_faceres_is_refused(tmp_path: Path, graph: str) -> None:
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        trunks.faceres(tmp_path)
    (tmp_path / "faceres-deep.json").write_text(graph)
    (tmp_path / "faceres-deep.bin").write_bytes(b"")
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        trunks.faceres(tmp_path)


def test_a_truncated_faceres_is_refused(tmp_path: Path) -> None:
    faceres_folder(tmp_path)
    content = tmp_path / "faceres-deep.bin"
    content.write_bytes(content.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        trunks.faceres(tmp_path)


def test_a_graph_without_a_convolution_is_refused(tmp_path: Path) -> None:
    graph = {"modelTopology": {"node": []}, "weightsManifest": [{"weights": []}]}
    (tmp_path / "faceres-deep.json").write_text(json.dumps(graph))
    (tmp_path / "faceres-deep.bin").write_bytes(b"")
    with pytest.raises(WeightsError, match="does not hold faceres-deep"):
        trunks.faceres(tmp_path)


def whole_faceres(folder: Path) -> None:
    """Write as many convolutions as HSE-FaceRes has, of its sizes and with random values."""
    random, nodes, entries, content = np.random.default_rng(0), [], [], b""
    for number, module in enumerate(m for m in FaceRes().modules() if isinstance(m, Convolution)):
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
    images, trunk = torch.rand(1, 3, 112, 112), trunks.faceres(tmp_path)
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
        torch.testing.assert_close(trunks.faceres(tmp_path)(images), expected, rtol=0, atol=1e-3)


def test_mobilenet_is_read_and_sees_what_imagenet_training_showed(tmp_path: Path) -> None:
    model = import_models().mobilenet_v2()
    save_file(model.state_dict(), tmp_path / "given.safetensors")
    images = torch.rand(1, 3, 32, 32)
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    shown = (images - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(deviation).view(3, 1, 1)
    with torch.inference_mode():
        expected = model.eval().features(shown)
        torch.testing.assert_close(
            trunks.mobilenet(tmp_path / "given.safetensors")(images), expected
        )


def test_sface_gives_what_its_head_is_given(stand_in_weights: Path) -> None:
    trunk = trunks.sface(stand_in_weights / "sface.safetensors")
    model, _ = store.load("sface", folder=stand_in_weights)
    images = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        logits = model.get_submodule("head")(trunk(images).mean((2, 3)))
        torch.testing.assert_close(logits, model(images))


def test_features_do_not_know_a_picture_from_its_mirror_image(trunk: nn.Module) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    given = linear_probe.features(nn.Conv2d(3, 5, 3, stride=2), pictures, 12)
    assert given.shape == (3, 5)
    seen, mirrored = (
        linear_probe.features(trunk, p, 8)
        for p in (pictures, np.ascontiguousarray(pictures[:, :, ::-1]))
    )
    torch.testing.assert_close(seen, mirrored)


def test_a_penalty_is_chosen_on_rows_it_did_not_learn_from() -> None:
    random = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 7, (140,), generator=random)
    rows = functional.one_hot(labels, 7) + 0.1 * torch.randn(140, 7, generator=random)
    held = torch.arange(140) < 14
    penalty = linear_probe.chosen(rows, labels, held)
    assert penalty in linear_probe.PENALTIES
    layer = linear_probe.fit(rows, labels, penalty)
    assert (layer(rows).argmax(1) == labels).all()
    strong = linear_probe.fit(rows, labels, max(linear_probe.PENALTIES))
    weak = linear_probe.fit(rows, labels, min(linear_probe.PENALTIES))
    assert strong.weight.norm() < weak.weight.norm()


def test_no_data_set_is_said(tmp_path: Path, trunk: nn.Module) -> None:
    with pytest.raises(DataError, match="There is no folder or zip file"):
        linear_probe.table({"colours": trunk}, tmp_path / "none", [16])


def test_the_table_has_a_line_for_each_start_and_size(tiny_data: Path, trunk: nn.Module) -> None:
    lines = linear_probe.table({"one": trunk, "two": trunk}, tiny_data, [8, 16]).splitlines()
    head, _, *cells = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    assert [row[:2] for row in cells] == [["one", "8"], ["two", "8"], ["one", "16"], ["two", "16"]]
    assert {len(row) for row in cells} == {len(head)}
    assert cells[0][2:4] == ["0.00 million", "8"]
    for row in cells:
        assert float(row[4]) >= 0
        assert float(row[5].rstrip("%")) > 50  # seven colours: chance is a seventh
        assert float(row[6]) == pytest.approx(float(row[5].rstrip("%")) / 100, abs=0.001)


def test_fewer_rows_are_drawn_the_same_each_time(tiny_data: Path, trunk: nn.Module) -> None:
    def figures() -> list[str]:
        return linear_probe.table({"colours": trunk}, tiny_data, [8], rows=20).split("|")[-3:-1]

    assert figures() == figures()
