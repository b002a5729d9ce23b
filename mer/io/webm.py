"""Clips that browsers play: VP8 in WebM, each frame at its own time."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np

from mer.errors import VideoError
from mer.io.video import Frame

MILLISECOND: Final = Fraction(1, 1000)
ENCODER: Final = {"deadline": "realtime", "cpu-used": "8"}


def write(path: Path, frames: Iterable[Frame], fps: float, *, bitrate: str = "4M") -> None:
    """Write frames of one size, one at a time and each at its own time, to a .webm file.

    `fps` is told to players, the frames' own times may differ; `bitrate` is what the encoder aims
    at, a second. Raises a VideoError where there are no frames, or the file cannot be written.
    """
    try:
        with av.open(str(path), "w", format="webm") as file:
            stream = file.add_stream("libvpx", round(fps), options=ENCODER | {"b": bitrate})
            stream.time_base = stream.codec_context.time_base = MILLISECOND
            for frame in frames:
                if not stream.codec_context.is_open:
                    stream.height, stream.width = frame.image.shape[:2]
                picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
                picture.pts, picture.time_base = round(frame.time_ms), MILLISECOND
                file.mux(stream.encode(picture))
            if not stream.codec_context.is_open:
                raise VideoError("There are no frames to make a video of.")
            file.mux(stream.encode())
    except (OSError, av.FFmpegError) as error:
        raise VideoError(f"The video {path.name} cannot be written: {error}.") from error


def even(images: Iterable[np.ndarray], fps: float) -> Iterator[Frame]:
    """Pictures, RGB uint8, as frames that follow one another evenly."""
    for index, image in enumerate(images):
        yield Frame(index, 1000 * index / fps, image)
