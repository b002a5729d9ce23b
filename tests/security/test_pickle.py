"""Nothing that could run a stranger's program is ever loaded."""

import ast
import hashlib
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from mer.errors import ImageError, MerError, WeightsError
from mer.io import images
from mer.io.video import Video
from mer.models.cnn import CNN1
from mer.training.trainer import read_checkpoint
from mer.weights import store

ROOT = Path(__file__).resolve().parents[2]
# Modules and functions that turn data into a program.
MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
CALLS = {
    *("torch.load", "torch.jit.load", "torch.hub.load", "torch.package", "np.load"),
    *("pandas.read_pickle", "pd.read_pickle", "yaml.load", "yaml.unsafe_load"),
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen"),
}


def sources() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "mer").rglob("*.py"))]


def found(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
            yield ast.unparse(node)


def test_the_search_finds_what_it_looks_for() -> None:
    program = "import pickle\nfrom dill import loads\ntorch.load('x')\nnp.load('x')\neval('x')"
    assert len(list(found(ast.parse(program)))) == 5


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_source_loads_none(path: Path) -> None:
    assert list(found(ast.parse(path.read_text(encoding="utf-8")))) == []


class _Evil:
    """Leaves a file behind when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.fixture(params=["pickle", "torch", "numpy"])
def evil(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[bytes]:
    """A file that is a program, which must not have run in the end."""
    trace, path = tmp_path / "it ran", tmp_path / "evil"
    with path.open("wb") as file:
        if request.param == "pickle":
            pickle.dump(_Evil(trace), file)
        elif request.param == "torch":
            torch.save({"weight": _Evil(trace)}, file)
        else:
            np.save(file, np.array([_Evil(trace)]), allow_pickle=True)
    yield path.read_bytes()
    assert not trace.exists()


def test_a_pickle_called_safetensors_is_refused(evil: bytes, tmp_path: Path) -> None:
    store.save(CNN1(), "cnn1", {"model": "cnn1"}, tmp_path)
    record = json.loads((tmp_path / "cnn1.json").read_text())
    record["file"]["sha256"] = hashlib.sha256(evil).hexdigest()
    (tmp_path / "cnn1.json").write_text(json.dumps(record))
    (tmp_path / "cnn1.safetensors").write_bytes(evil)
    with pytest.raises(WeightsError, match="does not hold the weights of cnn1"):
        store.load("cnn1", folder=tmp_path)


def test_a_pickle_in_the_place_of_a_checkpoint_is_refused(evil: bytes, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(evil)
    model = torch.nn.Linear(2, 2)
    with pytest.raises(WeightsError, match="Delete it to begin anew"):
        read_checkpoint(path, {"model": model}, torch.optim.SGD(model.parameters(), lr=1.0), "")


def test_a_pickle_in_the_place_of_a_picture_or_a_video_is_refused(
    evil: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "face.png"
    path.write_bytes(evil)
    with pytest.raises(ImageError):
        images.read(path)
    with pytest.raises(MerError):
        Video(path)
