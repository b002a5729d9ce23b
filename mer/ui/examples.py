"""Examples: a photograph in the public domain, and two videos made from it on demand."""

import atexit
import functools
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Final

import gradio as gr

from benchmarks.synthetic import clips
from mer.io import images, webm
from mer.ui.errors import in_words

# Eileen Collins, NASA: works of the agency are in the public domain.
PHOTOGRAPH: Final = Path(__file__).parent / "astronaut.jpg"
_NAMES: Final = {
    "Example: expressions": "expressions.webm",
    "Example: blinks and speech": "blinks-and-speech.webm",
}
_making = threading.Lock()


def build_picture(files: gr.File) -> None:
    """Lay out a button that puts the photograph into `files`."""
    gr.Button("Example: a photograph", size="sm").click(
        picture, outputs=files, api_visibility="private"
    )


def picture() -> list[str]:
    """The path of the photograph, as a list of one; it lies where the page may serve it."""
    path = _folder() / PHOTOGRAPH.name
    shutil.copyfile(PHOTOGRAPH, path)
    return [str(path)]


def build(film: gr.Video) -> None:
    """Lay out a button for each example video, which puts it into `film`."""
    with gr.Row():
        for label, name in _NAMES.items():
            gr.Button(label, size="sm", min_width=140).click(
                functools.partial(example, name),
                outputs=film,
                api_visibility="private",
            )


def example(name: str, progress: gr.Progress = gr.Progress()) -> str:
    """The path of the example of this file name; the first time, some seconds go into making it."""
    path = _folder() / name
    with in_words(), _making:  # whoever comes while it is made waits for it
        if not path.exists():
            part = path.with_stem(f"{path.stem}-part")
            clip = clips.Clip(images.read(PHOTOGRAPH), **clips.EXAMPLES[name])
            webm.write(part, progress.tqdm(clip, desc="Making the example, once"), clip.fps)
            part.replace(path)
    return str(path)


@functools.cache
def _folder() -> Path:
    """Where the examples lie for as long as the page runs; they show no visitor."""
    folder = Path(tempfile.mkdtemp(prefix="mer-examples-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
