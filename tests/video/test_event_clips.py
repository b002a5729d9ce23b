"""The second look at events: pictures with the head held still, and what the motion looks like."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.synthetic import clips
from benchmarks.synthetic.timeline import Expression
from mer.errors import VideoError
from mer.faces import detection
from mer.inference.predictor import get_predictor
from mer.io.video import Frame, Video, write_clip
from mer.video import event_clips
from mer.video.motion import flow
from mer.video.types import MOTIONS, REGIONS, Analysis, Event, Person, Timing

SADNESS = Expression("lip corners down", 700, 1000, 1300, 4.0)
MOUTH = np.s_[215:260, 85:125]  # the right corner, on the aligned face
FOREHEAD = np.s_[30:65, 110:210]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut's mouth goes down, under a head that moves."""
    import skimage.data

    path = tmp_path_factory.mktemp("closeup") / "sad.webm"
    clip = clips.Clip(skimage.data.astronaut(), fps=30, seconds=2, events=[SADNESS], blinks=0)
    write_clip(path, clip, 30)
    return path


@pytest.fixture(scope="module")
def found(path: Path) -> Analysis:
    """What an analysis would say: the person's boxes, the event, and a blink that was none."""
    with Video(path) as video:
        frames = list(video)
    times = np.array([frame.time_ms for frame in frames])
    faces = [detection.detect(frame.image)[0] for frame in frames[::6]]
    boxes = np.repeat([face.box for face in faces], 6, axis=0)[: len(times)]
    points = np.repeat([face.points for face in faces], 6, axis=0)[: len(times)]
    nothing = np.zeros((len(times), len(REGIONS)), np.float32)
    answers = np.empty(0), np.empty((0, 7), np.float32), np.empty(0, bool), ()
    person = Person(1, times, boxes, points, *answers, nothing)
    blink = Event(1, "blink", 1400, 1500, 1600, "right eye", "down", 3.0, 9.0)
    timing = Timing(len(times), float(times[-1]), 30.0, 0.0)
    return Analysis("sad.webm", (512, 512), timing, (person,), (SADNESS.event(), blink))


def moved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    grays = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (first, second))
    return flow.dense(*grays)


def test_a_video_that_is_gone(found: Analysis, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.webm"):
        event_clips.look(tmp_path / "gone.webm", found, found.events[0])


def test_another_video_under_its_name(found: Analysis, tmp_path: Path) -> None:
    other = tmp_path / "sad.webm"
    blank = [Frame(i, i * 33.3, np.zeros((64, 64, 3), np.uint8)) for i in range(5)]
    write_clip(other, blank, 30)
    with pytest.raises(VideoError, match="Analyse the video anew"):
        event_clips.look(other, found, found.events[0])


def test_a_second_look_detects_no_face_anew(
    path: Path, found: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "detect", lambda *_: pytest.fail("the points were known"))
    assert event_clips.look(path, found, found.events[0]).clip


def test_the_mouth_moves_and_the_head_stays(path: Path, found: Analysis) -> None:
    look = event_clips.look(path, found, found.events[0])
    for picture in (look.onset, look.apex, look.offset, look.flow, *look.clip):
        assert picture.shape == (320, 320, 3)
        assert picture.dtype == np.uint8
    assert moved(look.onset, look.apex)[MOUTH][..., 1].mean() > 1
    assert np.abs(moved(look.onset, look.apex)[FOREHEAD]).mean() < 0.4
    assert np.abs(moved(look.onset, look.offset)[MOUTH]).mean() < 0.8


def test_the_clip_reaches_a_little_beyond_the_event(path: Path, found: Analysis) -> None:
    look = event_clips.look(path, found, found.events[0])
    assert look.fps == pytest.approx(30, rel=0.05)
    wanted = (SADNESS.offset_ms - SADNESS.onset_ms + 2 * event_clips.MARGIN_MS) * 30 / 1000
    assert len(look.clip) == pytest.approx(wanted, abs=2)


def test_a_long_clip_is_thinned(
    path: Path, found: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_clips, "MOST", 20)
    look = event_clips.look(path, found, found.events[0])
    assert 10 < len(look.clip) <= 20
    assert look.fps == pytest.approx(10, rel=0.1)


def test_colours_of_flow() -> None:
    field = np.zeros((40, 40, 2), np.float32)
    field[:10, :, 0], field[10:20, :, 0], field[20:30, :, 1] = 3, -3, 3
    right, left, down, rest = event_clips.painted(field)[[5, 15, 25, 35], 5].tolist()
    assert rest == [255, 255, 255]
    assert right == [255, 0, 0]
    assert left == [0, 255, 255]
    assert down[1] == 255 > down[0] > down[2] == 0


def test_weak_flow_is_pale() -> None:
    assert event_clips.painted(np.full((8, 8, 2), 0.1, np.float32)).min() > 200


def test_expressions_are_recognised_and_blinks_left(path: Path, found: Analysis) -> None:
    predictor = get_predictor("cnn1")
    with Video(path) as video:
        sad, blink = event_clips.recognised(video, found.events, found.people, predictor)
    assert len(sad.motion) == len(MOTIONS)
    assert sum(sad.motion) == pytest.approx(1, abs=1e-4)
    assert sum(sad.still) == pytest.approx(1, abs=1e-4)
    assert (sad.onset_ms, sad.kind) == (SADNESS.onset_ms, "macro")
    assert blink == found.events[1]


def test_no_events_need_no_second_look(path: Path, found: Analysis) -> None:
    with Video(path) as video:
        assert event_clips.recognised(video, [], found.people, get_predictor("cnn1")) == []
