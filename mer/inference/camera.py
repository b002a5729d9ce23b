"""The paper's chain at a camera of this computer: `python -m mer.inference.camera`.

The camera is shown until Space is pressed; the face is found, enhanced, shown and named.
"""

import sys
import time
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from mer.errors import MerError
from mer.faces import detection
from mer.inference.predictor import predict_image
from mer.models.registry import DEFAULT_MODEL

PAUSE: Final = 0.015  # seconds between two frames, in which the window hears the keys


def capture_image(camera: int | str = 0) -> np.ndarray | None:
    """Show a camera and wait for Space: the frame then shown, RGB uint8 (height, width, 3).

    `camera` is a number, or the path of a video that stands in for one. Escape, or closing the
    window, gives None. Raises MerError: there is no such camera, it gives no picture, or there is
    no screen.
    """
    video = cv2.VideoCapture(camera)

    def next_frame() -> np.ndarray:
        received, frame = video.read()
        if not received:
            mend = "Plug it in again, or name another one."
            raise MerError(f"Camera {camera} gives no picture. {mend}")
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)

    try:
        if not video.isOpened():
            raise MerError(
                f"Camera {camera} cannot be opened. Check that it is plugged in and that no other "
                "program uses it, or name another one."
            )
        return _show(next_frame)
    finally:
        video.release()


def read_camera(camera: int | str = 0, model: str = DEFAULT_MODEL) -> str | None:
    """Capture an image, show the largest face of it, and print and give what it looks like.

    None where nothing was captured. Raises MerError: as `capture_image`; or no face was found, or
    the weights cannot be used.
    """
    image = capture_image(camera)
    if image is None:
        return None
    found = detection.detect_faces(image)
    if not found:
        raise MerError("No face found. Come closer, face the camera, or turn on a light.")
    face = detection.enhance_image(image, max(found, key=lambda one: one.box[2] * one.box[3]))
    emotion = predict_image(face, model)
    print(f"looks like {emotion}", flush=True)
    _show(lambda: face)
    return emotion


def _show(picture: Callable[[], np.ndarray]) -> np.ndarray | None:
    """Show what `picture` gives again and again; return what is there when Space is pressed."""
    try:
        import tkinter  # the headless OpenCV, which servers can install too, has no windows

        window = tkinter.Tk()
    except Exception as error:  # no Tk, or no screen: a TclError, which only Tk could name
        raise MerError(
            "There is no screen to show the camera on, or no Tk (Debian: python3-tk). Open the "
            "page with `python -m mer app` and use its Webcam tab."
        ) from error
    window.title("Space: capture, Escape: leave")
    label = tkinter.Label(window)
    label.pack()
    keys: list[str] = []
    window.bind("<Key>", lambda event: keys.append(event.keysym))
    window.protocol("WM_DELETE_WINDOW", lambda: keys.append("Escape"))
    try:
        while "space" not in keys and "Escape" not in keys:
            image = picture()
            as_ppm = b"P6 %d %d 255\n" % image.shape[1::-1] + image.tobytes()
            shown = tkinter.PhotoImage(master=window, data=as_ppm)
            label.configure(image=shown)
            window.update()
            time.sleep(PAUSE)
    finally:
        window.destroy()
    return image if "space" in keys else None


if __name__ == "__main__":
    try:
        read_camera()
    except MerError as trouble:
        sys.exit(f"mer: {trouble}")
