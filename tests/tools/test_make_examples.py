"""The example videos are made of the photograph that ships, and show what they promise."""

from pathlib import Path

import pytest

from benchmarks.synthetic.clips import Clip
from mer.inference.predictor import get_predictor
from mer.io import images
from mer.io.video import Video
from mer.ui import parts
from tools import make_examples


def test_each_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = {"fps": 5, "seconds": 0.4, "size": (160, 120)}
    monkeypatch.setattr(make_examples, "VIDEOS", {"a.webm": short, "b.webm": short})
    assert [path.name for path in make_examples.make(tmp_path)] == ["a.webm", "b.webm"]
    assert Video(tmp_path / "a.webm").size == (160, 120)


def test_the_second_picture_shows_sure_and_unsure_faces() -> None:
    found = get_predictor().predict(images.read(parts.FOUR))
    assert len(found) == 4
    assert 0 < sum(face.sure for face in found) < 4


def test_they_show_what_they_promise() -> None:
    assert set(make_examples.VIDEOS) == {path.name for path in parts.VIDEOS.values()}
    picture = images.read(parts.PHOTOGRAPH)
    first, second = (
        {event.kind for event in Clip(picture, **options).truth}
        for options in make_examples.VIDEOS.values()
    )
    assert {"micro", "macro"} <= first
    assert second == {"blink", "speech"}
