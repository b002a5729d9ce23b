"""Whether a face can be judged: large, sharp and bright enough, bare, turned to the camera."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mer.faces.detection import Face

SIDE: Final = 64  # pixels: crops are brought to it, so that sharpness does not depend on size


@dataclass(frozen=True)
class Quality:
    """What makes a face hard to judge, measured."""

    height: int  # pixels, of its box
    sharpness: float  # spread of the Laplacian over that of the gray values themselves, from 0
    brightness: float  # mean gray value, 0..255
    turn: float  # degrees to the side, 0..90, about; 0 where the detector gives no points
    # Degrees by which the head leans beyond the roll that was found and is undone in its crop,
    # 0..180; 0 where the detector gives no points.
    tilt: float
    covered: bool = False  # whether something covers it, see `Face`


@dataclass(frozen=True)
class Bounds:
    """From where on a face cannot be judged.

    There the networks' mean accuracy on held-out pictures is 20 points below that of the pictures
    as they are (`python -m benchmarks robustness`, docs/lab/robustness.md). Turned to
    the side that is at 58 degrees, which the detector's five points tell as 53
    (`python -m benchmarks pose`). The other four were measured on the weights of 0.1.0; those that
    ship bear a little more.
    """

    height: int = 19  # pixels
    sharpness: float = 0.113
    brightness: float = 27.4  # gray levels
    turn: float = 53.0  # degrees
    tilt: float = 40.5  # degrees


BOUNDS: Final = Bounds()
NOSE: Final = 0.48  # How far the tip of the nose stands before the eyes, in their distance.


def measure(crop: np.ndarray, face: Face) -> Quality:
    """Measure a face, given its crop: an RGB uint8 square, as `detection.crop` cuts it."""
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return Quality(face.box[3], sharpness(gray), float(gray.mean()), *pose(face), face.covered)


def sharpness(gray: np.ndarray) -> float:
    """See `Quality`, of float32 gray values (SIDE, SIDE)."""
    edges = cv2.Laplacian(gray, cv2.CV_32F)
    return float(edges.std() / max(float(gray.std()), 1.0))


def pose(face: Face) -> tuple[float, float]:
    """Degrees of turning and of tilting, see `Quality`, from the detector's five points."""
    if not face.points:
        return 0.0, 0.0
    right, left, nose, one, other = np.asarray(face.points, float)
    down = (one + other - right - left) / 2
    lean = math.degrees(math.atan2(-down[0], down[1]))
    tilt = abs((lean - face.roll + 180) % 360 - 180)
    across = left - right
    width = float(np.hypot(*across))
    if not width:
        return 90.0, tilt
    aside = float((nose - (right + left) / 2) @ across) / width**2
    return math.degrees(math.atan(abs(aside) / NOSE)), tilt


def concerns(quality: Quality) -> tuple[str, ...]:
    """Why the face cannot be judged, such as 'too dark'; () where it can."""
    small = quality.height < BOUNDS.height
    found = (
        (small, f"too small ({quality.height} pixels high, {BOUNDS.height} are needed)"),
        (quality.sharpness < BOUNDS.sharpness and not small, "too blurred"),
        (quality.brightness < BOUNDS.brightness, "too dark"),
        (quality.turn > BOUNDS.turn, f"turned too far (about {quality.turn:.0f} degrees)"),
        (quality.covered, "covered (by a hand, a mask, sunglasses or the like)"),
        (quality.tilt > BOUNDS.tilt, f"tilted too far (about {quality.tilt:.0f} degrees)"),
    )
    return tuple(text for holds, text in found if holds)
