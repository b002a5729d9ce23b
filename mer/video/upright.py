"""Videos that were filmed sideways or upside down, which their files do not say: turned upright."""

import os
from typing import Final

import cv2
import numpy as np

from mer.faces import detection
from mer.io.video import Video
from mer.video.types import Analysis

LOOKS: Final = 4  # frames that are looked at
EVERY_MS: Final = 500.0  # between two of them
SIDE: Final = 320  # pixels of the long side of what is looked at
# YuNet finds a large face upside down, too, but is surer of it upright: on nine clips such a face
# scored 0.91 or more and 0.02 to 0.2 less upside down, and the one that was filmed so 0.07 to 0.13
# less than turned.
SURE: Final = 0.91  # a face of this score is upright
BETTER: Final = 0.03  # by so much a turn's score has to exceed that of the frames as they are


def opened(path: str | os.PathLike[str], fps: float | None = None) -> Video:
    """The video, turned by the quarters that bring its faces upright; see `Video` for the rest."""
    video = Video(path, fps)
    scores: list[list[float]] = []
    for frame in video.frames(0.0, EVERY_MS * (2 * LOOKS)):
        if frame.time_ms >= EVERY_MS * len(scores):
            scores.append(_scores(frame.image))
        if len(scores) == LOOKS or scores[-1][0] >= SURE:
            break
    if scores and scores[-1][0] < SURE:
        middle = np.median(scores, axis=0)
        video.turn(int(middle.argmax()) if middle.max() > middle[0] + BETTER else 0)
    return video


def again(path: str | os.PathLike[str], analysis: Analysis) -> Video:
    """The video, read as when it was analysed."""
    video = Video(path, analysis.settings.get("frames_per_second"))
    video.turn(analysis.settings.get("quarter_turns", 0))
    return video


def _scores(image: np.ndarray) -> list[float]:
    """The score of the surest face, 0 without one, after 0, 1, 2 and 3 quarter turns."""
    scale = min(1.0, SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    turns = (np.ascontiguousarray(np.rot90(small, quarters)) for quarters in range(4))
    faces = (detection.detect(turned, quick=True) for turned in turns)
    return [max((face.score for face in found), default=0.0) for found in faces]
