"""The Webcam tab: show the camera, wait for the button or the Space key, read what it saw.

The script in page.js owns the camera. A frame travels as a data URL inside the request, so unlike
an upload it never lies on a disk, and the camera's picture goes on while the answer is shown. The
live view beside it is `mer.ui.live`'s.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import gradio as gr
import numpy as np

from mer.errors import ImageError, MerError
from mer.inference.predictor import Prediction, get_predictor
from mer.io import images
from mer.results import drawing
from mer.ui import bars, choices, live, notes
from mer.ui.errors import in_words

_CAMERA: Final = """
<div class="camera">
  <video playsinline muted aria-label="Live picture of the camera"></video>
  <canvas aria-hidden="true"></canvas>
  <p class="count" aria-hidden="true"></p>
  <div class="idle">
    <button type="button" class="start">Start the camera</button>
    <p class="hint">The browser will ask whether this page may use it.</p>
    <p class="trouble" role="alert"></p>
  </div>
  <button type="button" class="stop" aria-label="Stop the camera">Stop</button>
</div>
"""
_NOT_STARTED: Final = (
    "There is no camera picture yet. Press Start the camera, allow it in the browser, and "
    "capture again; without a camera, use the Upload tab."
)
_EMPTY: Final = (
    "Look into the camera and press Capture, or the Space key; or Live for answers all the time."
)


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            gr.HTML(_CAMERA, elem_id="camera", js_on_load=None)
            capture = gr.Button("Capture (Space)", variant="primary", elem_id="capture")
            live.build_controls()
            with gr.Column(elem_id="webcam-choices"):
                network, detector = choices.build()
            frame = gr.Textbox(visible=False, label="Frame, a picture as a data URL")
        with gr.Column(min_width=320):
            live.build_people()
            answer = gr.HTML(notes.lines([_EMPTY]), elem_id="webcam-answer", js_on_load=None)
            picture = gr.Image(
                show_label=False,
                format="jpeg",
                interactive=False,
                visible=False,
                buttons=["download", "fullscreen"],
                elem_id="captured",
            )
            shown = bars.build()
    outputs = [picture, answer, *shown]
    inputs = [frame, network, detector]
    capture.click(
        read,
        inputs,
        outputs,
        js=_call("capture"),
        api_name="webcam",
        api_visibility="undocumented",
        show_progress="hidden",
    ).then(js="() => window.mer.reveal('#captured')")
    # The browser keeps the last frame, to see at once what another network says about it.
    gr.on(
        [network.input, detector.input],
        read_again,
        inputs,
        outputs,
        js=_call("last"),
        api_visibility="private",
        show_progress="hidden",
    )


def _call(function: str) -> str:
    return f"async (_, ...rest) => [await window.mer.{function}(), ...rest]"


def read(frame: str, network: str, detector: str) -> list[Any]:
    """Box the faces of a frame, given as a data URL or plain base64, and say what they look like.

    Returns the annotated picture, the answer as HTML, and what fills the bars.
    """
    with in_words():
        if not frame:
            return _answer(None, notes.lines([], problems=[_NOT_STARTED]))
        try:
            image = images.read(_decode(frame))
            predictions = get_predictor(network, detector).predict(image)
        except MerError as error:
            return _answer(None, notes.lines([], problems=[str(error)]))
        said = [notes.sentence(n, one) for n, one in enumerate(predictions, start=1)]
        problems = [] if said else [notes.no_face("the camera's picture")]
        text = notes.lines(said, problems=problems)
        return _answer(drawing.annotate(image, predictions), text, predictions)


def read_again(frame: str, network: str, detector: str) -> list[Any]:
    """The same for the frame that was captured last; where there is none, nothing changes."""
    return read(frame, network, detector) if frame else [gr.skip()] * 5


def _answer(
    picture: np.ndarray | None, text: str, predictions: Sequence[Prediction] = ()
) -> list[Any]:
    named = [(f"Face {n}", one) for n, one in enumerate(predictions, start=1)]
    sizes = [one.face.box[2] * one.face.box[3] for one in predictions]
    first = sizes.index(max(sizes)) if sizes else 0  # the largest is who stands at the camera
    return [gr.Image(picture, visible=picture is not None), text, *bars.show(named, first)]


def _decode(frame: str) -> bytes:
    try:
        return base64.b64decode(frame.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(
            "The camera's picture did not arrive whole. Please capture again."
        ) from error
