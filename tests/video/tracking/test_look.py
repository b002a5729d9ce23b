"""Telling people apart: the same person again, and never two people as one."""

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.faces import detection
from mer.io import images
from mer.io.video import Video
from mer.video.tracking.track import Look, look


def look_at(image: np.ndarray) -> Look:
    (face,) = detection.detect(image)
    seen = look(image, face)
    assert seen is not None
    return seen


def without_colour(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def test_a_small_face_is_not_looked_at(astronaut: np.ndarray) -> None:
    small = cv2.resize(astronaut, (200, 200), interpolation=cv2.INTER_AREA)
    (face,) = detection.detect(small)
    assert look(small, face) is None


def test_a_look_takes_little_memory(astronaut: np.ndarray) -> None:
    seen = look_at(astronaut)
    assert seen.colours.nbytes + seen.shape.nbytes < 10_000


@pytest.mark.parametrize("coloured", [True, False])
def test_the_same_person_is_known_again(astronaut: np.ndarray, coloured: bool) -> None:
    image = astronaut if coloured else without_colour(astronaut)
    seen = look_at(image)
    assert seen.gray != coloured
    noise = np.random.default_rng(0).normal(0, 5, image.shape)
    noise = noise if coloured else noise[..., :1]
    assert seen.same(look_at((image + noise).clip(0, 255).astype(np.uint8)))
    assert seen.same(look_at(np.ascontiguousarray(image[8:, 5:])))
    assert seen.same(look_at(cv2.resize(image, (400, 400), interpolation=cv2.INTER_AREA)))


def test_another_colour_of_skin_and_hair_is_another_person(astronaut: np.ndarray) -> None:
    tinted = (astronaut * np.array([1.0, 0.75, 0.55])).astype(np.uint8)
    assert not look_at(astronaut).same(look_at(tinted))


def test_no_two_people_of_a_group_photograph_are_one(mer_data: Path) -> None:
    for path in sorted((mer_data / "group-photos").glob("*.jpg")):
        image = images.read(path)
        for picture in (image, without_colour(image)):
            seen = [one for face in detection.detect(picture) if (one := look(picture, face))]
            assert not any(one.same(other) for one, other in combinations(seen, 2))


def test_a_woman_who_laughs_is_who_cried(mer_data: Path) -> None:
    video = Video(mer_data / "videos" / "WolfgangLanger_Pexels.mp4")
    crying, later = (look_at(next(video.frames(at, at + 100)).image) for at in (1500, 14000))
    assert crying.same(later)
