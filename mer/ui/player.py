"""The player of the Video tab: the video as it is, with boxes that the browser draws over it.

A copy is made only of what a browser cannot play, such as most AVI files.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import cv2
import numpy as np

from mer.emotions import colors
from mer.faces.measures import MEASURES
from mer.io import webm
from mer.io.video import Frame
from mer.results import html_document, wording
from mer.video import upright
from mer.video.expression_segments import looks_at, sure_at
from mer.video.types import Analysis, Person

_EVERY_MS: Final = 66.0  # a box in between is interpolated
_LONG_SIDE: Final = 640  # pixels of a copy


def html(path: str | Path, analysis: Analysis, kind: str = "original") -> str:
    """The player for the video at `path`, a file that Gradio serves.

    Its kind may be "copy"; of a video that was not filmed upright the page's script asks for one.
    """
    width, height = analysis.size
    if kind == "original" and analysis.settings.get("quarter_turns"):
        kind = "turned"
    people = {
        "colors": list(colors(analysis.classes).values()),
        "names": [*analysis.classes, "covered"],
        "people": [_boxes(person) for person in analysis.people],
        "span": analysis.span_ms,
    }
    return html_document.render(
        "player.html",
        file=f"gradio_api/file={quote(str(path))}",
        people=json.dumps(people, separators=(",", ":")),
        kind=kind,
        width=width,
        height=height,
    )


def copy(path: str, fps: float) -> Path:
    """Write a small copy that every browser plays beside the video; return where it lies.

    Raises:
        VideoError: the video cannot be read any more, or the copy not written.
    """
    target = Path(path).with_name("copy.webm")
    with upright.opened(path) as video:
        webm.write(target, (_smaller(frame) for frame in video), max(fps, 1.0))
    return target


def _smaller(frame: Frame) -> Frame:
    height, width = frame.image.shape[:2]
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = round(width * scale / 2) * 2, round(height * scale / 2) * 2  # VP8 halves colours
    return replace(frame, image=cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))


def _boxes(person: Person) -> dict[str, Any]:
    """Times in ms, boxes as (x, y, width, height) and the likeliest class, about 15 a second."""
    step = float(np.median(np.diff(person.times_ms))) if len(person.times_ms) > 1 else _EVERY_MS
    each = max(1, round(_EVERY_MS / step))
    times = person.times_ms[::each]
    return {
        "number": person.number,
        "times": np.rint(times).astype(int).tolist(),
        "boxes": person.boxes[::each].tolist(),
        "looks": looks_at(person, times),
        "sure": sure_at(person, times),
        "measured": _measured(person),
        "hold": max(2.5 * each * step, 120.0),  # ms that a box stays where the next is missing
    }


def _measured(person: Person) -> list[tuple[int, list[tuple[str, str]]]]:
    """Times in ms of the looks at a person, and what was measured then; [] where nothing was."""
    rows = zip(person.sampled_ms.tolist(), person.measures.tolist(), strict=False)
    return [
        (
            round(time),
            [] if np.isnan(row[0]) else wording.measured(dict(zip(MEASURES, row, strict=True))),
        )
        for time, row in rows
    ]
