"""The proof: it is written whole, without other programs or data too. Speed is no test."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from benchmarks import live
from benchmarks.__main__ import main
from benchmarks.comparison import gpu, growth, learning, limits, rivals, start, versus
from benchmarks.comparison.chart import Dot, scatter
from benchmarks.comparison.rivals import Result
from mer.errors import MerError
from mer.faces import detection
from mer.models.registry import MODELS, NETWORKS
from mer.training.config import Settings
from tests import tiny


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        scatter([])


def test_the_quicker_is_to_the_right_and_the_better_above() -> None:
    slow, quick = Dot("slow <1>", 5, 0.6, False), Dot("quick", 50, 0.8, True)
    drawn = ElementTree.fromstring(scatter([slow, quick]))
    circles = [one for one in drawn if one.tag.endswith("circle")]
    (x1, y1), (x2, y2) = ((float(one.attrib["cx"]), float(one.attrib["cy"])) for one in circles)
    assert x1 < x2
    assert y1 > y2
    assert "slow <1>" in [one.text for one in drawn]


def test_a_program_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MerError, match="There is no program npm here"):
        rivals.face_api("{}", tmp_path)


def test_a_program_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fer" / "bin").mkdir(parents=True)
    program = tmp_path / "fer" / "bin" / "python"
    program.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(MerError, match="failed: no such module"):
        rivals.fer("{}", tmp_path)


def test_a_job_holds_the_pixels(tmp_path: Path) -> None:
    frame = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    job = json.loads(rivals.job({"one": frame}, frame[None, :, :2], tmp_path))
    (told,) = job["frames"]
    assert (told["width"], told["height"]) == (4, 2)
    np.testing.assert_array_equal(np.fromfile(told["file"], np.uint8), frame.ravel())
    assert job["pictures"]["side"] == 2


def test_turns_are_put_together() -> None:
    first, later = Result({"one": [1.0]}, {"one": 1}, ["fear"]), Result({"one": [2.0]}, {}, [])
    assert first.and_again(later) == Result({"one": [1.0, 2.0]}, {"one": 1}, ["fear"])


@pytest.mark.parametrize("count", [1, 8])
def test_crowds_have_as_many_faces(astronaut: np.ndarray, count: int) -> None:
    assert len(detection.detect(growth.crowd(astronaut, count, (640, 480)))) == count


def test_a_products_speed() -> None:
    assert limits.flops("cnn1") > 1e8


def test_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny.ENTRY)
    monkeypatch.setattr(learning, "PICTURES", 4)
    loop, alone = learning.share("tiny", Settings(epochs=4, copies=1, batch=8))
    assert 0 < loop < 10 * alone


def test_a_page_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MER_USER", "a name without a password")
    with pytest.raises(MerError, match="The page did not start"):
        start.listed()


@pytest.mark.usefixtures("stand_in_weights")
def test_the_table_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the processor, which takes the same way."""
    monkeypatch.setattr(gpu, "MODELS", {"cnn1": MODELS["cnn1"]})
    monkeypatch.setattr(gpu, "SECONDS", 0.001)
    monkeypatch.setattr(limits, "SIDE", 64)
    monkeypatch.setattr(limits, "BATCH", 2)
    monkeypatch.setattr(gpu, "WAYS", gpu.WAYS[:2])
    head, _, *rows = gpu.listed(torch.device("cpu"))
    assert [row.split(" | ")[1] for row in rows] == ["float32", "bfloat16"]
    for row in rows:
        cells = row.strip("| ").split(" | ")
        assert len(cells) == len(head.strip("| ").split(" | "))
        # A busy machine's figures may round to 0.
        assert all(float(cell.strip("%")) >= 0 for cell in (*cells[2:5], cells[6]))


def test_it_is_written_whole(
    stand_in_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(asked: str, folder: Path) -> Result:
        raise MerError("There is no program npm here: install it first.")

    monkeypatch.setattr(rivals, "face_api", absent)
    said = Result({name: [90.0, 100.0] for name in versus.FRAMES}, dict(versus.FRAMES), [])
    monkeypatch.setattr(rivals, "fer", lambda *_: said)
    monkeypatch.setattr("benchmarks.comparison.ours.REPEATS", 1)
    monkeypatch.setattr(limits, "SIDE", 64)
    monkeypatch.setattr(limits, "BATCH", 2)
    monkeypatch.setattr(growth, "FACES", (1,))
    monkeypatch.setattr(growth, "MEGAPIXELS", (0.3,))
    monkeypatch.setattr(growth, "BATCHES", (1, 2))
    monkeypatch.setattr(learning, "share", lambda name: (90.0, 100.0))
    monkeypatch.setattr(live, "visited", lambda: ["10 visitors"])
    monkeypatch.setattr(start, "RUNS", 1)
    assert main(["comparison", "--out", str(tmp_path), "--rivals", str(tmp_path)]) == 0
    text = (tmp_path / "benchmarks.md").read_text()
    for words in ("fer 25.10.3", "face-api 1.7.15 did not run here", "mer, cnn1", "not measured"):
        assert words in text
    parts = ("limit", "Learning", "How it grows", "The live view", "From the command", "On a GPU")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    for part, heading in zip(parts, headings[1:], strict=True):
        assert part in heading
