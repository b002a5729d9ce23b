"""Who is who in a video: made scenes of two people, and the real clips."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.errors import MerError
from mer.faces import detection
from mer.faces.detection import Face
from mer.io.video import Frame, Video
from mer.video.tracking.tracker import Tracker

FPS = 20
WIDTH, HEIGHT = 480, 270
FACE = (222.0, 120.0)  # x, y of the middle of the astronaut's face
FACE_WIDTH = 88.0

# Where a person is: x, y of the face's middle and its width, all in pixels; None where absent.
Place = tuple[float, float, float] | None
Path_ = Callable[[float], Place]  # over the scene's time, 0..1


def people(astronaut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two heads that look different: the astronaut, and her mirror image in a warmer tint."""
    head = astronaut[20:240, 112:332]
    other = (head[:, ::-1] * np.array([1.0, 0.75, 0.55])).astype(np.uint8)
    return np.ascontiguousarray(head), np.ascontiguousarray(other)


def room(seed: int) -> np.ndarray:
    """A background with texture but without faces."""
    noise = np.random.default_rng(seed).integers(60, 200, (9, 16, 3), dtype=np.uint8)
    return cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def paste(image: np.ndarray, head: np.ndarray, place: Place) -> None:
    if place is None:
        return
    x, y, width = place
    scale = width / FACE_WIDTH
    matrix = np.array([[scale, 0, x - 110 * scale], [0, scale, y - 100 * scale]])
    mask = np.zeros(head.shape[:2], np.uint8)
    cv2.ellipse(mask, (110, 108), (72, 104), 0, 0, 360, 255, cv2.FILLED)
    there = cv2.warpAffine(mask, matrix, (WIDTH, HEIGHT)) > 127
    image[there] = cv2.warpAffine(head, matrix, (WIDTH, HEIGHT))[there]


def scene(
    heads: tuple[np.ndarray, np.ndarray], behind: Path_, front: Path_, *, seconds: float = 3
) -> Iterator[tuple[Frame, list[Place]]]:
    """Frames with noise, and where the one behind and the one in front are."""
    random = np.random.default_rng(0)
    count = int(seconds * FPS)
    for index in range(count):
        image = room(1)
        places = [path(index / count) for path in (behind, front)]
        for head, place in zip(heads, places, strict=True):
            paste(image, head, place)
        noisy = image + random.normal(0, 3, image.shape)
        yield Frame(index, index * 1000 / FPS, noisy.clip(0, 255).astype(np.uint8)), places


def is_at(face: Face, place: Place) -> bool:
    x, y, width, height = face.box
    if place is None:
        return False
    far = max(abs(x + width / 2 - place[0]), abs(y + height / 2 - place[1]))
    return far < 0.3 * place[2]


def numbers(frames: Iterator[tuple[Frame, list[Place]]]) -> tuple[set[int], set[int], list[int]]:
    """The numbers that each of two people had, and how often each person was followed."""
    tracker = Tracker()
    told: tuple[set[int], set[int]] = (set(), set())
    seen = [0, 0]
    for frame, places in frames:
        for number, face in tracker.follow(frame):
            here = [who for who in (0, 1) if is_at(face, places[who])]
            if len(here) == 1:
                told[here[0]].add(number)
                seen[here[0]] += 1
    return told[0], told[1], seen


def still(image: np.ndarray, count: int, fps: float = FPS) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(index, index * 1000 / fps, image)


def test_nobody_gives_empty_lists() -> None:
    tracker = Tracker()
    assert [tracker.follow(frame) for frame in still(room(3), 8)] == [[]] * 8


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (40, 30)])
def test_tiny_frames_are_borne(shape: tuple[int, int]) -> None:
    tracker = Tracker()
    image = np.full((*shape, 3), 90, np.uint8)
    assert [tracker.follow(frame) for frame in still(image, 3)] == [[]] * 3


def test_an_unknown_detector_is_named(astronaut: np.ndarray) -> None:
    with pytest.raises(MerError, match="no detector 'retina'"):
        Tracker("retina").follow(Frame(0, 0.0, astronaut))


@pytest.mark.parametrize("detector", ["yunet", "haar"])
def test_one_person_keeps_one_number_from_the_third_frame(
    astronaut: np.ndarray, detector: str
) -> None:
    tracker = Tracker(detector)
    followed = [tracker.follow(frame) for frame in still(astronaut, 12)]
    assert [[number for number, _ in people] for people in followed] == [[]] * 2 + [[1]] * 10
    (_, face) = followed[-1][0]
    assert is_at(face, (*FACE, FACE_WIDTH))
    assert len(face.points) == (5 if detector == "yunet" else 0)


def test_people_are_in_their_first_two_frames_as_well(astronaut: np.ndarray) -> None:
    frames = [*still(room(3), 4), *still(astronaut, 12), *still(room(3), 4)]
    frames = [Frame(index, 40.0 * index, one.image) for index, one in enumerate(frames)]
    seen = list(Tracker().people(frames))
    assert [frame.index for frame, _ in seen] == list(range(20))
    numbers = [[number for number, _ in people] for _, people in seen]
    assert numbers == [[]] * 4 + [[1]] * 12 + [[]] * 4
    first, third = (dict(people)[1] for _, people in (seen[4], seen[6]))
    assert np.abs(np.subtract(first.box, third.box)).max() < 5


def test_a_video_that_ends_at_once_has_its_people(astronaut: np.ndarray) -> None:
    for count in range(4):
        seen = list(Tracker().people(still(astronaut, count)))
        assert [[n for n, _ in people] for _, people in seen] == [[1] * (count == 3)] * count


