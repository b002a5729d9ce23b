"""YuNet, the network of the face detector: boxes, points and scores of one picture."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from mer.weights import onnx_session, store

# OpenCV Zoo's file, of which `tools.split_yunet` made both graphs, and its checksum.
SOURCE: Final = "face_detection_yunet_2023mar.onnx"
SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

# The graph up to the feature maps of an eighth of the picture, and the rest; with their checksums.
STEM: Final = "yunet_stem.onnx"
STEM_SHA256: Final = "e520a5a3861fc9403f12c52ef4f647457f74e6caef49ead69f6237959652980c"
HEAD: Final = "yunet_head.onnx"
HEAD_SHA256: Final = "2f3f820822f9cb5a6092696d82d1a189d646c3f99c3b98996c45fb738b3a23dd"
JOINT: Final = "214"  # name of those feature maps
STRIDES: Final = (8, 16, 32)  # pixels between the anchor points of its three feature maps
NAMES: Final = [f"level_{stride}" for stride in STRIDES]  # of the outputs

# The stem looks at bands of a picture side by side. It needs 35 rows above and below those that it
# answers for; with them a band gives the same maps as the whole.
BAND: Final = 240  # least rows of a band: in lower ones the rows around would outweigh the gain
AROUND: Final = 40  # rows above and below a band


class Network:
    """YuNet 2023mar (Wu, Peng, Yu 2023), from OpenCV Zoo, with the answers of `FaceDetectorYN`.

    Threads may share it. WeightsError is raised if its files are missing or damaged.
    """

    def __init__(self) -> None:
        self._stem, self._head = (
            onnx_session.Session(store.read_verified(file, checksum, "face detector"))
            for file, checksum in ((STEM, STEM_SHA256), (HEAD, HEAD_SHA256))
        )

    def __call__(self, image: np.ndarray, threshold: float, overlap: float) -> np.ndarray:
        """Find the faces of an RGB uint8 picture: those of at least the threshold's score, 0..1.

        It computes with all cores unless `onnx_session.one_thread` forbids it. Boxes whose
        intersection over union is larger than `overlap` are one face.

        Returns:
            Float (n, 15): x, y, width, height, five points, score; in pixels, best first.
        """
        levels = zip(self._head(NAMES, {JOINT: self._maps(image)}), STRIDES, strict=True)
        rows = [_decoded(level[0], stride, threshold) for level, stride in levels]
        return nms(np.concatenate(rows), threshold, overlap)

    def _maps(self, image: np.ndarray) -> np.ndarray:
        """The stem's feature maps, float32 (1, 64, h / 8, w / 8); bands are shared out."""
        height, width = (-(-length // STRIDES[-1]) * STRIDES[-1] for length in image.shape[:2])
        right, below = width - image.shape[1], height - image.shape[0]
        pixels = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT)[None]
        count = 1 if onnx_session.alone() else max(1, min(onnx_session.cores(), height // BAND))
        step = STRIDES[0]
        edges = [height // step * number // count * step for number in range(count + 1)]

        def band(number: int) -> np.ndarray:
            top, bottom = edges[number : number + 2]
            first = max(0, top - AROUND)
            (maps,) = self._stem([JOINT], {"pixels": pixels[:, first : bottom + AROUND]})
            return maps[:, :, (top - first) // step : (bottom - first) // step]

        return np.concatenate(onnx_session.shared_out(band, range(count)), axis=2)


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


def _decoded(level: np.ndarray, stride: int, threshold: float) -> np.ndarray:
    """Decode one level, (16, h, w), in units of `stride`, to rows as in `Network`."""
    # Channels: the logits of two scores, x, y, the logarithms of width and height, five points.
    values = level.reshape(len(level), -1)
    named, there = 1 / (1 + np.exp(-values[:2]))
    score = np.sqrt(named * there)
    places = np.flatnonzero(score >= threshold)
    found = values[2:, places].T
    centre = np.stack([places % level.shape[2], places // level.shape[2]], 1)
    size = np.exp(found[:, 2:4])
    corner = found[:, :2] + centre - size / 2
    marks = found[:, 4:] + np.tile(centre, 5)
    return np.hstack([stride * np.hstack([corner, size, marks]), score[places, None]])
