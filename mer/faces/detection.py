"""Face detection by YuNet or, as in the paper, by a Haar cascade; and the crop of a face."""

import functools
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import cv2.data
import numpy as np

from mer.errors import MerError, WeightsError
from mer.io import images
from mer.weights import onnx_session, store

# YuNet as OpenCV Zoo has it, and its two graphs, which `tools.split_yunet` made of it: up to the
# feature maps of an eighth of the picture, and the rest. Files, and their SHA-256.
SOURCE: Final = (
    "face_detection_yunet_2023mar.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)
STEM: Final = (
    "yunet_stem.onnx",
    "e520a5a3861fc9403f12c52ef4f647457f74e6caef49ead69f6237959652980c",
)
HEAD: Final = (
    "yunet_head.onnx",
    "2f3f820822f9cb5a6092696d82d1a189d646c3f99c3b98996c45fb738b3a23dd",
)
JOINT: Final = "214"  # name of those feature maps
STRIDES: Final = (8, 16, 32)  # pixels between the anchor points of its three feature maps
NAMES: Final = [f"level_{stride}" for stride in STRIDES]  # of the outputs

# The stem looks at bands of a picture side by side. It needs 35 rows above and below those that it
# answers for; with them a band gives the same maps as the whole.
BAND: Final = 240  # least rows of a band: in lower ones the rows around would outweigh the gain
AROUND: Final = 40  # rows above and below a band

HAAR: Final = "haarcascade_frontalface_default.xml"

LONG_SIDE: Final = 640  # pixels; YuNet gives lower scores to faces that are much larger
SMALL: Final = 32  # pixels; beside a face lower than this there may be others too small to be found

# Larger looks at pictures with small faces or none: long side in pixels, and the faces that have
# to be known by then, since the largest takes as long as all else together. Of 150 faces, 40 pixels
# high in 4000 x 3000, the look at 640 finds none, 1280 126, 1440 133, 2160 141, all looks 143.
LARGER_LOOKS: Final = ((1440, 0), (2160, 5))
QUICK_SIDE: Final = 256  # pixels: the first look of a quick search, at a sixth of the cost
QUICK_LOOKS: Final = ((LONG_SIDE, 0),)  # the look that follows where faces may be too small
OVERLAP: Final = 0.3  # boxes whose intersection over union is larger are one face

# Measured on nine group photographs with 43 boxed faces and on 32 pictures without any. All 43 are
# found at 0.6 and at 0.8; shrunk to 9 to 27 pixels, 34 and 14; turned by 30 degrees, 39 and 35.
# 0.6 pays with one false box, 0.5 with two, 0.8 with none.
THRESHOLD: Final = 0.6

# The paper's training pictures have a side of 0.81 of the longer side of YuNet's box and their
# centre 0.08 of it below (medians of 600, padded to stand free). Of the margins tried on held-out
# pictures (docs/lab/training.md), -0.25 scores best with cnn1.
MARGIN: Final = -0.25
SHIFT: Final = 0.08
# If a box fills more of the picture than this, the picture is a face crop already; of 100 crops 95
# have a box of more than 0.75.
FILLS: Final = 0.66
LARGEST_CROP: Final = 512  # pixels a side, more than any network sees

# Gray levels from the 2nd to the 98th percentile; 199 of 200 training pictures have more contrast.
FLAT: Final = 118.0


@dataclass(frozen=True)
class Face:
    """A face in a picture."""

    box: tuple[int, int, int, int]  # x, y, width, height in the picture's own pixels, clipped to it
    score: float  # the detector's confidence, 0..1, which differs between detectors
    # x, y of right eye, left eye, nose, right and left mouth corner (the person's own right, so on
    # the picture's left); () where the detector has none.
    points: tuple[tuple[float, float], ...] = ()
    # Degrees by which the head leans, clockwise, -180..180, found by `mer.faces.rotation`; 0 for
    # faces that stand about upright and where the roll was not searched.
    roll: float = 0.0
    covered: bool = False  # by a hand, sunglasses or the like, found by `mer.faces.quality`


class YuNet:
    """YuNet 2023mar (Wu, Peng, Yu 2023), from OpenCV Zoo, with the answers of `FaceDetectorYN`.

    Threads may share it. WeightsError is raised if its files are missing or damaged.
    """

    def __init__(self) -> None:
        self._stem, self._head = (
            onnx_session.Session(store.read_verified(*file, "face detector"))
            for file in (STEM, HEAD)
        )

    def __call__(self, image: np.ndarray, threshold: float, overlap: float) -> np.ndarray:
        """Find the faces of an RGB uint8 picture: those of at least the threshold's score, 0..1.

        Float (n, 15): x, y, width, height, five points, score; in pixels, best first. Boxes whose
        intersection over union is larger than `overlap` are one face. All cores are used unless
        `onnx_session.one_thread` forbids it.
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
    """Decode one level, (16, h, w), in units of `stride`, to rows as in `YuNet`."""
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


_yunet = functools.cache(YuNet)


def _by_yunet(image: np.ndarray, quick: bool) -> list[Face]:
    """Faces by YuNet, and again in larger copies where there may be faces too small for it."""
    side, looks = (QUICK_SIDE, QUICK_LOOKS) if quick else (LONG_SIDE, LARGER_LOOKS)
    rows, longest = _look(image, side), max(image.shape[:2])
    for larger, crowd in looks:
        smallest = min(rows[:, 3], default=0) * side / longest
        if longest <= side or len(rows) < crowd or smallest >= SMALL:
            break
        rows = nms(np.concatenate([rows, _look(image, larger)]), THRESHOLD, OVERLAP)
        side = larger
    return [clipped(image, row[:4], row[14], row[4:14].reshape(5, 2)) for row in rows]


def _look(image: np.ndarray, side: int) -> np.ndarray:
    """YuNet's rows for the picture shrunk to `side`, in the picture's own pixels."""
    small = shrunk(image, side / max(image.shape[:2]))
    found, larger = _yunet()(small, THRESHOLD, OVERLAP), np.divide(image.shape, small.shape)
    return np.hstack([found[:, :14] * np.tile(larger[1::-1], 7), found[:, 14:]])


def _by_haar(image: np.ndarray, _: bool) -> list[Face]:
    """Faces by the paper's detector, a cascade on gray.

    The score is a tenth of the last stage's weight, at most 1: about 0.7 for the faces of the
    paper's data set and 0.2 for false boxes.
    """
    small = shrunk(image, LONG_SIDE / max(image.shape[:2]))
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    with _cascade_turn:
        boxes, _levels, weights = haar_cascade().detectMultiScale3(
            gray, minNeighbors=5, minSize=(24, 24), outputRejectLevels=True
        )
    larger = np.tile(np.divide(image.shape, small.shape)[1::-1], 2)
    return [
        clipped(image, np.asarray(box) * larger, weight / 10)
        for box, weight in zip(boxes, np.ravel(weights), strict=True)
    ]


@functools.cache
def haar_cascade() -> cv2.CascadeClassifier:
    """The frontal-face cascade of OpenCV. Raises WeightsError if its file is missing or damaged."""
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / HAAR))
    if cascade.empty():
        mend = "Install it again: `pip install --force-reinstall opencv-python-headless`."
        raise WeightsError(f"OpenCV's file {HAAR} is missing or damaged. {mend}")
    return cascade


_cascade_turn = threading.Lock()  # the cascade is not thread-safe


def _whole(image: np.ndarray, _: bool) -> list[Face]:
    """The whole picture, for pictures that are face crops."""
    height, width = image.shape[:2]
    return [Face((0, 0, width, height), 1.0)]


# What finds the faces of a picture, in no order, and whether it may miss small ones beside large
# ones; called from any number of threads.
DETECTORS: Final = {"yunet": _by_yunet, "haar": _by_haar, "none": _whole}


def check_name(detector: str) -> None:
    """Raise MerError unless a detector has this name."""
    if detector not in DETECTORS:
        raise MerError(f"There is no detector {detector!r}: choose {' or '.join(DETECTORS)}.")


def detect(image: np.ndarray, detector: str = "yunet", *, quick: bool = False) -> list[Face]:
    """Every face of an RGB uint8 picture (height, width, 3), from left to right.

    With `quick`, for frames of a stream, it looks at a small copy first, and closer only where
    nothing is found there or a face less than an eighth as high as the picture is wide. It computes
    with all cores; callers that work on several pictures at once use `onnx_session.one_thread`.
    Raises MerError: no detector has this name; WeightsError: its file is missing or damaged.
    """
    check_name(detector)
    return sorted(DETECTORS[detector](image, quick), key=lambda face: face.box)


def detect_faces(image: np.ndarray) -> list[Face]:
    """The paper's `detect_faces`: the picture in gray, searched with a Haar cascade."""
    return detect(image, "haar")


def clipped(
    image: np.ndarray, box: np.ndarray, score: float, points: np.ndarray | None = None
) -> Face:
    """A face whose box, x, y, width, height in fractions of pixels, is clipped to the picture."""
    height, width = image.shape[:2]
    x, y = min(max(round(box[0]), 0), width - 1), min(max(round(box[1]), 0), height - 1)
    right = min(max(round(box[0] + box[2]), x + 1), width)
    bottom = min(max(round(box[1] + box[3]), y + 1), height)
    marks = () if points is None else tuple((float(px), float(py)) for px, py in points)
    return Face((x, y, right - x, bottom - y), min(max(float(score), 0.0), 1.0), marks)


def crop(image: np.ndarray, face: Face, margin: float = MARGIN) -> np.ndarray:
    """Cut out a square around a face of an RGB uint8 picture, framed like the training pictures.

    `margin` is the share of the longer side of the box that is added to it. Edges are repeated
    outside the picture; a side is at most LARGEST_CROP. A face crop is taken whole, whatever the
    margin. The face's `roll` is undone; its points cannot serve for that, since YuNet's show 1.7
    degrees of a roll of 15 (median of 89 turned faces).
    """
    x, y, side = _square(image, face, margin)
    size = min(side, LARGEST_CROP)
    wide = round(1.5 * side) if face.roll else side  # a little more than the square's diagonal
    window = _window(image, x, y, wide)
    if not face.roll:
        return window if side == size else images.resize(window, size)
    window = images.resize(window, max(1, round(wide * size / side)))
    matrix = cv2.getRotationMatrix2D(((len(window) - 1) / 2,) * 2, face.roll, 1)
    matrix[:, 2] -= np.full(2, (len(window) - size) / 2)
    level = cv2.warpAffine(
        window, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(level, np.uint8)


def enhance_image(image: np.ndarray, face: Face) -> np.ndarray:
    """The paper's `enhance_image`: the face's crop, its contrast stretched to FLAT if less."""
    cut = crop(image, face)
    low, high = np.percentile(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), (2, 98))
    if high - low >= FLAT:
        return cut
    lowest = min(max((low + high - FLAT) / 2, 0), 255 - FLAT)
    gain = FLAT / max(high - low, 16)  # at most sevenfold, since more would show noise
    table = ((np.arange(256) - low) * gain + lowest).clip(0, 255).astype(np.uint8)
    return cv2.LUT(cut, table)


def shrunk(image: np.ndarray, scale: float) -> np.ndarray:
    """The picture at this scale by means over areas; not enlarged."""
    size = [max(1, round(scale * side)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image


def _square(image: np.ndarray, face: Face, margin: float) -> tuple[float, float, int]:
    """Centre x, centre y and side of the square that is cut out for a face."""
    x, y, width, height = face.box
    rows, columns = image.shape[:2]
    if width * height >= FILLS * rows * columns:
        return columns / 2, rows / 2, max(rows, columns)
    longer = max(width, height)
    roll = math.radians(face.roll)
    middle_x = x + width / 2 - SHIFT * longer * math.sin(roll)
    middle_y = y + height / 2 + SHIFT * longer * math.cos(roll)
    return middle_x, middle_y, max(1, round(longer * (1 + margin)))


def _window(image: np.ndarray, x: float, y: float, side: int) -> np.ndarray:
    """The square around a centre, with the picture's edges repeated outside it."""
    height, width = image.shape[:2]
    left = min(max(round(x - side / 2), 1 - side), width - 1)
    top = min(max(round(y - side / 2), 1 - side), height - 1)
    x0, x1, y0, y1 = max(left, 0), min(left + side, width), max(top, 0), min(top + side, height)
    borders = y0 - top, top + side - y1, x0 - left, left + side - x1
    return cv2.copyMakeBorder(image[y0:y1, x0:x1], *borders, cv2.BORDER_REPLICATE)
