"""Faces covered on purpose: drawn hands and things, to learn what a covered face looks like."""

from typing import Final

import cv2
import numpy as np

MOUTH: Final = 0.75  # of the covers lie over the mouth,
EYE: Final = 0.15  # these over one eye, the rest between the eyes
HANDS: Final = 0.75  # of the covers are fingers, the rest one broad thing


def covered(
    face: np.ndarray, points: np.ndarray, other: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """The face with something drawn over its mouth or its eyes, uint8 (height, width).

    Args:
        face: gray uint8 (height, width).
        points: float (5, 2), as in `mer.faces.detection.Face`.
        other: another picture of any size, whose texture some covers have.
        random: of all chance.
    """
    apart = max(float(np.hypot(*(points[1] - points[0]))), 1.0)
    place = _place(points, apart, random)
    draw = _fingers if random.random() < HANDS else _thing
    light = _skin(face, points) * random.uniform(0.85, 1.15)
    return np.asarray(draw(face, place, apart, light, other, random).clip(0, 255).astype(np.uint8))


def _place(points: np.ndarray, apart: float, random: np.random.Generator) -> np.ndarray:
    chance = random.random()
    if chance < MOUTH:
        return np.asarray(points[3:].mean(0) + random.normal(0, (0.22, 0.13)) * apart)
    eyes = points[random.integers(2)] if chance < MOUTH + EYE else points[:2].mean(0)
    return np.asarray(eyes + random.normal(0, 0.1, 2) * apart)


def _skin(face: np.ndarray, points: np.ndarray) -> float:
    """The gray level of cheeks and forehead."""
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    bare = (points[0] + points[3]) / 2, (points[1] + points[4]) / 2, eyes + (eyes - mouth) / 2
    high, wide = face.shape
    return float(
        np.median(
            [face[min(max(int(y), 0), high - 1), min(max(int(x), 0), wide - 1)] for x, y in bare]
        )
    )


def _fingers(
    face: np.ndarray,
    place: np.ndarray,
    apart: float,
    light: float,
    _: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """Two to four fingers side by side that come from below or from one side."""
    picture = face.astype(np.float32)
    angle, width = random.uniform(-0.95, -0.05) * np.pi, random.uniform(0.2, 0.34) * apart
    tips = place + _axis(angle) * random.uniform(0.1, 0.6) * apart
    count = random.integers(2, 5)
    for number in random.permutation(count) - (count - 1) / 2:
        own = angle + number * random.uniform(0, 0.16)
        tip = tips + _axis(angle + np.pi / 2) * number * width * random.uniform(0.85, 1.25)
        tip = tip - _axis(own) * abs(number) * random.uniform(0, 0.25) * apart
        picture = _finger(picture, tip, own, width * random.uniform(0.44, 0.54), light, random)
    return picture


def _finger(
    picture: np.ndarray,
    tip: np.ndarray,
    angle: float,
    half: float,
    light: float,
    random: np.random.Generator,
) -> np.ndarray:
    """A round bar that ends in its tip, darker at its sides, with creases and a shadow."""
    along, aside = _from(tip, angle, picture.shape)
    broad = half * (1 + 0.12 * np.clip(-along / half, 0, 12) / 4)
    inside = broad - np.hypot(np.maximum(along + half, 0), aside)
    mask = np.clip(inside / max(half / 8, 0.7) + 0.5, 0, 1).astype(np.float32)
    round_ = np.clip(aside / broad + random.uniform(-0.4, 0.4), -1.2, 1.2)
    shade = light * (1 - random.uniform(0.14, 0.42) * round_**2)
    for _ in range(random.integers(3)):
        crease = (along + random.uniform(1, 8) * half) / (half / 6)
        shade = shade - light * random.uniform(0.03, 0.15) * np.exp(-(crease**2))
    shadow = cv2.GaussianBlur(mask, (0, 0), half / 3) * random.uniform(0, 0.3)
    return np.asarray(picture * (1 - shadow) * (1 - mask) + shade * mask)


def _thing(
    face: np.ndarray,
    place: np.ndarray,
    apart: float,
    light: float,
    other: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """A broad oval or box: of skin, of one gray, or with the texture of another picture."""
    mask = np.zeros(face.shape, np.uint8)
    across, down = random.uniform((0.5, 0.35), (1.1, 0.8)) * apart
    box = place.tolist(), (2 * across, 2 * down), random.uniform(-60, 60)
    if random.random() < 0.5:
        cv2.ellipse(mask, box, 255, cv2.FILLED)
    else:
        cv2.fillPoly(mask, [cv2.boxPoints(box).astype(np.int32)], 255)
    part = cv2.GaussianBlur(mask, (0, 0), max(0.015 * apart, 0.5)).astype(np.float32) / 255
    return np.asarray(face * (1 - part) + _texture(face.shape, light, other, random) * part)


def _texture(
    shape: tuple[int, ...], light: float, other: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    size = shape[1], shape[0]
    if random.random() < 0.4:
        turns = random.integers(0, size)
        return np.roll(cv2.resize(other, size), turns[::-1], (0, 1)).astype(np.float32)
    uneven = cv2.resize(random.normal(size=(6, 6)), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray((light if random.random() < 0.7 else random.uniform(0, 255)) + 15 * uneven)


def _axis(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)])


def _from(place: np.ndarray, angle: float, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel lies from a place along a direction, and aside of it."""
    rows, columns = np.indices(shape, np.float32)
    x, y = columns - place[0], rows - place[1]
    (right, down) = _axis(angle)
    return x * right + y * down, y * right - x * down
