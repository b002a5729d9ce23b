"""A video to keep: boxes, what each face looks like, and below it the ribbon of expressions."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from mer.emotions import colors
from mer.io import webm
from mer.io.video import Frame, Video
from mer.results import drawing
from mer.results.drawing import INK, Mark
from mer.results.wording import UNSURE, told
from mer.video import upright
from mer.video.event_clips import EXPRESSIONS
from mer.video.expression_segments import last_answer, looks_at, smoothed, sure_at
from mer.video.types import Analysis, Person

ROW: Final = 16  # pixels: height of a person's ribbon
ROWS: Final = 4  # of them at most: of those who were seen longest
DENSITY: Final = 0.15  # bits a pixel and frame that the encoder aims at
PAPER: Final = "#ffffff"

Progress = Callable[[float, str], None]


def write(
    target: Path, source: str | Path, analysis: Analysis, progress: Progress | None = None
) -> None:
    """Write what an analysis saw over the frames that it read, as WebM; one frame is held at once.

    `progress` is called now and then with the part that is done, 0..1, and a sentence.

    Raises:
        VideoError: the video cannot be read any more, or the film not be written.
    """
    rate = max(analysis.timing.fps, 1.0)
    with upright.again(source, analysis) as video:
        width, height = video.size
        bits = DENSITY * max(width * height, 640 * 360) * rate
        webm.write(target, _drawn(video, analysis, progress), rate, bitrate=f"{bits / 1000:.0f}k")


def _drawn(video: Video, analysis: Analysis, progress: Progress | None) -> Iterator[Frame]:
    wanted = analysis.times_ms
    if not len(wanted):
        return
    seen = [_marks(person, analysis) for person in analysis.people]
    ribbon: np.ndarray | None = None
    for frame in video.frames(float(wanted[0]), float(wanted[-1])):
        row = int(np.abs(wanted - frame.time_ms).argmin())
        if abs(wanted[row] - frame.time_ms) > 0.5:  # one of those that were left out
            continue
        time = float(wanted[row])
        picture = drawing.marked(frame.image, [one[time] for one in seen if time in one])
        if ribbon is None:
            ribbon = _ribbon(analysis, picture.shape[1])
        part = row / max(len(wanted) - 1, 1)
        whole = np.vstack([picture, _pointed(ribbon, part)])
        height, width = (side // 2 * 2 for side in whole.shape[:2])  # VP8 halves colours
        yield replace(frame, image=whole[:height, :width], time_ms=frame.time_ms - wanted[0])
        if progress and row % 10 == 0:
            progress(part, "Drawing the film")


def _marks(person: Person, analysis: Analysis) -> dict[float, Mark]:
    """The box and the label of a person, by the times at which they are seen."""
    times, shares = person.times_ms, smoothed(person)
    answers = looks_at(person, times), sure_at(person, times), last_answer(person, times).tolist()
    own = [one for one in analysis.events if one.person == person.number]
    passing = [one for one in own if one.kind in EXPRESSIONS]
    marks = {}
    for time, box, look, sure, sample in zip(times.tolist(), person.boxes, *answers, strict=True):
        said, color = "face covered" if look == len(person.classes) else "", None
        if 0 <= look < len(person.classes):
            name = person.classes[look]
            said = told(name, float(shares[sample, look]), bool(sure))
            color = colors(person.classes)[name] if sure else None
        event = next((one for one in passing if one.onset_ms <= time <= one.offset_ms), None)
        whole = f"{said}; {event.kind}, {event.moved}" if event else said
        x, y, width, height = box.tolist()
        marks[time] = Mark((x, y, width, height), person.number, whole, said, color)
    return marks


def _ribbon(analysis: Analysis, width: int) -> np.ndarray:
    """RGB uint8 (height, width, 3): a row a person, coloured by what they look like over time."""
    people = sorted(analysis.people, key=lambda person: -len(person.times_ms))[:ROWS]
    people.sort(key=lambda person: person.number)
    canvas = Image.new("RGB", (width, max(len(people), 1) * ROW + 2), PAPER)
    pen = ImageDraw.Draw(canvas)
    first, last = float(analysis.times_ms[0]), float(analysis.times_ms[-1])
    columns = np.linspace(first, last, width)
    for index, person in enumerate(people):
        top = 2 + index * ROW
        for x, color in enumerate(_colors(person, columns)):
            if color:
                pen.line((x, top, x, top + ROW - 3), fill=color)
        scale = (width - 1) / max(last - first, 1.0)
        for event in analysis.events:
            if event.person == person.number and event.kind in EXPRESSIONS:
                ends = (scale * (time - first) for time in (event.onset_ms, event.offset_ms))
                pen.line((next(ends), top + ROW - 4, next(ends), top + ROW - 4), INK, 3)
        pen.text((3, top), str(person.number), fill=INK)
    return np.asarray(canvas)


def _colors(person: Person, times_ms: np.ndarray) -> list[str]:
    """The colour of each time, "" where the person is not seen."""
    known = [*colors(person.classes).values(), UNSURE]
    steps = np.diff(person.times_ms, append=person.times_ms[-1:])
    hold = max(2.5 * float(np.median(steps)), 120.0)
    rows = np.searchsorted(person.times_ms, times_ms, side="right") - 1
    seen = (rows >= 0) & (times_ms - person.times_ms[rows] <= hold)
    looks, sure = looks_at(person, times_ms), sure_at(person, times_ms)
    return [
        (known[look] if certain and look >= 0 else UNSURE) if here else ""
        for look, certain, here in zip(looks, sure, seen.tolist(), strict=True)
    ]


def _pointed(ribbon: np.ndarray, part: float) -> np.ndarray:
    """The ribbon with a line where the film is."""
    shown = ribbon.copy()
    x = round(part * (shown.shape[1] - 2))
    shown[:, x : x + 2] = ImageColor.getrgb(INK)
    return shown
