"""HTML that several tabs show: sentences, download links, examples.

All text in it is escaped, since names of files come from strangers. A download link holds its file
in itself: there is none to lose, to keep or to delete. The examples are a photograph in the public
domain, and a picture and two videos that `tools/make_examples.py` makes from it.
"""

import base64
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Final

import cv2
import gradio as gr

from mer.results import html_document
from mer.ui import visitor_files

# By ending: what a link says, and the type.
_TYPES: Final = {
    "csv": ("CSV", "text/csv"),
    "excel.csv": ("CSV for Excel", "text/csv"),
    "json": ("JSON", "application/json"),
    "html": ("HTML", "text/html"),
    "md": ("Markdown", "text/markdown"),
}
MEDIA: Final = Path(__file__).parent / "media"
# Eileen Collins, NASA: works of the agency are in the public domain.
PHOTOGRAPH: Final = MEDIA / "astronaut.jpg"
FOUR: Final = MEDIA / "four.jpg"
PICTURES: Final = {"Example: a photograph": PHOTOGRAPH, "Example: unsure faces": FOUR}
VIDEOS: Final = {
    "Example: expressions": MEDIA / "expressions.webm",
    "Example: blinks and speech": MEDIA / "blinks-and-speech.webm",
}
QUIET: Final[dict[str, Any]] = {"api_visibility": "private", "show_progress": "hidden"}
_HIGH: Final = 112  # pixels of an example's small picture
_SHOWN: Final = {"blinks-and-speech": 115}  # a frame with closed eyes; of others it is the first


def lines(*sentences: str, problems: Sequence[str] = ()) -> str:
    """HTML of one sentence a line; `problems` stand out. Screen readers announce it."""
    marked = "".join(f'<p class="problem">{escape(text)}</p>' for text in problems)
    calm = "".join(f"<p>{escape(text)}</p>" for text in sentences)
    return f'<div class="answer" role="status">{marked}{calm}</div>'


def file_name(kind: str, sources: Sequence[str]) -> str:
    """'faces-holiday-2026-05-01': what a file is called that holds results of these sources."""
    source = Path(sources[0]).stem if len(sources) == 1 else f"{len(sources)}-files"
    return f"{kind}-{source}-{datetime.now(UTC):%Y-%m-%d}"


def links(name: str, files: Mapping[str, str], said: str = "") -> str:
    """HTML with one link for each of `files`: text by ending, one of _TYPES.

    A link says "Download CSV" or what the type is, or else `said`. What is for Excel begins with
    the mark by which it knows UTF-8.
    """
    shown = []
    for ending, text in files.items():
        code = "utf-8-sig" if ending == "excel.csv" else "utf-8"
        kind, media = _TYPES[ending]
        address = f"data:{media};base64,{base64.b64encode(text.encode(code)).decode()}"
        shown.append(link(f"{name}.{ending}", said or f"Download {kind}", address))
    return "".join(shown)


def link(file: str, said: str, address: str) -> str:
    """HTML of a link under which the browser saves a file."""
    return f'<a class="save" download="{escape(file)}" href="{escape(address)}">{escape(said)}</a>'


def hand_over(press: Any, script: str, made: gr.HTML) -> None:
    """Have the page's script take what was made; then empty it, for Gradio remembers it."""
    press.then(js=f"() => window.mer.{script}").then(lambda: "", None, made, **QUIET)


def examples(paths: Mapping[str, Path], target: gr.File | gr.Video) -> None:
    """Lay out a small picture for each example, which puts it into `target`."""
    shown = [(label, path.stem, _small(path)) for label, path in paths.items()]
    gr.HTML(html_document.render("examples.html", examples=shown), js_on_load=None)

    def given(path: Path) -> str | list[str]:
        return [served(path)] if isinstance(target, gr.File) else served(path)

    for path in paths.values():
        gr.Button(visible="hidden", elem_id=f"example-{path.stem}").click(
            partial(given, path), outputs=target, api_visibility="private"
        )


def _small(path: Path) -> bytes:
    """JPEG of a picture, or of a frame of a video, for a button."""
    video = cv2.VideoCapture(str(path))
    video.set(cv2.CAP_PROP_POS_FRAMES, _SHOWN.get(path.stem, 0))
    _, image = video.read()
    size = round(_HIGH * image.shape[1] / image.shape[0]), _HIGH
    return html_document.jpeg(cv2.resize(image, size, interpolation=cv2.INTER_AREA)[..., ::-1])


def served(path: Path) -> str:
    """The path of a copy of an example, which the page may serve and sweeps as an upload."""
    return shutil.copy(path, tempfile.mkdtemp(dir=visitor_files.take_folder()))
