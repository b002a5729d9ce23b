"""A worker tells what is in pictures and videos, and why it cannot; nothing ends it."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from benchmarks.synthetic import clips
from mer.batch.scoring import DEATHS, FIGURES, Task, Worker
from mer.errors import WeightsError
from mer.inference.predictor import Predictor, get_predictor
from mer.io.sources import Item, find
from mer.io.video import write_clip
from mer.results import tables
from mer.weights import store

Score = Callable[[list[Item]], dict[str, pd.DataFrame]]


@pytest.fixture
def task(stand_in_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    checksum = store.read_record("cnn1")["file"]["sha256"]
    return Task("run", "cnn1", "yunet", checksum)


@pytest.fixture
def score(task: Task) -> Score:
    """Scores items as one part, and gives its tables."""
    worker = Worker(task)

    def scored(items: list[Item]) -> dict[str, pd.DataFrame]:
        (row,) = worker(pa.table({"items": [json.dumps(items)]})).to_pylist()
        assert all(row.pop(name) > 0 for name in FIGURES)
        return {name: read(content) for name, content in row.items() if content}

    return scored


def read(content: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(content))


@pytest.fixture
def faces(tmp_path: Path, astronaut: np.ndarray) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    Image.fromarray(astronaut).save(folder / "astronaut.jpg")
    Image.new("RGB", (90, 90)).save(folder / "black.png")
    (folder / "broken.jpg").write_text("no picture")
    (folder / "empty.png").touch()
    (folder / "torn.mp4").write_text("no video")
    return folder


def test_weights_that_are_others_elsewhere(task: Task) -> None:
    with pytest.raises(WeightsError, match="are others on one of the machines"):
        Worker(Task(task.run, task.model, task.detector, "0" * 64))


def test_each_item_has_a_row_and_what_cannot_be_read_a_reason(score: Score, faces: Path) -> None:
    made_tables = score(find(str(faces)))
    assert made_tables.keys() == {"faces", "errors", "items"}
    items = made_tables["items"].set_index("file")
    assert items["kind"].to_dict() == {
        **dict.fromkeys(("astronaut.jpg", "black.png", "broken.jpg", "empty.png"), "picture"),
        "torn.mp4": "video",
    }
    assert items.index[items["read"]].tolist() == ["astronaut.jpg", "black.png"]
    assert items["found"].tolist() == [1, 0, 0, 0, 0]
    reasons = made_tables["errors"].set_index("file")["reason"]
    assert "not a picture" in reasons["broken.jpg"]
    assert "empty" in reasons["empty.png"]
    assert "not a video" in reasons["torn.mp4"]


def test_faces_are_those_of_the_predictor(
    score: Score, faces: Path, astronaut: np.ndarray, stand_in_weights: Path
) -> None:
    path = str(faces / "astronaut.jpg")
    table = score([Item("astronaut.jpg", path)])["faces"]
    predictor = get_predictor("cnn1")
    found = predictor.predict(np.asarray(Image.open(path)))
    wanted = tables.table([("astronaut.jpg", found)], predictor).assign(time=table["time"])
    pd.testing.assert_frame_equal(table, wanted, check_dtype=False, atol=1e-5)


def test_pictures_in_a_zip(score: Score, faces: Path, tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(faces.iterdir()):
            archive.write(file, file.name)
    made_tables = score([*find(str(path)), Item("gone.jpg", str(path), "gone.jpg")])
    assert made_tables["faces"]["file"].tolist() == ["astronaut.jpg"]
    reasons = made_tables["errors"].set_index("file")["reason"]
    assert sorted(reasons.index) == ["broken.jpg", "empty.png", "gone.jpg", "torn.mp4"]
    assert "cannot be taken out of the zip" in reasons["gone.jpg"]


def test_a_video_has_frames(score: Score, tmp_path: Path, astronaut: np.ndarray) -> None:
    path = tmp_path / "inner" / "clip.webm"
    path.parent.mkdir()
    clip = clips.Clip(astronaut, fps=30, seconds=0.5, events=(), size=(320, 240))
    write_clip(path, clip, 30)
    made_tables = score([Item("inner/clip.webm", str(path))])
    assert set(made_tables["frames"]["file"]) == {"inner/clip.webm"}
    assert 0 < len(made_tables["frames"]) <= 15
    (item,) = made_tables["items"].to_dict(orient="records")
    assert item == {"file": "inner/clip.webm", "kind": "video", "read": True, "found": 1}


def test_what_ends_workers_is_left_alone(
    task: Task, score: Score, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Item("astronaut.jpg", str(faces / "astronaut.jpg"))

    def die(*_: Any) -> None:
        raise SystemExit  # as near to a sudden end as this process can come and live

    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "predict", die)
        for _ in range(DEATHS):
            with pytest.raises(SystemExit):
                Worker(task).look(item)
    (reason,) = score([item])["errors"]["reason"]
    assert "2 workers ended" in reason


def test_an_unforeseen_fault_is_a_reason(
    score: Score, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(Predictor, "predict", fail)
    (reason,) = score([Item("astronaut.jpg", str(faces / "astronaut.jpg"))])["errors"]["reason"]
    assert reason == "An unforeseen ZeroDivisionError: by zero"


def test_missing_weights_are_no_items_fault(
    score: Score, faces: Path, stand_in_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise WeightsError("The detector is missing.")

    monkeypatch.setattr(Predictor, "predict", fail)
    with pytest.raises(WeightsError, match="The detector is missing"):
        score([Item("astronaut.jpg", str(faces / "astronaut.jpg"))])
