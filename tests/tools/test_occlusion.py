"""Training what tells covered faces from bare ones: refused without faces, else it learns."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.errors import DataError
from mer.faces.quality import COVER, INPUTS, Cover
from mer.weights import store
from tools.occlusion import still, training


def turned(folder: Path, astronaut: np.ndarray) -> None:
    """Forty pictures of one face, each turned otherwise."""
    face = cv2.cvtColor(astronaut[60:230, 140:310], cv2.COLOR_RGB2GRAY)
    for number in range(40):
        turn = cv2.getRotationMatrix2D((85, 85), number / 2 - 10, 1)
        picture = cv2.warpAffine(face, turn, (170, 170), borderMode=cv2.BORDER_REPLICATE)
        cv2.imwrite(str(folder / f"{number:02}.png"), picture)


def test_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures"):
        training.fit(tmp_path, tmp_path)


def test_pictures_without_faces(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((48, 48), 128, np.uint8))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match="Hardly a face"):
        training.fit(tmp_path, tmp_path)


def test_it_learns_to_tell_covers(tmp_path: Path, astronaut: np.ndarray) -> None:
    turned(tmp_path, astronaut)
    said = training.fit(tmp_path, tmp_path / "out")
    _, record = store.arrays(COVER, folder=tmp_path / "out")
    model = store.load_linear(Cover, COVER, (2, INPUTS), folder=tmp_path / "out")
    assert "faces, penalty" in said
    assert record["evaluation"]["roc_area"] > 0.8
    assert model.rise > 0
    assert "dark glasses" in training.fit_glasses(tmp_path, tmp_path / "out")
    learned = store.load_linear(Cover, COVER, (2, INPUTS), folder=tmp_path / "out")
    assert np.array_equal(learned.weight[0], model.weight[0])  # the rest of the model stays
    _, record = store.arrays(COVER, folder=tmp_path / "out")
    assert record["evaluation"]["glasses_roc_area"] > 0.8


def test_the_score_of_pictures_is_measured(tmp_path: Path, astronaut: np.ndarray) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for name in ("cover.json", "cover.safetensors"):
        shutil.copy(store.FOLDER / name, weights)
    with pytest.raises(DataError, match="no faces"):
        still.measure([tmp_path], 10, weights)
    folder = tmp_path / "faces"
    folder.mkdir()
    for number in range(6):
        part = astronaut[40 + number : 260, 110:330]
        cv2.imwrite(str(folder / f"{number}.png"), part[..., ::-1])
    assert "| faces | " in still.measure([folder], 10, weights)
    _, record = store.arrays(COVER, folder=weights)
    assert set(record["evaluation"]["still"]) == {
        *("bare", "mask", "hand", "sunglasses", "plain glasses")
    }
    assert np.isfinite(record["options"]["still"]).all()
