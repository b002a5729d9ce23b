"""Examples: a photograph in the public domain, and a picture and two videos made from it.

`tools/make_examples.py` makes them.
"""

import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import gradio as gr

from mer.results import html_document
from mer.ui import retention

FOLDER: Final = Path(__file__).parent / "media"
# Eileen Collins, NASA: works of the agency are in the public domain.
PHOTOGRAPH: Final = FOLDER / "astronaut.jpg"
FOUR: Final = FOLDER / "four.jpg"
PICTURES: Final = {"Example: a photograph": PHOTOGRAPH, "Example: unsure faces": FOUR}
VIDEOS: Final = {
    "Example: expressions": FOLDER / "expressions.webm",
    "Example: blinks and speech": FOLDER / "blinks-and-speech.webm",
}
_HIGH: Final = 112  # pixels of a small picture
_SHOWN: Final = {"blinks-and-speech": 115}  # a frame with closed eyes; of others it is the first


def build_picture(files: gr.File) -> None:
    """Lay out a small picture for each example, which puts it into `files`."""
    _build(PICTURES, files, lambda path: [served(path)])


def build(film: gr.Video) -> None:
    """Lay out a small picture for each example video, which puts it into `film`."""
    _build(VIDEOS, film, served)


def _build(
    paths: Mapping[str, Path], target: gr.components.Component, value: Callable[[Path], Any]
) -> None:
    shown = [(label, path.stem, _small(path)) for label, path in paths.items()]
    gr.HTML(html_document.render("examples.html", examples=shown), js_on_load=None)
    for path in paths.values():
        gr.Button(visible="hidden", elem_id=f"example-{path.stem}").click(
            functools.partial(value, path), outputs=target, api_visibility="private"
        )


def _small(path: Path) -> bytes:
    """JPEG of a picture, or of a frame of a video, for a button."""
    video = cv2.VideoCapture(str(path))
    video.set(cv2.CAP_PROP_POS_FRAMES, _SHOWN.get(path.stem, 0))
    _, image = video.read()
    height, width = image.shape[:2]
    small = cv2.resize(image, (round(_HIGH * width / height), _HIGH), interpolation=cv2.INTER_AREA)
    return html_document.jpeg(small[..., ::-1])


def served(path: Path) -> str:
    """The path of a copy of an example, which the page may serve and sweeps as an upload."""
    folder = tempfile.mkdtemp(dir=retention.take_folder())
    return str(shutil.copy(path, folder))
