"""Glasses drawn over faces: dark ones, to learn what they look like, and plain ones beside them."""

from typing import Final

import cv2
import numpy as np

SIDES: Final = 24  # corners of the outline of a lens
BRIGHT: Final = 0.15  # of the frames are bright
MIRRORED: Final = 0.35  # of the lenses reflect something


def glasses(
    face: np.ndarray, points: np.ndarray, random: np.random.Generator, *, dark: bool
) -> np.ndarray:
    """The face behind glasses, uint8 (height, width).

    Args:
        face: gray uint8 (height, width).
        points: float (5, 2), as in `mer.faces.detection.Face`.
        random: of all chance.
        dark: whether the lenses hide the eyes.
    """
    eyes, across = points[:2], points[1] - points[0]
    apart = max(float(np.hypot(*across)), 1.0)
    turn = np.arctan2(across[1], across[0]) + random.normal(0, 0.04)
    axes = apart * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = eyes.mean(0) + random.normal((0, 0.05), 0.03) @ axes
    lens = _lens(random)
    away = max(random.uniform(0.46, 0.56), np.abs(lens[:, 0]).max() + 0.04)
    outlines = [middle + (lens * (side, 1) + (side * away, 0)) @ axes for side in (-1, 1)]
    inside = _drawn(face.shape, outlines, cv2.FILLED)
    opaque = random.uniform(0.8, 1.0) if dark else random.uniform(0.0, 0.2)
    picture = _mixed(face, _tint(face.shape, middle, axes, random, dark), opaque * inside)
    bar = max(1, round(random.uniform(0.02, 0.09) * apart))
    ends = np.array([[-away - 0.35, -0.12], [-0.12, -0.06], [0.12, -0.06], [away + 0.35, -0.12]])
    temples = (middle + ends @ axes).reshape(2, 2, 2)
    bridge = (middle + np.array([[-0.2, -0.05], [0.2, -0.05]]) @ axes)[None]
    rims = _drawn(face.shape, [*outlines, *temples, *bridge], bar) * (1 - inside * (bar < 2))
    light = random.uniform(150, 230) if random.random() < BRIGHT else random.uniform(5, 90)
    return np.asarray(_mixed(picture, light, rims).clip(0, 255).astype(np.uint8))


def _lens(random: np.random.Generator) -> np.ndarray:
    """The outline of the right lens, float (SIDES, 2), in distances of the eyes."""
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    corner = 2 / random.uniform(2, 6)  # from an ellipse to a box
    x, y = (np.sign(part) * np.abs(part) ** corner for part in (np.cos(angle), np.sin(angle)))
    wide, high = random.uniform(0.3, 0.48), random.uniform(0.19, 0.4)
    narrow = 1 - random.uniform(-0.1, 0.35) * (y + 1) / 2  # towards the cheek, as of aviators
    return np.column_stack([wide * x * narrow, high * y])


def _tint(
    shape: tuple[int, ...],
    middle: np.ndarray,
    axes: np.ndarray,
    random: np.random.Generator,
    dark: bool,
) -> np.ndarray:
    """What the lenses show: one gray, brighter towards the cheeks, with a reflection or none."""
    rows, columns = np.indices(shape, np.float32)
    apart = float(np.hypot(*axes[0]))
    across, down = ((columns - middle[0]) * x + (rows - middle[1]) * y for x, y in axes / apart**2)
    light = random.uniform(5, 75) if dark else random.uniform(60, 255)
    tint = light + random.uniform(0, 60) * np.clip(down + 0.3, 0, 1)
    if random.random() < MIRRORED:
        place, slope, width = (
            random.uniform(-0.3, 0.3),
            random.uniform(-1, 1),
            random.uniform(0.03, 0.2),
        )
        away = np.minimum(np.abs(across - 0.5), np.abs(across + 0.5)) - place + slope * down
        tint = tint + random.uniform(20, 130) * np.exp(-((away / width) ** 2))
    return np.asarray(tint)


def _drawn(shape: tuple[int, ...], outlines: list[np.ndarray], bar: int) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    for outline in outlines:
        corners = [outline.round().astype(np.int32)]
        if bar == cv2.FILLED:
            cv2.fillPoly(mask, corners, 255)
        else:
            cv2.polylines(mask, corners, len(outline) > 2, 255, bar, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), 0.7).astype(np.float32) / 255


def _mixed(face: np.ndarray, cover: np.ndarray | float, part: np.ndarray) -> np.ndarray:
    mixed: np.ndarray = face * (1 - part) + cover * part
    return mixed
