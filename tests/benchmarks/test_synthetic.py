"""Made clips: what is said of them is what they show."""

import math
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.synthetic.clips import Clip
from benchmarks.synthetic.timeline import BLINK, EXPRESSIONS, MACRO, MICRO, Expression, plan
from mer.errors import MerError
from mer.faces import detection

# Neither drift nor anything else that the camera adds.
STATUE: dict[str, Any] = {"drift": 0, "blinks": 0, "flicker": 0, "noise": 0, "quality": 100}
FACE = (slice(110, 310), slice(230, 420))  # rows and columns of the astronaut's face in a frame


def pictures(clip: Clip) -> list[np.ndarray]:
    return [frame.image for frame in clip]


def gray(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def textured(picture: np.ndarray) -> np.ndarray:
    """The picture with fine grain on it, whose movement can be measured anywhere."""
    large = cv2.resize(picture, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(size=large.shape[:2]), (0, 0), 1.2)
    return np.asarray((large + 18 / grain.std() * grain[..., None]).clip(0, 255).astype(np.uint8))


def apart(image: np.ndarray) -> float:
    """Pixels between the eyes of the one face."""
    (face,) = detection.detect(image)
    return math.dist(*face.points[:2])


def largest_movement(before: np.ndarray, after: np.ndarray) -> float:
    """Of the face's parts, in pixels of a 320-pixel face, tracked in small windows."""
    x, y = np.meshgrid(np.arange(230, 420, 3), np.arange(110, 310, 3))
    points = np.stack([x, y], -1).reshape(-1, 1, 2).astype(np.float32)
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 50, 1e-5)
    moved, _, _ = cv2.calcOpticalFlowPyrLK(
        gray(before),
        gray(after),
        points,
        points.copy(),
        winSize=(11, 11),
        maxLevel=2,
        criteria=until,
    )
    lengths = np.hypot(*(moved - points)[:, 0].T).reshape(x.shape).astype(np.float32)
    return float(cv2.medianBlur(lengths, 3).max()) * 120 / apart(before)


def test_a_clip_of_no_time_has_no_frames(astronaut: np.ndarray) -> None:
    clip = Clip(astronaut, seconds=0)
    assert (list(clip), len(clip), clip.truth) == ([], 0, [])


def test_a_picture_without_a_face_is_refused() -> None:
    with pytest.raises(MerError, match="no face in the picture"):
        Clip(np.full((200, 200, 3), 128, np.uint8))


def test_the_same_seed_makes_the_same_clip(astronaut: np.ndarray) -> None:
    clip = Clip(astronaut, fps=10, seconds=0.5, seed=3)
    again = Clip(astronaut, fps=10, seconds=0.5, seed=3)
    other = Clip(astronaut, fps=10, seconds=0.5, seed=4)
    first = pictures(clip)
    assert all(map(np.array_equal, first, pictures(clip)))
    assert all(map(np.array_equal, first, pictures(again)))
    assert not any(map(np.array_equal, first, pictures(other)))


def test_clips_of_two_frame_rates_show_the_same(astronaut: np.ndarray) -> None:
    events = [Expression("smile", 0, 100, 250, 4.0)]
    slow, fast = (Clip(astronaut, fps=fps, seconds=0.2, events=events, noise=0) for fps in (20, 60))
    assert all(map(np.array_equal, pictures(slow), pictures(fast)[::3]))
    assert slow.truth == fast.truth


def test_time_stamps_and_sizes(astronaut: np.ndarray) -> None:
    frames = list(Clip(astronaut, fps=25, seconds=0.2, size=(480, 360)))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_ms for frame in frames] == [0, 40, 80, 120, 160]
    assert {frame.image.shape for frame in frames} == {(360, 480, 3)}
    assert {frame.image.dtype for frame in frames} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("size", [(640, 480), (481, 359)])
@pytest.mark.parametrize("cut", [(slice(None), slice(None)), (slice(60, 180), slice(165, 285))])
def test_there_is_one_face_of_the_size_promised(
    astronaut: np.ndarray, size: tuple[int, int], cut: tuple[slice, slice]
) -> None:
    (image,) = pictures(Clip(astronaut[cut], fps=1, seconds=1, size=size, **STATUE))
    assert 65 < apart(image) < 95
    assert image.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_alternates_micro_and_macro_with_rest_between(seed: int) -> None:
    events = plan(60, 2.0, seed)
    assert {one.place for one in events} == set(EXPRESSIONS)
    assert [one.event().kind for one in events] == (["micro", "macro"] * 40)[: len(events)]
    for one in events:
        low, high = MICRO if one.event().kind == "micro" else MACRO
        assert low <= one.offset_ms - one.onset_ms <= high
        assert one.onset_ms < one.apex_ms < one.offset_ms < 60_000
    assert all(other.onset_ms - one.offset_ms > 500 for one, other in pairwise(events))


