"""Fixtures that the whole suite shares: a real face, a tiny data set, stand-in weights."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import skimage.data
from PIL import Image

from mer.emotions import COLORS, EMOTIONS

# Read when gradio and huggingface_hub are first imported: no test reaches for the network.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

if TYPE_CHECKING:
    from gradio_client import Client


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with MER_NO_SKIP=1 that skipped a test: CI has all that the tests ask for."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("MER_NO_SKIP") != "1" or reporter is None:
        return
    skipped = [report.nodeid for report in reporter.stats.get("skipped", [])]
    if skipped:
        reporter.ensure_newline()
        reporter.line(f"MER_NO_SKIP=1, and {len(skipped)} skipped: {', '.join(skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def mer_data() -> Path:
    """The folder of real data sets that the environment variable MER_DATA names."""
    folder = os.environ.get("MER_DATA")
    if not folder:
        pytest.skip("MER_DATA is not set to a folder with the real data sets")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"MER_DATA names no folder: {path}")
    return path.resolve()


@pytest.fixture
def astronaut() -> np.ndarray:
    """A real face: Eileen Collins, public-domain NASA photograph, RGB uint8 (512, 512, 3)."""
    picture: np.ndarray = skimage.data.astronaut()
    return picture


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 7 x 8 pictures of 80x80: train/<class>/<class>1.jpg to 6, test/ with 7 and 8.

    Each is smooth noise of its own, tinted in its class's colour: a network can learn the
    classes, and no two are twins but one pair: `test/anger/anger8.jpg` is
    `train/anger/anger1.jpg`, compressed more, so they differ as files and as pixels.
    """
    folder = tmp_path_factory.mktemp("tiny_data")
    random = np.random.default_rng(0)
    for label in EMOTIONS:
        for number in range(1, 9):
            split = "train" if number <= 6 else "test"
            _save(_picture(random, label), folder / split / label / f"{label}{number}.jpg")
    with Image.open(folder / "train" / "anger" / "anger1.jpg") as original:
        original.save(folder / "test" / "anger" / "anger8.jpg", quality=50)
    return folder


def _picture(random: np.random.Generator, label: str) -> Image.Image:
    noise = Image.fromarray(random.integers(0, 256, (10, 10), dtype=np.uint8))
    smooth = np.asarray(noise.resize((80, 80), Image.Resampling.BICUBIC), np.float32) / 255
    tint = np.array([int(COLORS[label][i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    return Image.fromarray((smooth[..., None] * tint).astype(np.uint8))


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=95)


@pytest.fixture(scope="session")
def _untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from mer.models.registry import MODELS
    from mer.weights import store

    folder = tmp_path_factory.mktemp("untrained")
    for name in MODELS:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            store.save(MODELS[name](), name, {"model": name, "version": "0.0.0"}, folder)
    return folder


@pytest.fixture
def stand_in_weights(
    _untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A weights folder with untrained networks, the same in each run, in place of the shipped.

    The face detector and what tells covered faces are linked to where they lie; programs that a
    test starts see the folder too.
    """
    from mer.inference.predictor import get_predictor
    from mer.weights import store

    folder = tmp_path / "weights"
    shutil.copytree(_untrained, folder)
    shipped = (
        path for kind in ("*.onnx", "*.tflite", "cover.*") for path in store.FOLDER.glob(kind)
    )
    for path in shipped:
        (folder / path.name).symlink_to(path)
    monkeypatch.setattr(store, "FOLDER", folder)
    monkeypatch.setenv("MER_WEIGHTS", str(folder))
    get_predictor.cache_clear()
    yield folder
    get_predictor.cache_clear()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a page that the tests of a module share."""
    from mer import ui

    page = ui.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    yield address
    page.close()


@pytest.fixture(scope="module")
def client(url: str) -> "Client":
    """A program that calls this page."""
    from gradio_client import Client

    return Client(url, verbose=False)
