"""Small movements made large enough to see. To look at only."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

BAND: Final = (0.5, 8.0)  # Hz that are magnified; an expression of 0.1 to 2 s lies there
GAIN: Final = 10.0  # how many times what passes the band is added, for a movement of a pixel
SHORTEST: Final = 20.0  # pixels of wavelength (λc) from which the gain is whole
LEVELS: Final = 6  # of the pyramid; the finest holds noise and the coarsest light: left alone
SLOWER: Final = 4.0  # slow motion: 0.3 s last 1.2 s


def magnified(frames: Sequence[np.ndarray], fps: float, pixels: float = 1.0) -> list[np.ndarray]:
    """The clip with its small movements made larger, as many frames, of the same size.

    Linear Eulerian magnification (Wu et al. 2012, "Eulerian Video Magnification for Revealing
    Subtle Changes in the World"): every level of a Laplacian pyramid of the brightness is
    band-passed over time, multiplied and added. Colours stay. With a gain of 10, movements of 0.5
    to 1 pixel of a 320-pixel face come out three to four times as large; where a part moves over a
    pixel, it is multiplied by less, for it would tear. The frames are RGB uint8, all of one size,
    evenly spaced in time.
    """
    if len(frames) < 3 or fps <= 2 * BAND[0]:  # nothing that could be told from noise
        return [frame.copy() for frame in frames]
    height, width = frames[0].shape[:2]
    gains = _gains(height, width, GAIN / max(pixels, 1.0))
    changes = _changes(frames, fps, gains)
    return [_added(frame, [level[i] for level in changes]) for i, frame in enumerate(frames)]


def beside(left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Two clips of equally many frames and one size as one, so that they play in step."""
    return [np.hstack(pair) for pair in zip(left, right, strict=True)]


def _gains(height: int, width: int, gain: float) -> list[float]:
    """What each level of the pyramid is multiplied by, from the finest on.

    The bound of the paper, (1 + gain) * movement < wavelength / 8: a movement that bears the gain
    at a wavelength of SHORTEST bears less where the texture is finer.
    """
    movement = SHORTEST / 8 / (1 + gain)
    levels = min(LEVELS, int(np.log2(max(min(height, width), 2))) - 1)
    waves = [4.0 * 2**level for level in range(levels)]  # pixels, the middle of each level's band
    gains = [min(gain, max(0.0, wave / 8 / movement - 1)) for wave in waves]
    return [0.0, *gains[1:-1], 0.0]


def _changes(frames: Sequence[np.ndarray], fps: float, gains: list[float]) -> list[np.ndarray]:
    """What is added to each level: float32 (n, height, width) a level, small where it gains 0.

    Each level is band-passed over time, without delay.
    """
    from scipy import signal  # scipy is slow to import

    levels: list[list[np.ndarray]] = [[] for _ in gains]
    for frame in frames:
        for kept, level, gain in zip(levels, _pyramid(frame, len(gains)), gains, strict=True):
            kept.append(level if gain else level[:1, :1])
    band = BAND[0], min(BAND[1], 0.45 * fps)
    sections = signal.butter(1, band, "bandpass", fs=fps, output="sos")
    padding = min(len(frames) - 1, round(fps))
    return [
        signal.sosfiltfilt(sections, np.stack(level), axis=0, padlen=padding).astype(np.float32)
        * gain
        for level, gain in zip(levels, gains, strict=True)
    ]


def _pyramid(frame: np.ndarray, levels: int) -> list[np.ndarray]:
    """Laplacian pyramid of the brightness, float32, from the finest level on."""
    rest: np.ndarray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    pyramid = []
    for _ in range(levels - 1):
        smaller = cv2.pyrDown(rest)
        pyramid.append(rest - cv2.pyrUp(smaller, dstsize=rest.shape[::-1]))
        rest = smaller
    return [*pyramid, rest]


def _added(frame: np.ndarray, changes: list[np.ndarray]) -> np.ndarray:
    """The frame with the pyramid's changes put together and added to its three colours."""
    sizes = [frame.shape[:2]]
    for _ in changes[1:]:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    total: np.ndarray = np.zeros(sizes[-1], np.float32)
    for change, (rows, columns) in zip(changes[-2::-1], sizes[-2::-1], strict=True):
        total = cv2.pyrUp(total, dstsize=(columns, rows)) + change  # one value where it gains 0
    clipped: np.ndarray = np.clip(frame + total[..., None], 0, 255).astype(np.uint8)
    return clipped
