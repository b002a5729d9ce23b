"""Pictures of high dynamic range shown as ordinary ones are, for networks have seen no others.

The transfer curves are those of ITU-R BT.2100, colours come from BT.2020 to BT.709, and what is
brighter than an ordinary screen's white is pressed together below it.
"""

from typing import Final

import cv2
import numpy as np

WHITE: Final = 100.0  # cd/m2 of an ordinary screen's white
HLG_PEAK: Final = 1000.0  # cd/m2 of the screen that HLG is graded on, whose gamma is then 1.2
KNEE: Final = 0.8  # of the coded brightness, from which on it is pressed together
_STEPS: Final = 1024  # of the square root of light up to WHITE
_TO_BT709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
_CODED: Final = np.linspace(0, 1, 256)


def _hlg() -> np.ndarray:
    """Light of each coded value, 1 being WHITE; the screen's gamma by channel."""
    low = _CODED**2 / 3
    high = (np.exp((_CODED - 0.55991073) / 0.17883277) + 0.28466892) / 12
    light = np.where(_CODED <= 0.5, low, high) ** 1.2
    return (light * HLG_PEAK / WHITE).astype(np.float32)


def _pq() -> np.ndarray:
    """Light of each coded value, 1 being WHITE."""
    root = _CODED ** (32 / 2523)
    light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (8192 / 1305)
    return (light * 10_000 / WHITE).astype(np.float32)


def _coded() -> np.ndarray:
    """Coded value of each square root of light in _STEPS, up to the brightest: sRGB, then KNEE."""
    light = (np.arange(round(_STEPS * (10_000 / WHITE) ** 0.5 * 1.4)) / _STEPS) ** 2
    coded = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    over = np.maximum(coded - KNEE, 0) / (1 - KNEE)
    pressed = np.minimum(coded, KNEE) + (1 - KNEE) * (1 - np.exp(-over))
    return (255 * pressed + 0.5).astype(np.uint8)


_LIGHT: Final = {16: _pq(), 18: _hlg()}  # by the number of the curve in ITU-T H.273
_SHOWN: Final = _coded()


def is_hdr(transfer: int) -> bool:
    """Whether this transfer curve, a number of ITU-T H.273, is one of high dynamic range."""
    return transfer in _LIGHT


def tone_mapped(image: np.ndarray, transfer: int) -> np.ndarray:
    """A picture of this transfer curve, RGB uint8 (height, width, 3), for an ordinary screen."""
    light = cv2.transform(cv2.LUT(image, _LIGHT[transfer]), _TO_BT709)
    steps = cv2.sqrt(np.maximum(light, 0)) * _STEPS
    return _SHOWN[steps.astype(np.uint16)]
