"""A face, measured: 478 points, how the head is held, gaze, openings, 52 blendshapes.

Both networks are MediaPipe's, of its Face Landmarker.
"""

import functools
import threading
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from mer.faces.detection import Face
from mer.weights import store

LANDMARKS: Final = (
    "face_landmarks_detector.tflite",
    "c7d54204ce0448474c7f3fa9af494787c0965cbdd6f20fc72867e43046bd43d5",
)  # file and SHA-256
BLENDING: Final = (
    "face_blendshapes.tflite",
    "4f36dded049db18d76048567439b2a7f58f1daabc00d78bfe8f3ad396a2d2082",
)
POINTS: Final = 478
SIDE: Final = 256  # pixels of the view in which the points are found
AROUND: Final = 1.5  # times the longer side of a box that the view is wide
PRESENT: Final = 0.5  # presence under which the view shows no face

# Of the 478 points, those that the blendshapes' network reads, in its order.
READ: Final = (
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63),
    *(65, 66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133),
    *(136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163),
    *(168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270),
    *(276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317),
    *(318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379),
    *(380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454),
    *(466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477),
)

# The network's answers by ARKit's names, and the unit of FACS that each is close to ("" for none):
# those of which there is one a side, alike, and the others. A blendshape is a shape that a drawn
# face takes, not a unit that a person has coded.
_SIDES: Final = {
    "browDown": "AU4", "browOuterUp": "AU2", "cheekSquint": "AU6", "eyeBlink": "AU45",
    "eyeLookDown": "M64", "eyeLookUp": "M63", "eyeSquint": "AU7", "eyeWide": "AU5",
    "jaw": "AD30", "mouthDimple": "AU14", "mouthFrown": "AU15", "mouthLowerDown": "AU16",
    "mouthPress": "AU24", "mouthSmile": "AU12", "mouthStretch": "AU20", "mouthUpperUp": "AU10",
    "noseSneer": "AU9",
}  # fmt: skip
_OTHERS: Final = {
    "_neutral": "", "browInnerUp": "AU1", "cheekPuff": "AD34", "eyeLookInLeft": "M62",
    "eyeLookInRight": "M61", "eyeLookOutLeft": "M61", "eyeLookOutRight": "M62",
    "jawForward": "AD29", "jawOpen": "AU26", "mouthClose": "", "mouthFunnel": "AU22",
    "mouthLeft": "", "mouthPucker": "AU18", "mouthRight": "", "mouthRollLower": "AU28",
    "mouthRollUpper": "AU28", "mouthShrugLower": "AU17", "mouthShrugUpper": "AU17",
}  # fmt: skip
_BOTH: Final = {name + side: unit for name, unit in _SIDES.items() for side in ("Left", "Right")}
BLENDSHAPES: Final = dict(sorted((_OTHERS | _BOTH).items()))  # in the network's order
FIGURES: Final = (
    "yaw", "pitch", "roll", "gaze_right", "gaze_down",
    "right_eye_open", "left_eye_open", "mouth_open",
)  # fmt: skip
Pair = tuple[int, int]  # numbers of points
MEASURES: Final = (*FIGURES, *BLENDSHAPES)

# Pairs of points, the person's right one first, that keep their places whatever the face does.
PAIRS: Final = ((33, 263), (133, 362), (127, 356), (234, 454), (93, 323), (162, 389))
UPRIGHT: Final = (10, 152)  # the top of the forehead, and the chin
# Mean of 60 frontal faces of KDEF that look into the camera: how far these two lean, and the iris
# lies off the middle of the eye's corners, on a head held straight. Degrees.
LEAN_AT_REST: Final = 6.8
GAZE_DOWN_AT_REST: Final = -11.4

# Of each eye, the person's right one first: its outer and inner corner, lids from above to below
# in pairs, and the iris's centre.
EYES: Final = ((33, 133), (263, 362))
LIDS: Final = (((159, 145), (158, 153), (160, 144)), ((386, 374), (385, 380), (387, 373)))
IRISES: Final = (468, 473)
LIPS: Final = (13, 14)  # the inner edges of upper and lower lip, in the middle
EYEBALL: Final = 0.42  # its radius, in widths of the eye's opening: 12.5 of 30 millimetres
SHUT: Final = 0.12  # opening under which an eye has no gaze


@dataclass(frozen=True)
class Measures:
    """What was measured of a face; the person's own left and right."""

    yaw: float  # degrees that the head is turned, positive to the picture's right
    pitch: float  # degrees that it is raised, 0 for a head held straight; rougher than yaw
    roll: float  # degrees that it leans, positive clockwise
    # Degrees that the eyes look to the picture's right and down, from straight out of the face; NaN
    # where both are shut. Rough: 30 mm is taken for the width of any eye.
    gaze_right: float
    gaze_down: float
    # Height of the opening over its width, about .3 at rest.
    right_eye_open: float
    left_eye_open: float
    mouth_open: float  # distance of the lips' inner edges over that of the eyes' outer corners
    blendshapes: np.ndarray  # float32 (52,), 0..1, in the order of BLENDSHAPES
    # Float32 (478, 3), see `landmarks`.
    points: np.ndarray = field(default_factory=lambda: np.empty((0, 3), np.float32))

    @property
    def figures(self) -> dict[str, float]:
        """Every figure by its name, in the order of MEASURES."""
        own = {name: float(getattr(self, name)) for name in FIGURES}
        return own | dict(zip(BLENDSHAPES, self.blendshapes.tolist(), strict=True))