def test_boxes_and_points_follow_a_moving_head(astronaut: np.ndarray) -> None:
    tracker, points = Tracker(), []
    for index in range(30):
        shift = np.array([4.0 * index, 40 + 40 * np.sin(index / 5)])
        matrix = np.column_stack([np.eye(2), shift])
        image = cv2.warpAffine(astronaut, matrix, (640, 512), borderMode=cv2.BORDER_REPLICATE)
        for _, face in tracker.follow(Frame(index, index * 40.0, image)):
            assert is_at(face, (FACE[0] + shift[0], FACE[1] + shift[1], FACE_WIDTH))
            points.append(np.array(face.points) - shift)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2)
    assert steps.mean() < 0.006 * FACE_WIDTH  # the detector's own points step five times as far


def test_points_hardly_tremble_on_a_still_face(astronaut: np.ndarray) -> None:
    random, tracker = np.random.default_rng(0), Tracker()
    points = []
    for index in range(40):
        noisy = (astronaut + random.normal(0, 6, astronaut.shape)).clip(0, 255).astype(np.uint8)
        for _, face in tracker.follow(Frame(index, index * 33.3, noisy)):
            points.append(face.points)
    steps = np.linalg.norm(np.diff(np.array(points), axis=0), axis=2)
    assert steps.mean() < 0.004 * FACE_WIDTH


def test_frames_of_a_large_video_are_searched_small_and_seldom(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, detect = [], detection.detect

    def counted(image: np.ndarray, detector: str) -> list[Face]:
        sizes.append(image.shape)
        return detect(image, detector)

    monkeypatch.setattr(detection, "detect", counted)
    tracker, large = Tracker(), cv2.resize(astronaut, (1280, 1280))
    followed = [tracker.follow(frame) for frame in still(large, 60)]
    assert set(sizes) == {(640, 640, 3)}
    assert len(sizes) < 30
    assert is_at(followed[-1][0][1], (FACE[0] * 2.5, FACE[1] * 2.5, FACE_WIDTH * 2.5))


def test_people_who_cross_keep_their_numbers(astronaut: np.ndarray) -> None:
    behind, front, seen = numbers(
        scene(
            people(astronaut),
            lambda t: (400 - 320 * t, 140, 70),
            lambda t: (80 + 320 * t, 130, 78),
        )
    )
    assert len(behind) == len(front) == 1
    assert behind != front
    assert min(seen) > 35  # of 60 frames, in some of which one hides the other


def test_a_person_who_comes_back_has_the_old_number(astronaut: np.ndarray) -> None:
    def leaves(t: float) -> Place:
        x = 150 - 900 * max(0.0, t - 0.3) if t < 0.6 else 150 - 900 * max(0.0, 0.9 - t)
        return (x, 140, 70) if x > -80 else None

    gone, stays, seen = numbers(scene(people(astronaut), leaves, lambda t: (360, 140, 76)))
    assert len(gone) == len(stays) == 1
    assert gone != stays
    assert seen[1] > 50


def test_another_person_at_the_same_place_has_another_number(astronaut: np.ndarray) -> None:
    first, second, seen = numbers(
        scene(
            people(astronaut),
            lambda t: (240, 140, 80) if t < 0.5 else None,
            lambda t: None if t < 0.5 else (240, 140, 80),
        )
    )
    assert (first, second) == ({1}, {2})
    assert min(seen) > 15


def test_cuts_there_and_back_do_not_change_numbers(astronaut: np.ndarray) -> None:
    heads, tracker = people(astronaut), Tracker()
    told: tuple[set[int], set[int]] = (set(), set())
    for index in range(96):
        who = index // 24 % 2
        image = room(1) if who else 255 - room(2)
        place = (240.0 + 20 * who, 140.0, 80.0)
        paste(image, heads[who], place)
        for number, face in tracker.follow(Frame(index, index * 50.0, image)):
            if is_at(face, place):
                told[who].add(number)
    assert told == ({1}, {2})


def test_a_face_of_one_or_two_frames_is_nobody(astronaut: np.ndarray) -> None:
    tracker = Tracker()
    empty = np.full_like(astronaut, 128)
    shown = [
        tracker.follow(Frame(index, index * 40.0, astronaut if index in (4, 5, 20) else empty))
        for index in range(30)
    ]
    assert shown == [[]] * 30


def test_strangers_are_forgotten_in_the_end(astronaut: np.ndarray) -> None:
    tracker = Tracker()
    for index in range(40):
        image = np.roll(astronaut, 128 * index, axis=1) if index % 2 else room(index)
        tracker.follow(Frame(index, index * 1000.0, image))
    assert len(tracker._tracks) < 5


def presence(path: Path, detector: str = "yunet") -> list[tuple[int, ...]]:
    tracker = Tracker(detector)
    return [tuple(number for number, _ in tracker.follow(frame)) for frame in Video(path)]


@pytest.mark.parametrize("detector", ["yunet", "haar"])
def test_presence_in_the_real_clips(mer_data: Path, detector: str) -> None:
    videos = mer_data / "videos"
    assert set(presence(videos / "no_face.mp4", detector)) == {()}
    face, title = (1,), ()
    assert (
        presence(videos / "face_noface.mov", detector) == [title] * 2 + [face] * 70 + [title] * 97
    )
    shown = presence(videos / "noface_face.mov", detector)
    assert shown == [title] * 98 + [face] * 70 + [title]
    assert presence(videos / "single_face.mp4", detector) == [title] * 2 + [face] * 70
