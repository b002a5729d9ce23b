"""Whether two looks show the same person: strict, since a wrong yes mixes two people up."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mer.faces.detection import Face
from mer.faces.occlusion import SMALLEST, shape

HEAD: Final = 48  # pixels a side of the view of face and hair whose colours are counted
HEAD_SIDES: Final = (1.5, 1.4)  # of the box's width and height
HEAD_UP: Final = 0.15  # of the box's height, from its middle to the view's
BINS: Final = (16, 12, 12)  # of L, a and b
_RANGES: Final = (0, 256, 96, 176, 96, 176)  # skin, hair and lips lie within
_OVAL: Final = cv2.ellipse(
    np.zeros((HEAD, HEAD), np.uint8), (24, 22), (20, 22), 0, 0, 360, 255, cv2.FILLED
)

# Measured on 118 pairs of different people in the same photograph, 1807 of different people
# elsewhere, and on one woman over 19 s of crying and laughing: colours of two people agree by .89
# at most, hers by .93 or more in nine of ten pairs of looks; shapes of two people by .74 at most.
COLOURS: Final = 0.93
SHAPE: Final = 0.40
SHAPE_ALONE: Final = 0.77  # of shapes that tell by themselves, as where there is no colour
COLOURLESS: Final = 4.0  # mean of |a| and |b| over the head, up to which a picture is gray
AT_PLACE: Final = 0.80  # of colours: enough where a face is just expected, or shaped so


@dataclass(frozen=True)
class Look:
    """What a face looks like in one frame; 8 kB."""

    colours: np.ndarray  # float16 (2304,), square roots of a histogram of face and hair in CIE Lab
    shape: np.ndarray  # float16 (1764,), histograms of gradients of the level face, centred; norm 1
    gray: bool  # whether the picture has no colours

    def likeness(self, other: "Look") -> tuple[float, float]:
        """How far colours (0..1) and shapes (-1..1) agree."""
        parts = (self.colours, other.colours), (self.shape, other.shape)
        colours, shapes = (
            float(one.astype(np.float32) @ two.astype(np.float32)) for one, two in parts
        )
        return colours, shapes

    def same(self, other: "Look") -> bool:
        """Whether both show the same person, wherever they are.

        The colours may be those of a neighbour too, or of another light: then the shape decides.
        """
        colours, shape = self.likeness(other)
        if shape >= SHAPE_ALONE:
            return colours >= AT_PLACE
        return colours >= COLOURS and shape >= SHAPE and not (self.gray or other.gray)


def look(image: np.ndarray, face: Face) -> Look | None:
    """What a face of an RGB uint8 picture looks like; None where it is too small to tell."""
    if face.box[2] < SMALLEST:
        return None
    x, y, width, height = face.box
    left, right = x + (1 - HEAD_SIDES[0]) / 2 * width, x + (1 + HEAD_SIDES[0]) / 2 * width
    top = y + ((1 - HEAD_SIDES[1]) / 2 - HEAD_UP) * height
    bottom = top + HEAD_SIDES[1] * height
    rows, columns = (
        slice(max(0, int(top)), max(1, int(bottom))),
        slice(max(0, int(left)), max(1, int(right))),
    )
    head = cv2.resize(image[rows, columns], (HEAD, HEAD), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(head, cv2.COLOR_RGB2LAB)
    counts = cv2.calcHist([lab], [0, 1, 2], _OVAL, BINS, _RANGES).ravel()
    colours = np.sqrt(counts / max(float(counts.sum()), 1.0))
    gray = float(np.abs(lab[..., 1:][_OVAL > 0] - 128.0).mean()) <= COLOURLESS
    return Look(colours.astype(np.float16), shape(image, face).astype(np.float16), gray)