class TFLite:
    """A network of a .tflite file among the weights, computed by OpenCV, and chosen outputs of it.

    Threads may share it: they take turns. WeightsError is raised if it is missing or damaged.
    """

    def __init__(self, file: str, sha256: str, *outputs: str) -> None:
        content = store.read_verified(file, sha256, "network")
        self._net = cv2.dnn.readNetFromTFLite(np.frombuffer(content, np.uint8))
        self._outputs = outputs
        self._turn = threading.Lock()

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """Its outputs, each as one row."""
        with self._turn:
            self._net.setInput(values)
            answers = self._net.forward(self._outputs)
        return [np.array(answer, np.float32).ravel() for answer in answers]


_network = functools.cache(TFLite)


def landmarks(
    image: np.ndarray, face: Face, expected: np.ndarray | None = None
) -> np.ndarray | None:
    """The points of a face of an RGB uint8 picture, or None where the network sees none.

    They are float32 (478, 3), numbered as MediaPipe numbers them: x and y in pixels of the picture,
    z in the same unit, less where nearer to the camera. The network looks twice: about the box,
    then about the points that it found there; and once, about the points that are `expected`, such
    as those of a frame before, if it sees the face there. A face without points is taken to be
    upright.
    """
    if expected is not None and (found := _again(image, expected)) is not None:
        return found
    x, y, width, height = face.box
    eyes = np.array(face.points[:2] or ((0.0, 0.0), (1.0, 0.0)))
    found = _seen(image, np.array([(x, y), (x + width, y + height)], float), eyes)
    return None if found is None else _again(image, found)


def _again(image: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    outer_corners = points[[EYES[0][0], EYES[1][0]], :2]
    return _seen(image, points[:, :2], outer_corners)


def _seen(image: np.ndarray, around: np.ndarray, eyes: np.ndarray) -> np.ndarray | None:
    """The points in a level, square view of what these points enclose, (n, 2)."""
    low, high = around.min(axis=0), around.max(axis=0)
    scale = SIDE / (AROUND * max(float((high - low).max()), 1.0))
    across, down = eyes[1] - eyes[0]
    roll = np.arctan2(down, across)
    cosine, sine = scale * np.cos(roll), scale * np.sin(roll)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    view = np.column_stack([turn, SIDE / 2 - turn @ (low + high) / 2])
    crop = cv2.warpAffine(image, view, (SIDE, SIDE), borderMode=cv2.BORDER_CONSTANT)
    values = (crop.astype(np.float32) / 255).transpose(2, 0, 1)[None]
    places, (presence,) = _network(*LANDMARKS, "Identity", "Identity_1")(values)
    if 1 / (1 + np.exp(-float(presence))) < PRESENT:
        return None
    points = places.reshape(POINTS, 3)
    back = np.linalg.inv(np.vstack([view, (0, 0, 1)]))[:2]
    plane = points[:, :2] @ back[:, :2].T + back[:, 2]
    depth = points[:, 2:] * np.sqrt(np.linalg.det(back[:, :2]))
    return np.hstack([plane, depth]).astype(np.float32)


def measure(image: np.ndarray, face: Face, expected: np.ndarray | None = None) -> Measures | None:
    """Measure a face of an RGB uint8 picture, or None where no points are found in it.

    `expected` is as for `landmarks`.
    """
    found = landmarks(image, face, expected)
    return None if found is None else of(found)


def of(found: np.ndarray) -> Measures:
    """What the points of a face tell, see `landmarks`."""
    points = found.astype(float)
    turn = _turn(points)
    level = points @ turn.T  # as the camera would see them before the face
    right_eye, left_eye = (_opening(level, *eye) for eye in zip(EYES, LIDS, strict=True))
    lips = max(level[LIPS[1], 1] - level[LIPS[0], 1], 0.0)
    apart = float(np.hypot(*(level[EYES[1][0], :2] - level[EYES[0][0], :2])))
    yaw, lean = (np.arctan2(axis[2], np.hypot(axis[0], axis[1])) for axis in turn[:2])
    yaw, lean, roll = np.degrees((yaw, lean, np.arctan2(turn[0, 1], turn[0, 0]))).tolist()
    (shapes,) = _network(*BLENDING, "StatefulPartitionedCall:0")(found[list(READ), :2][None])
    head, opened = (yaw, LEAN_AT_REST - lean, roll), (right_eye, left_eye, lips / apart)
    gaze = _gaze(level, (right_eye, left_eye))
    return Measures(*head, *gaze, *opened, shapes, found)


def _turn(points: np.ndarray) -> np.ndarray:
    """Float (3, 3): rows are the face's own right (as the picture shows it), down, and away."""
    first, second = np.array(PAIRS).T
    across = (points[second] - points[first]).sum(axis=0)
    across /= np.linalg.norm(across)
    down = points[UPRIGHT[1]] - points[UPRIGHT[0]]
    down -= across * (down @ across)
    down /= np.linalg.norm(down)
    return np.array([across, down, np.cross(across, down)])


def _opening(level: np.ndarray, corners: Pair, lids: tuple[Pair, ...]) -> float:
    width = float(np.linalg.norm(level[corners[1], :2] - level[corners[0], :2]))
    heights = [level[below, 1] - level[above, 1] for above, below in lids]
    return max(float(np.mean(heights)), 0.0) / max(width, 1e-6)


def _gaze(level: np.ndarray, opened: tuple[float, ...]) -> tuple[float, float]:
    """Degrees to the right and down, the mean of the eyes that are open."""
    looks = []
    for corners, iris, height in zip(EYES, IRISES, opened, strict=True):
        outer, inner = level[list(corners), :2]
        away = level[iris, :2] - (outer + inner) / 2
        radius = EYEBALL * float(np.linalg.norm(inner - outer))
        if height >= SHUT:
            looks.append(np.degrees(np.arcsin(np.clip(away / radius, -1, 1))))
    right, down = np.mean(looks, axis=0) if looks else (np.nan, np.nan)
    return float(right), float(down) - GAZE_DOWN_AT_REST
