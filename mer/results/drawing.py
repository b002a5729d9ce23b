"""Annotated pictures and videos: numbered boxes with expression and percentage, and ribbons."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from mer.emotions import colors
from mer.inference.predictor import Prediction
from mer.io.video import Frame, Video, write_clip
from mer.results import documents, tables
from mer.results.wording import UNSURE, percent, told
from mer.video import upright
from mer.video.event_clips import EXPRESSIONS
from mer.video.expression_segments import last_answer, looks_at, smoothed, sure_at
from mer.video.types import Analysis, Person

LONGEST: Final = 1600  # pixels of the long side at most; more would only slow the page
SHORTEST: Final = 640  # pixels of the long side at least, so that labels do not hide faces
POINT: Final = "#7cf5d6"  # stands out on skin, light or dark
INK: Final = "#111111"  # text and hairlines; its contrast on every class's colour is at least 4.5

ROW: Final = 16  # pixels: height of a person's ribbon
ROWS: Final = 4  # of them at most: of those who were seen longest
DENSITY: Final = 0.15  # bits a pixel and frame that the encoder aims at

Progress = Callable[[float, str], None]
# This font is part of Pillow, so labels look the same on every machine.
_font: Final = functools.cache(ImageFont.load_default)


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


class Picture(NamedTuple):
    """A picture as page and report show it, small enough that many fit in memory."""

    name: str
    content: bytes  # JPEG of the picture with its boxes; b"" where it cannot be read
    faces: Sequence[Prediction] = ()
    size: tuple[int, int] = (1, 1)  # width and height in which the faces' boxes are given
    problem: str = ""  # why there is no face


def picture(name: str, image: np.ndarray, faces: Sequence[Prediction]) -> Picture:
    """Keep an RGB uint8 picture and its faces, boxes drawn."""
    content = documents.jpeg(annotate(image, faces))
    size = image.shape[1], image.shape[0]
    return Picture(name, content, faces, size, "" if faces else tables.NO_FACE)


def annotate(image: np.ndarray, predictions: Sequence[Prediction]) -> np.ndarray:
    """A copy of an RGB uint8 picture with each face boxed in the colour of its class.

    Faces are numbered from 1. The copy's long side is 640 to 1600 pixels, and boxes are scaled with
    it. Where faces are close together labels are shortened, down to the number.
    """
    marks = []
    for number, one in enumerate(predictions, 1):
        said = told(one.emotion, one.probability, one.sure)
        short = percent(one.probability) if one.sure else "unsure"
        color = colors(one.classes)[one.emotion] if one.sure else None
        points = one.measures.points if one.measures else None
        marks.append(Mark(one.face.box, number, said, short, color, points))
    return _marked(image, marks)


def _marked(image: np.ndarray, marks: Sequence[Mark]) -> np.ndarray:
    shown, scale = _fitted(image)
    canvas = Image.fromarray(shown)
    pen = ImageDraw.Draw(canvas)
    edges = [(x, y, x + width, y + height) for (x, y, width, height), *_ in marks]
    boxes = [Area(*(scale * one for one in box)) for box in edges]
    for mark in marks:
        for x, y in () if mark.points is None else (scale * mark.points[:, :2]).tolist():
            pen.rectangle((x - 1, y - 1, x + 0.5, y + 0.5), fill=POINT)
    for box, mark in zip(boxes, marks, strict=True):
        _outline(pen, box, mark.color)
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


def _outline(pen: ImageDraw.ImageDraw, box: Area, color: str | None) -> None:
    """Draw the box between two dark hairlines, so that it stands out on any ground."""
    stroke = max(2, round(max(pen.im.size) / 400))
    wide = Area(box.left - 1, box.top - 1, box.right + 1, box.bottom + 1)
    pen.rectangle(wide, outline=INK, width=stroke + 2)
    pen.rectangle(box, outline=color or UNSURE, width=stroke)
    sides = (box.left, box.right, True), (box.top, box.bottom, False)
    for low, high, across in () if color else sides:
        dashes = max(1, round((high - low) / stroke / 8))
        edges = np.linspace(low, high, 2 * dashes + 2).tolist()
        for start, end in zip(edges[1::2], edges[2::2], strict=False):  # the gaps
            for side in (box.top, box.bottom) if across else (box.left, box.right):
                gap = (start, side, end, side) if across else (side, start, side, end)
                pen.line(gap, fill=INK, width=stroke)


def _label(pen: ImageDraw.ImageDraw, mark: Mark, box: Area, others: list[Area]) -> Area:
    """Write the longest label that hides no face and no other label; return where it stands."""
    longest = max(pen.im.size)
    height = (box.bottom - box.top) / 4
    size = round(min(max(height, longest / 90, 13), max(longest / 36, 14)))
    texts = (f"{mark.number} {mark.said}", f"{mark.number} {mark.short}", f"{mark.number}")
    choices = [(text, place) for text in texts for place in _places(pen, text, size, box)]
    free = (one for one in choices if not any(one[1].meets(other) for other in others))
    text, place = next(free, choices[-1])
    pen.rectangle(place, fill=mark.color or UNSURE, outline=INK)
    middle = (place.left + place.right) / 2, (place.top + place.bottom) / 2
    pen.text(middle, text, font=_font(size), fill=INK, anchor="mm")
    return place


def _places(pen: ImageDraw.ImageDraw, text: str, size: int, box: Area) -> Iterator[Area]:
    """The places for a label: above the box, below it, inside at its top; never cut off."""
    padding = 0.35 * size
    width, height = _font(size).getlength(text) + 2 * padding, size + 2 * padding
    rightmost, lowest = pen.im.size[0] - 1 - width, pen.im.size[1] - 1 - height
    # A large face stays visible behind its label, and the bare number has to stand somewhere.
    inside = box.bottom - box.top > 5 * height or text.isdigit()
    for top in (box.top - height, box.bottom, box.top):
        for left in (box.left, box.right - width):
            x, y = max(0.0, min(left, rightmost)), max(0.0, min(top, lowest))
            place = Area(x, y, x + width, y + height)
            if inside or not place.meets(box):
                yield place


def annotate_video(
    target: Path, source: str | Path, analysis: Analysis, progress: Progress | None = None
) -> None:
    """Write what an analysis saw over the frames that it read, as WebM; one frame is held at once.

    Below the picture runs the ribbon of expressions. `progress` is called now and then with the
    part that is done, 0..1, and a sentence.

    Raises:
        VideoError: the video cannot be read any more, or the film not be written.
    """
    rate = max(analysis.timing.fps, 1.0)
    with upright.again(source, analysis) as video:
        width, height = video.size
        bits = DENSITY * max(width * height, 640 * 360) * rate
        write_clip(target, _drawn(video, analysis, progress), rate, bitrate=f"{bits / 1000:.0f}k")


def _drawn(video: Video, analysis: Analysis, progress: Progress | None) -> Iterator[Frame]:
    wanted = analysis.times_ms
    if not len(wanted):
        return
    seen = [_marks(person, analysis) for person in analysis.people]
    ribbon: np.ndarray | None = None
    for frame in video.frames(float(wanted[0]), float(wanted[-1])):
        row = int(np.abs(wanted - frame.time_ms).argmin())
        time = float(wanted[row])
        if abs(time - frame.time_ms) > 0.5:  # one of those that were left out
            continue
        picture = _marked(frame.image, [one[time] for one in seen if time in one])
        ribbon = _ribbon(analysis, picture.shape[1]) if ribbon is None else ribbon
        part = row / max(len(wanted) - 1, 1)
        now = round(part * (ribbon.shape[1] - 2))
        whole = np.vstack([picture, ribbon])
        whole[len(picture) :, now : now + 2] = ImageColor.getrgb(INK)
        height, width = (side // 2 * 2 for side in whole.shape[:2])  # VP8 halves colours
        yield replace(frame, image=whole[:height, :width], time_ms=frame.time_ms - wanted[0])
        if progress and row % 10 == 0:
            progress(part, "Drawing the film")


def _looks(person: Person, times_ms: np.ndarray) -> list[tuple[str, str | None]]:
    """What a person is said to look like at each time, and its colour; None where it is unsure."""
    shares, classes = smoothed(person), person.classes
    looks, sure = looks_at(person, times_ms), sure_at(person, times_ms)
    answers: list[tuple[str, str | None]] = []
    for look, is_sure, sample in zip(looks, sure, last_answer(person, times_ms), strict=True):
        if 0 <= look < len(classes):
            said = told(classes[look], float(shares[sample, look]), bool(is_sure))
            answers.append((said, colors(classes)[classes[look]] if is_sure else None))
        else:
            answers.append(("face covered" if look == len(classes) else "", None))
    return answers


def _marks(person: Person, analysis: Analysis) -> dict[float, Mark]:
    """The box and the label of a person, by the times at which they are seen."""
    own = [one for one in analysis.events if one.person == person.number]
    passing = [one for one in own if one.kind in EXPRESSIONS]
    looks, times = _looks(person, person.times_ms), person.times_ms.tolist()
    marks = {}
    for time, box, (said, color) in zip(times, person.boxes.tolist(), looks, strict=True):
        event = next((one for one in passing if one.onset_ms <= time <= one.offset_ms), None)
        whole = f"{said}; {event.kind}, {event.moved}" if event else said
        marks[time] = Mark(tuple(box), person.number, whole, said, color)
    return marks


def _ribbon(analysis: Analysis, width: int) -> np.ndarray:
    """RGB uint8 (height, width, 3): a row a person, coloured by what they look like over time."""
    people = sorted(analysis.people, key=lambda person: -len(person.times_ms))[:ROWS]
    people.sort(key=lambda person: person.number)
    canvas = Image.new("RGB", (width, max(len(people), 1) * ROW + 2), "white")
    pen = ImageDraw.Draw(canvas)
    first, last = float(analysis.times_ms[0]), float(analysis.times_ms[-1])
    scale = (width - 1) / max(last - first, 1.0)
    times = np.linspace(first, last, width)
    for index, person in enumerate(people):
        top = 2 + index * ROW
        steps = np.diff(person.times_ms, append=person.times_ms[-1:])
        hold = max(2.5 * float(np.median(steps)), 120.0)
        rows = np.searchsorted(person.times_ms, times, side="right") - 1
        seen = (rows >= 0) & (times - person.times_ms[rows] <= hold)
        looks = _looks(person, times)
        for x in np.flatnonzero(seen).tolist():
            pen.line((x, top, x, top + ROW - 3), fill=looks[x][1] or UNSURE)
        for event in analysis.events:
            if event.person == person.number and event.kind in EXPRESSIONS:
                start, end = (scale * (time - first) for time in (event.onset_ms, event.offset_ms))
                pen.line((start, top + ROW - 4, end, top + ROW - 4), INK, 3)
        pen.text((3, top), str(person.number), fill=INK)
    return np.asarray(canvas)
