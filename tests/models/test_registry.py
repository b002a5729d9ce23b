"""Three networks are the paper's, layers counted and heads as printed; all are small."""

import ast
import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import mer
from mer.errors import WeightsError
from mer.models.base import BaseClasificacionImagenes
from mer.models.cnn import CNN1, CNN2
from mer.models.mobilenet import SFace
from mer.models.registry import MODELS, NETWORKS
from mer.models.resnet18 import ModeloMERCNN
from mer.training.config import Settings
from mer.weights import store
from tools import import_sface

SIZES = [("cnn1", 12), ("cnn2", 12), ("resnet18", 23), ("sface", 12), ("faceres", 12)]  # megabytes


def kinds(model: nn.Module, *types: type[nn.Module]) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, types)]


def test_the_registry_is_known_without_torch() -> None:
    program = "import sys; from mer.models.registry import MODELS; assert 'cnn1' in MODELS; "
    program += "list(MODELS); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_says_how_its_class_is_built(name: str) -> None:
    entry = NETWORKS[name]
    parameters = inspect.signature(MODELS[name]).parameters.values()
    options = {one.name: one.default for one in parameters if one.name != "classes"}
    assert options == entry.options
    assert options.keys() <= {field.name for field in dataclasses.fields(Settings)}
    assert MODELS[name].size == entry.size
    assert entry.description


def test_no_other_module_names_a_network() -> None:
    """A new one is its file and its entry; what the paper printed names three of them, too."""
    package = Path(mer.__file__).parent
    for path in set(package.rglob("*.py")) - {package / "results" / "paper.py"}:
        if path.parent.name != "models":
            tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            texts = {node.value for node in tree if isinstance(node, ast.Constant)}
            assert not texts & set(NETWORKS), path


def test_no_pictures_give_no_logits() -> None:
    for network in MODELS.values():
        model = network().eval()
        assert model(torch.zeros(0, 3, network.size, network.size)).shape == (0, 7)


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_gives_seven_logits_each(name: str) -> None:
    model = MODELS[name]().eval()
    assert model(torch.rand(2, 3, model.size, model.size)).shape == (2, 7)


def test_cnn1_has_nine_convolutions_in_three_blocks_and_no_dropout() -> None:
    model = CNN1()
    assert len(kinds(model, nn.Conv2d)) == 9
    assert len(kinds(model, nn.MaxPool2d)) == 3
    assert len(kinds(model, nn.Linear)) == 3
    assert not kinds(model, nn.Dropout)
    assert isinstance(list(model.classifier)[-1], nn.Linear)
    order = [type(m) for m in model.features if isinstance(m, nn.Conv2d | nn.MaxPool2d)]
    assert order == [nn.Conv2d, nn.Conv2d, nn.Conv2d, nn.MaxPool2d] * 3


def test_cnn2_has_twelve_convolutions_in_four_blocks_and_dropout_behind_1024_and_512() -> None:
    model = CNN2()
    assert len(kinds(model, nn.Conv2d)) == 12
    assert len(kinds(model, nn.MaxPool2d)) == 4
    linear = [m for m in model.classifier if isinstance(m, nn.Linear)]
    assert [m.out_features for m in linear] == [1024, 512, 7]
    behind: dict[int, float] = {}
    units = 0
    for module in model.classifier:
        units = module.out_features if isinstance(module, nn.Linear) else units
        if isinstance(module, nn.Dropout):
            behind[units] = module.p
    assert behind == {1024: 0.5, 512: 0.5}


def test_resnet18_has_the_papers_head() -> None:
    model = ModeloMERCNN()
    assert isinstance(model.base_model.fc, nn.Identity)
    reduction = list(model.feature_reduction)
    assert [type(m) for m in reduction] == [nn.Linear, nn.ReLU]
    assert reduction[0].out_features == 512
    assert [m.out_features for m in model.regularization if isinstance(m, nn.Linear)] == [7]
    # 17 convolutions and one linear layer make the 18; three more convolutions are shortcuts.
    assert len(kinds(model.base_model, nn.Conv2d)) == 20


@pytest.mark.parametrize("name", ["cnn1", "cnn2"])
def test_batch_normalisation_is_an_option(name: str) -> None:
    network = {"cnn1": CNN1, "cnn2": CNN2}[name]
    assert not kinds(network(norm=False), nn.BatchNorm2d)
    assert len(kinds(network(norm=True), nn.BatchNorm2d)) == len(kinds(network(), nn.Conv2d))


@pytest.mark.parametrize(("name", "megabytes"), SIZES)
def test_files_in_half_precision_stay_small(name: str, megabytes: int) -> None:
    model = MODELS[name]()
    assert sum(v.numel() * 2 for v in model.state_dict().values()) < megabytes * 1e6
    if name in store.available():
        assert (store.FOLDER / f"{name}.safetensors").stat().st_size < megabytes * 1e6


def test_every_picture_counts_once_in_a_validation() -> None:
    steps = [
        {"n": 3.0, "loss": 1.0, "accuracy": 1.0},
        {"n": 1.0, "loss": 5.0, "accuracy": 0.0},
    ]
    scores = BaseClasificacionImagenes().validation_epoch_end(steps)
    assert scores == {"loss": 2.0, "accuracy": 0.75}


@pytest.mark.parametrize("name", ["sface", "faceres"])
def test_ours_have_at_most_five_million_parameters_and_leave_their_first_blocks(name: str) -> None:
    model = MODELS[name]()
    assert sum(p.numel() for p in model.parameters()) < 5e6
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    loss, _ = model.training_step((torch.rand(2, 3, model.size, model.size), torch.eye(7)[:2]))
    loss.backward()  # type: ignore[no-untyped-call]
    still = {name for name, p in model.named_parameters() if p.grad is None}
    assert still == {name for name in before if name.startswith("low.")}


def test_sface_import_refuses_another_file(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="is not face_recognition_sface"):
        import_sface.convert(other, tmp_path)


def test_sface_says_the_same_whether_it_learns_or_answers() -> None:
    model = SFace().eval()
    batch = torch.rand(2, 3, 80, 80)
    learning = model(batch)
    with torch.inference_mode():
        assert torch.allclose(model(batch), learning, atol=1e-4)
