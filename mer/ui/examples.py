"""Examples: a photograph in the public domain, and two videos that were made from it.

`tools/make_examples.py` makes the videos.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Final

import gradio as gr

FOLDER: Final = Path(__file__).parent / "media"
# Eileen Collins, NASA: works of the agency are in the public domain.
PHOTOGRAPH: Final = FOLDER / "astronaut.jpg"
VIDEOS: Final = {
    "Example: expressions": FOLDER / "expressions.webm",
    "Example: blinks and speech": FOLDER / "blinks-and-speech.webm",
}


def build_picture(files: gr.File) -> None:
    """Lay out a button that puts the photograph into `files`."""
    gr.Button("Example: a photograph", size="sm").click(
        lambda: [served(PHOTOGRAPH)], outputs=files, api_visibility="private"
    )


def build(film: gr.Video) -> None:
    """Lay out a button for each example video, which puts it into `film`."""
    with gr.Row():
        for label, path in VIDEOS.items():
            gr.Button(label, size="sm", min_width=140).click(
                functools.partial(served, path), outputs=film, api_visibility="private"
            )


def served(path: Path) -> str:
    """The path of a copy of an example, in a folder whose files the page may serve."""
    copied = _folder() / path.name
    shutil.copyfile(path, copied)
    return str(copied)


@functools.cache
def _folder() -> Path:
    """A folder that lasts as long as the page runs; its files show no visitor."""
    folder = Path(tempfile.mkdtemp(prefix="mer-examples-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
