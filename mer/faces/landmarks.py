"""478 points of a face, by the network of MediaPipe's Face Landmarker."""

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mer.faces.detection import Face
from mer.weights import store

FILE: Final = "face_landmarks_detector.tflite"
SHA256: Final = "c7d54204ce0448474c7f3fa9af494787c0965cbdd6f20fc72867e43046bd43d5"
POINTS: Final = 478
SIDE: Final = 256  # pixels of the view that the network sees
AROUND: Final = 1.5  # times the longer side of a box that the view is wide
EYES: Final = (33, 263)  # outer corners: the person's right one, the left one
PRESENT: Final = 0.5  # presence under which the view shows no face


@dataclass(frozen=True)
class Landmarks:
    """Points of one face."""

    # Float32 (478, 3), numbered as MediaPipe numbers them: x and y in pixels of the picture, z in
    # the same unit, less where nearer to the camera.
    points: np.ndarray
    presence: float  # 0..1, how sure it is that there is a face


class TFLite:
    """A network of a .tflite file, computed by OpenCV. Threads may share it: they take turns."""

    def __init__(self, file: str, sha256: str, outputs: Sequence[str]) -> None:
        """Load it from the weights' folder; `outputs` are those that are asked for.

        Raises:
            WeightsError: the file is missing or damaged.
        """
        content = store.read_verified(file, sha256, "network")
        self._net = cv2.dnn.readNetFromTFLite(np.frombuffer(content, np.uint8))
        self._outputs = list(outputs)
        self._turn = threading.Lock()

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """Its outputs, each as one row."""
        with self._turn:
            self._net.setInput(values)
            answers = self._net.forward(self._outputs)
        return [np.array(answer, np.float32).ravel() for answer in answers]


def find(image: np.ndarray, face: Face) -> Landmarks | None:
    """The points of a face of an RGB uint8 picture, or None where the network sees none.

    It looks twice: about the box, then about the points that it found there. A face without points
    is taken to be upright.

    Raises:
        WeightsError: the network's file is missing or damaged.
    """
    x, y, width, height = face.box
    eyes = face.points[:2] or ((0.0, 0.0), (1.0, 0.0))
    corners = np.array([(x, y), (x + width, y + height)], float)
    found = _seen(image, _view(corners, np.array(eyes)))
    if found.presence >= PRESENT:
        found = _seen(image, _view(found.points[:, :2], found.points[list(EYES), :2]))
    return found if found.presence >= PRESENT else None


def _view(points: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """Float (2, 3), from the picture to a level, square view of what the points enclose."""
    low, high = points.min(axis=0), points.max(axis=0)
    scale = SIDE / (AROUND * max(float((high - low).max()), 1.0))
    across, down = eyes[1] - eyes[0]
    roll = np.arctan2(down, across)
    cosine, sine = scale * np.cos(roll), scale * np.sin(roll)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([turn, SIDE / 2 - turn @ (low + high) / 2])


def _seen(image: np.ndarray, view: np.ndarray) -> Landmarks:
    size = SIDE, SIDE
    crop = cv2.warpAffine(image, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    values = (crop.astype(np.float32) / 255).transpose(2, 0, 1)[None]
    places, (presence,) = _network()(values)
    points = places.reshape(POINTS, 3)
    back = np.linalg.inv(np.vstack([view, (0, 0, 1)]))[:2]
    plane = points[:, :2] @ back[:, :2].T + back[:, 2]
    depth = points[:, 2:] * np.sqrt(np.linalg.det(back[:, :2]))
    sure = 1 / (1 + np.exp(-float(presence)))
    return Landmarks(np.hstack([plane, depth]).astype(np.float32), sure)


@functools.cache
def _network() -> TFLite:
    return TFLite(FILE, SHA256, ("Identity", "Identity_1"))
