"""Masks and sunglasses drawn over faces, to measure how often they are told from bare ones."""

import cv2
import numpy as np

_MASKS = ((200, 225, 240), (235, 235, 235), (40, 40, 45), (150, 190, 220))  # RGB


def mask(image: np.ndarray, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """An RGB uint8 picture with a pleated mask from nose to chin of the face with these points."""
    apart = float(np.hypot(*(points[1] - points[0])))
    across = (points[1] - points[0]) / apart
    down = points[3:].mean(0) - points[:2].mean(0)
    high, down = float(np.hypot(*down)), down / np.hypot(*down)
    top = random.uniform(-0.35, 0)
    edge = [(-0.95, top + 0.2), (0, top), (0.95, top + 0.2), (0.8, 1), (0.35, 1.5), (-0.35, 1.5)]
    outline = np.array(
        [points[2] + across * x * apart + down * y * high for x, y in [*edge, (-0.8, 1)]]
    )
    rows, columns = np.indices(image.shape[:2])
    light = 1 - 0.25 * ((columns - points[2][0]) / apart) ** 2
    for pleat in (0.5, 0.75, 1.0):
        away = (rows - points[2][1] - pleat * high) / (0.04 * high + 0.5)
        light = light - 0.1 * np.exp(-(away**2))
    cloth = np.array(_MASKS[random.integers(len(_MASKS))]) * random.uniform(0.7, 1.05)
    drawn = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [outline.astype(np.int32)], 255)
    return _laid(image, cloth * np.clip(light, 0.4, 1.2)[..., None], drawn, 0.03 * apart)


def sunglasses(image: np.ndarray, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """An RGB uint8 picture with dark glasses on the face with these points."""
    eyes, across = points[:2], points[1] - points[0]
    apart = float(np.hypot(*across))
    lean = float(np.degrees(np.arctan2(across[1], across[0])))
    size = random.uniform(0.62, 0.85) * apart, random.uniform(0.42, 0.62) * apart
    drawn, bar = np.zeros(image.shape[:2], np.uint8), max(1, round(0.06 * apart))
    for eye, out in zip(eyes, (-0.9, 0.9), strict=True):
        cv2.ellipse(drawn, (eye.tolist(), size, lean), 255, cv2.FILLED)
        side = (eye + out * across).astype(int).tolist()
        cv2.line(drawn, eye.astype(int).tolist(), side, 255, bar)
    first, last = (eyes - (0, 0.08 * apart)).astype(int).tolist()
    cv2.line(drawn, first, last, 255, bar)
    return _laid(image, np.full(3, random.uniform(10, 50)), drawn, 0.015 * apart)


def _laid(image: np.ndarray, cover: np.ndarray, drawn: np.ndarray, soft: float) -> np.ndarray:
    part = cv2.GaussianBlur(drawn, (0, 0), max(soft, 0.5))[..., None] / 255
    mixed: np.ndarray = (image * (1 - part) + cover * part).clip(0, 255).astype(np.uint8)
    return mixed
