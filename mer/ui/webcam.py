"""The Webcam tab: show the camera, wait for the button or the Space key, read what it saw.

The script in page.js owns the camera. A frame travels as a data URL inside the request, so unlike
an upload it never lies on a disk, and the camera's picture goes on while the answer is shown. The
live view beside it is `mer.ui.live`'s.
"""

import base64
import binascii
from typing import Any, Final

import gradio as gr

from mer.errors import ImageError, MerError
from mer.inference.predictor import get_predictor
from mer.io import images
from mer.results import html_document, report
from mer.ui import faces, live, notes

_NOT_STARTED: Final = (
    "There is no camera picture yet. Press Start, allow the camera in the browser, and "
    "capture again; without a camera, use the Upload tab."
)
_EMPTY: Final = "Start gives answers all the time; Capture keeps one picture, to look at closely."


def build(network: gr.Radio, detector: gr.Radio) -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            gr.HTML(html_document.render("camera.html"), elem_id="camera", js_on_load=None)
            gr.HTML(live.controls(), elem_id="live", js_on_load=None)
            capture = gr.Button("Capture (Space)", visible="hidden", elem_id="capture")
            frame = gr.Textbox(visible=False, label="Frame, a picture as a data URL")
        with gr.Column(min_width=320):
            gr.HTML('<div class="people"></div>', elem_id="people-live", js_on_load=None)
            answer = gr.HTML(notes.lines([_EMPTY]), elem_id="webcam-answer", js_on_load=None)
    inputs = [frame, network, detector]
    capture.click(
        read,
        inputs,
        answer,
        js=_call("capture"),
        api_name="webcam",
        api_visibility="undocumented",
        show_progress="hidden",
    ).then(js="() => window.mer.reveal('#webcam-answer .shot')")
    # The browser keeps the last frame, to see at once what another network says about it.
    gr.on(
        [network.input, detector.input],
        read_again,
        inputs,
        answer,
        js=_call("last"),
        api_visibility="private",
        show_progress="hidden",
    )


def _call(function: str) -> str:
    return f"async (_, ...rest) => [await window.mer.{function}(), ...rest]"


def read(frame: str, network: str, detector: str) -> str:
    """HTML of a frame, given as a data URL or plain base64: its faces, and what they look like."""
    if not frame:
        return notes.lines([], problems=[_NOT_STARTED])
    try:
        image = images.read(_decode(frame))
        found = get_predictor(network, detector).predict(image)
    except MerError as error:
        return notes.lines([], problems=[str(error)])
    problems = [] if found else [notes.no_face("the camera's picture")]
    return faces.html([report.picture("Capture", image, found)], problems=problems)


def read_again(frame: str, network: str, detector: str) -> Any:
    """The same for the frame that was captured last; where there is none, nothing changes."""
    return read(frame, network, detector) if frame else gr.skip()


def _decode(frame: str) -> bytes:
    try:
        return base64.b64decode(frame.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(
            "The camera's picture did not arrive whole. Please capture again."
        ) from error
