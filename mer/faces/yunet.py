"""YuNet, the network of the face detector: boxes, points and scores of one picture."""

import threading
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from mer.weights import onnx_session, store

FILE: Final = "face_detection_yunet_2023mar.onnx"
SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
STRIDES: Final = (8, 16, 32)  # pixels between the anchor points of its three feature maps
NAMES: Final = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]

KEPT: Final = 640 * 640 * 3  # largest input, in values, whose memory is used again
# The file declares an input of 640 x 640, though its layers take any multiple of 32. Both lengths
# are replaced by names of as many bytes (dim_value by dim_param in ONNX's protobuf).
_FIXED: Final = b"\n\x03\x08\x80\x05"
_ANY: Final = (b"\n\x03\x12\x01h", b"\n\x03\x12\x01w")


class Network:
    """YuNet 2023mar (Wu, Peng, Yu 2023), from OpenCV Zoo. Threads may share it.

    The answers are those of `cv2.FaceDetectorYN`; one core is quicker than two are there.
    """

    def __init__(self) -> None:
        """Load it.

        Raises:
            WeightsError: its file is missing or damaged.
        """
        content = store.read_verified(FILE, SHA256, "face detector")
        for free in _ANY:
            content = content.replace(_FIXED, free, 1)
        self._session = onnx_session.Session(content)
        self._kept = threading.local()

    def __call__(self, image: np.ndarray, threshold: float, overlap: float) -> np.ndarray:
        """Find the faces of a picture, with all cores unless `onnx_session.one_thread` forbids it.

        Args:
            image: RGB uint8 (height, width, 3).
            threshold: least score, 0..1.
            overlap: boxes whose intersection over union is larger are one face.

        Returns:
            Float (n, 15): x, y, width, height, five points, score; in pixels, best first.
        """
        planes = self._planes(image)
        maps = self._session(NAMES, {"input": planes}, together=True)
        width = planes.shape[3]
        parts = [
            _decoded([found[0] for found in maps[place::3]], width // stride, stride, threshold)
            for place, stride in enumerate(STRIDES)
        ]
        return nms(np.concatenate(parts), threshold, overlap)

    def _planes(self, image: np.ndarray) -> np.ndarray:
        """Float32 (1, 3, h, w): blue, green, red, with a black border up to multiples of 32.

        A thread's next picture of the same size uses the same memory, since new memory costs 1.5 ms
        at 640 x 480, more than a tenth of the detection.
        """
        height, width = image.shape[:2]
        shape = (1, 3, *(-(-length // STRIDES[-1]) * STRIDES[-1] for length in (height, width)))
        planes: np.ndarray | None = getattr(self._kept, "planes", None)
        if planes is None or planes.shape != shape:
            planes = np.empty(shape, np.float32)
            if planes.size <= KEPT:
                self._kept.planes = planes
        planes[..., height:, :], planes[..., width:] = 0, 0
        for plane, colour in zip(planes[0, ::-1], cv2.split(image), strict=True):
            plane[:height, :width] = colour
        return planes


def iou(one: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> float:
    """Intersection over union, 0..1, of two boxes, each x, y, width, height."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(0.0, float(width)) * max(0.0, float(height))
    return both / max(float(one[2] * one[3] + other[2] * other[3]) - both, 1e-9)


def nms(found: np.ndarray, threshold: float, overlap: float) -> np.ndarray:
    """Non-maximum suppression: rows without those whose box overlaps a better one's; best first."""
    kept = cv2.dnn.NMSBoxes(found[:, :4].tolist(), found[:, 14].tolist(), threshold, overlap)
    return np.take(found, np.asarray(kept, int), axis=0)


def _decoded(maps: list[np.ndarray], columns: int, stride: int, threshold: float) -> np.ndarray:
    """Decode one feature map to rows as in `Network`; its values are in units of `stride`."""
    named, there, boxes, points = maps
    score = np.sqrt(named.clip(0, 1) * there.clip(0, 1))[:, 0]
    places = np.flatnonzero(score >= threshold)
    centre = np.stack([places % columns, places // columns], 1)
    size = np.exp(boxes[places, 2:])
    corner = boxes[places, :2] + centre - size / 2
    marks = points[places] + np.tile(centre, 5)
    return np.hstack([stride * np.hstack([corner, size, marks]), score[places, None]])
