"""Makes the examples of the page and its icon: `python -m tools.make_examples`.

They show the photograph that ships with the page, warped: NASA's works are in the public domain.
"""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.synthetic import clips
from benchmarks.synthetic.timeline import plan
from mer.inference.predictor import get_predictor
from mer.io import images
from mer.io.video import write_clip
from mer.results import drawing
from mer.ui import header, parts

SIDE: Final = 360  # pixels of each face in the example of four
ICON: Final = 256  # pixels of the page's icon
VIDEOS: Final[dict[str, dict[str, Any]]] = {
    "expressions.webm": {
        "fps": 60,
        "seconds": 9,
        "events": plan(9, 3.0),
        "size": (480, 360),
        "noise": 1.0,
    },
    "blinks-and-speech.webm": {
        "fps": 30,
        "seconds": 12,
        "speech": 15,
        "size": (480, 360),
        "noise": 1.0,
    },
}


def four(picture: np.ndarray) -> np.ndarray:
    """The face four times, RGB uint8: as it is, leaning, blurred, and too dark to be judged."""
    plain = cv2.resize(picture[:270, 100:370], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 25, 1)
    leaning = cv2.warpAffine(plain, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(plain, (20, 20), interpolation=cv2.INTER_AREA)
    dark = (0.12 * plain).astype(np.uint8)
    return np.vstack(
        [np.hstack([plain, leaning]), np.hstack([cv2.resize(small, (SIDE, SIDE)), dark])]
    )


def icon(picture: np.ndarray) -> np.ndarray:
    """The face with its box, RGB uint8 (ICON, ICON, 3)."""
    boxed = drawing.annotate(picture, get_predictor().predict(picture))
    side = boxed.shape[0] * 270 // 512
    left = boxed.shape[1] * 100 // 512
    return cv2.resize(boxed[:side, left : left + side], (ICON, ICON), interpolation=cv2.INTER_AREA)


def make(folder: Path = parts.MEDIA) -> list[Path]:
    """Write pictures and videos into `folder` and return the videos' paths."""
    picture = images.read(parts.PHOTOGRAPH)
    cv2.imwrite(str(folder / parts.FOUR.name), four(picture)[..., ::-1])
    cv2.imwrite(str(folder / header.PREVIEW.name), icon(picture)[..., ::-1])
    paths = [folder / name for name in VIDEOS]
    for path, options in zip(paths, VIDEOS.values(), strict=True):
        clip = clips.Clip(picture, **options)
        write_clip(path, clip, clip.fps, bitrate="700k")
    return paths


if __name__ == "__main__":
    for written in make():
        print(written, written.stat().st_size, "bytes")