@pytest.mark.parametrize("hold", [0.0, 0.4])
def test_an_expression_rises_to_its_apex_and_falls(hold: float) -> None:
    event = Expression("lips", 100, 300, 600, 2.0, hold)
    levels = [event.level(time) for time in range(100, 601, 10)]
    assert levels[0] == levels[-1] == 0
    assert levels[20] == max(levels) == 1
    assert levels[:21] == sorted(levels[:21])
    assert levels[20:] == sorted(levels[20:], reverse=True)


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_the_face_moves_as_far_as_the_truth_says(astronaut: np.ndarray, place: str) -> None:
    picture = textured(astronaut)
    for pixels in (1.0, 4.0):
        events = [Expression(place, 100, 600, 1100, pixels)]
        rest, *_, apex = pictures(Clip(picture, fps=10, seconds=0.7, events=events, **STATUE))
        # A window sees the mean of its place, a little less than the peak; and the detector's
        # points, from which the size of the face is taken, are off by some hundredths.
        assert 0.85 < largest_movement(rest, apex) / pixels < 1.1


def test_nothing_moves_but_the_place(astronaut: np.ndarray) -> None:
    events = [Expression("brow raise", 0, 500, 1000, 4.0)]
    rest, apex = pictures(Clip(astronaut, fps=2, seconds=1, events=events, **STATUE))
    change = cv2.absdiff(rest, apex).max(2)
    assert change[110:190, 250:400].max() > 20
    assert change[250:].max() <= 2  # mouth and below; JPEG makes the small change
    assert change[:, :150].max() <= 2


def test_the_head_drifts_and_the_background_stays(astronaut: np.ndarray) -> None:
    clip = Clip(astronaut, fps=1, seconds=12, **STATUE | {"drift": 1})
    images = pictures(clip)
    noses = np.array([face.points[2] for image in images for face in detection.detect(image)])
    assert len(noses) == len(images)
    assert 3 < np.hypot(*noses.std(0)) < 25
    corners = [cv2.absdiff(images[0], image)[:60, :60].max() for image in images]
    assert max(corners) <= 2


def test_no_shift_changes_how_sharp_the_face_is(astronaut: np.ndarray) -> None:
    clip = Clip(astronaut, fps=8, seconds=2, **STATUE | {"drift": 0.1})
    sharpness = [cv2.Laplacian(gray(image)[FACE], cv2.CV_32F).std() for image in pictures(clip)]
    assert max(sharpness) < 1.05 * min(sharpness)


@pytest.mark.parametrize("size", [(480, 360), (320, 240)])
def test_blinks_close_both_eyes(astronaut: np.ndarray, size: tuple[int, int]) -> None:
    clip = Clip(astronaut, fps=25, seconds=3, size=size, **STATUE | {"blinks": 30})
    assert clip.truth
    images = pictures(clip)
    (face,) = detection.detect(images[0])
    for blink in clip.truth:
        assert blink.kind == "blink"
        assert BLINK[0] <= blink.offset_ms - blink.onset_ms <= BLINK[1]
        before, shut = (images[int(time / 40)] for time in (blink.onset_ms, blink.apex_ms))
        for point in face.points[:2]:
            assert darkest(shut, point) > darkest(before, point) + 20  # no iris to be seen


def darkest(image: np.ndarray, point: tuple[float, float]) -> float:
    """Gray level of the darkest spot of an iris's size within 10 pixels of a point."""
    x, y = (round(value) for value in point)
    spots = cv2.GaussianBlur(gray(image), (0, 0), 3)
    return float(spots[y - 10 : y + 11, x - 10 : x + 11].min())


def test_speech_moves_the_mouth_between_the_expressions(astronaut: np.ndarray) -> None:
    events = [Expression("frown", 6000, 6200, 6400, 2.0)]
    clip = Clip(astronaut, fps=1, seconds=12, events=events, speech=10, **STATUE)
    assert [event.kind for event in clip.truth].count("speech") == 2
    for one, other in pairwise(clip.truth):
        assert one.onset_ms < one.apex_ms < one.offset_ms < other.onset_ms


def test_speech_moves_the_mouth(astronaut: np.ndarray) -> None:
    clip = Clip(astronaut, fps=20, seconds=5, speech=12, size=(320, 240), **STATUE)
    (speech,) = clip.truth
    images = pictures(clip)
    change = cv2.absdiff(images[0], images[round(speech.apex_ms / 50)]).max(2)
    (face,) = detection.detect(images[0])
    nose = round(face.points[2][1])
    assert change[nose:].max() > 20
    assert change[: nose - 30].max() <= 2


def test_noise_is_as_strong_as_asked(astronaut: np.ndarray) -> None:
    options = STATUE | {"noise": 3.0}
    first, second = pictures(Clip(astronaut, fps=2, seconds=1, **options))
    patch = slice(20, 100), slice(100, 180)  # of the background
    difference = first[patch].astype(int) - second[patch]
    assert 2.2 < difference.std() / np.sqrt(2) < 3.3  # JPEG takes some of it
