"""Annotated pictures: numbered boxes with expression and percentage."""

import functools
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mer.emotions import colors
from mer.inference.predictor import Prediction
from mer.results.wording import UNSURE, percent, told

LONGEST: Final = 1600  # pixels of the long side at most; more would only slow the page
SHORTEST: Final = 640  # pixels of the long side at least, so that labels do not hide faces
POINT: Final = "#7cf5d6"  # stands out on skin, light or dark
INK: Final = "#111111"  # text and hairlines; its contrast on every class's colour is at least 4.5


class Area(NamedTuple):
    """A rectangle, in pixels of the drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Area") -> bool:
        """Whether the two overlap."""
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)


class Mark(NamedTuple):
    """What is drawn of one face."""

    box: tuple[int, int, int, int]  # x, y, width, height in the picture's pixels
    number: int  # stands before what is said, and alone where there is no room
    said: str  # what it looks like
    short: str  # the same in brief
    color: str | None  # of box and label; None for a face that is unsure: gray, its box dashed
    points: np.ndarray | None = None  # float (n, 2 or more), x and y of what is dotted


def annotate(image: np.ndarray, predictions: Sequence[Prediction]) -> np.ndarray:
    """Return a copy of an RGB uint8 picture with each face boxed in the colour of its class.

    Faces are numbered from 1; see `marked`.
    """
    return marked(image, [_mark(number, one) for number, one in enumerate(predictions, 1)])


def _mark(number: int, prediction: Prediction) -> Mark:
    sure, share = prediction.sure, percent(prediction.probability)
    said = told(prediction.emotion, prediction.probability, sure)
    color = colors(prediction.classes)[prediction.emotion] if sure else None
    points = prediction.measures.points if prediction.measures else None
    return Mark(prediction.face.box, number, said, share if sure else "unsure", color, points)


def marked(image: np.ndarray, marks: Sequence[Mark]) -> np.ndarray:
    """Return a copy of an RGB uint8 picture with boxes and labels.

    The copy's long side is 640 to 1600 pixels, and boxes are scaled with it. Where faces are close
    together labels are shortened, down to the number.
    """
    shown, scale = _fitted(image)
    canvas = Image.fromarray(shown)
    pen = ImageDraw.Draw(canvas)
    boxes = [Area(*(scale * edge for edge in _edges(one))) for one in marks]
    for mark in marks:
        for x, y in () if mark.points is None else (scale * mark.points[:, :2]).tolist():
            pen.rectangle((x - 1, y - 1, x + 0.5, y + 0.5), fill=POINT)
    for box, mark in zip(boxes, marks, strict=True):
        _outline(pen, box, mark.color or UNSURE, dashed=not mark.color)
    labels: list[Area] = []
    for index, (box, mark) in enumerate(zip(boxes, marks, strict=True)):
        others = [*labels, *boxes[:index], *boxes[index + 1 :]]
        labels.append(_label(pen, mark, box, others))
    return np.asarray(canvas)


def _fitted(image: np.ndarray) -> tuple[np.ndarray, float]:
    height, width = image.shape[:2]
    longest = max(height, width)
    scale = min(max(longest, SHORTEST), LONGEST) / longest
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale > 1:
        return cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), scale
    # Averaging whole blocks first and interpolating the rest is four times as fast as INTER_AREA.
    blocks = int(1 / scale)
    rough = max(1, width // blocks), max(1, height // blocks)
    small = cv2.resize(image, rough, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), scale


def _edges(mark: Mark) -> tuple[int, int, int, int]:
    x, y, width, height = mark.box
    return x, y, x + width, y + height


def _outline(pen: ImageDraw.ImageDraw, box: Area, color: str, *, dashed: bool) -> None:
    """Draw the box between two dark hairlines, so that it stands out on any ground."""
    stroke = max(2, round(max(pen.im.size) / 400))
    wide = Area(box.left - 1, box.top - 1, box.right + 1, box.bottom + 1)
    pen.rectangle(wide, outline=INK, width=stroke + 2)
    pen.rectangle(box, outline=color, width=stroke)
    for gap in _gaps(box, 4 * stroke) if dashed else ():
        pen.line(gap, fill=INK, width=stroke)


def _gaps(box: Area, length: float) -> Iterator[tuple[float, float, float, float]]:
    """Yield the gaps of the dashes on the four sides, each of about this length."""
    for low, high, across in ((box.left, box.right, True), (box.top, box.bottom, False)):
        edges = np.linspace(low, high, 2 * max(1, round((high - low) / length / 2)) + 2)
        for start, end in zip(edges[1::2].tolist(), edges[2::2].tolist(), strict=False):
            for side in (box.top, box.bottom) if across else (box.left, box.right):
                yield (start, side, end, side) if across else (side, start, side, end)


def _label(pen: ImageDraw.ImageDraw, mark: Mark, box: Area, others: list[Area]) -> Area:
    """Write the longest label that hides no face and no other label; return where it stands."""
    texts = (f"{mark.number} {mark.said}", f"{mark.number} {mark.short}", f"{mark.number}")
    font = _font(_font_size(pen, box))
    choices = [(text, place) for text in texts for place in _places(pen, text, font, box)]
    free = (one for one in choices if not any(one[1].meets(other) for other in others))
    text, place = next(free, choices[-1])
    pen.rectangle(place, fill=mark.color or UNSURE, outline=INK)
    middle = (place.left + place.right) / 2, (place.top + place.bottom) / 2
    pen.text(middle, text, font=font, fill=INK, anchor="mm")
    return place


def _font_size(pen: ImageDraw.ImageDraw, box: Area) -> int:
    """Return a quarter of the face's height in pixels, within a readable range."""
    longest: int = max(pen.im.size)
    return round(min(max((box.bottom - box.top) / 4, longest / 90, 13), max(longest / 36, 14)))


def _places(
    pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, box: Area
) -> Iterator[Area]:
    """Yield the places for a label: above the box, below it, inside at its top; never cut off."""
    padding = 0.35 * font.size
    width, height = font.getlength(text) + 2 * padding, font.size + 2 * padding
    rightmost, lowest = pen.im.size[0] - 1 - width, pen.im.size[1] - 1 - height
    # A large face stays visible behind its label, and the bare number has to stand somewhere.
    inside = box.bottom - box.top > 5 * height or text.isdigit()
    for top in (box.top - height, box.bottom, box.top):
        for left in (box.left, box.right - width):
            x, y = max(0.0, min(left, rightmost)), max(0.0, min(top, lowest))
            place = Area(x, y, x + width, y + height)
            if inside or not place.meets(box):
                yield place


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # This font is part of Pillow, so labels look the same on every machine.
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
