"""Video files of any origin: opened with care, decoded, each picture as players show it."""

import errno
import os
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, cast

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import Image

from mer.errors import VideoError
from mer.io import picture_formats
from mer.io.decoding import LIMITS
from mer.io.files import readable, shown

# Only these: FFmpeg's other readers draw text as video, take pictures for it, or follow playlists
# to other files and to the network.
FORMATS: Final = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpegts", "mpeg"),
    *("mpegvideo", "m4v", "h264", "hevc", "obu", "ivf", "mjpeg", "mpjpeg", "asf", "flv", "ogg"),
    *("gif", "dv", "mxf", "nut", "rm", "yuv4mpegpipe", "wtv"),
)
_AGAIN: Final = "Record, save or download it again"
_STILL: Final = ("avif", "heic", "heix", "mif1")  # kinds of MP4 that hold a photograph
_LARGE: Final = (
    "The frames of the video take more memory to decode than there is for a file of its size: save "
    "it smaller, in 4K or less, or choose another."
)
NO_FRAME: Final = (
    "'{}' has no frame that can be read: none at all, damaged ones, or frames of more than "
    f"{LIMITS.pixels // 1_000_000} million pixels. {_AGAIN}, or choose another."
)
_CHOOSE: Final = "Choose an MP4, WebM, MOV, MKV or AVI video."

WHITE: Final = 100.0  # cd/m2 of an ordinary screen's white
HLG_PEAK: Final = 1000.0  # cd/m2 of the screen that HLG is graded on, whose gamma is then 1.2
KNEE: Final = 0.8  # of the coded brightness, from which on it is pressed together
_STEPS: Final = 1024  # of the square root of light up to WHITE
_TO_BT709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)

OpenVideo = tuple[InputContainer, VideoStream]  # and its stream of pictures


def checked(path: Path, *, folder: bool = False) -> Path:
    """The path in full of a video, or of a folder of frames; a VideoError where it is no such."""
    instead = "name a video inside it, or say with --fps how many of its pictures make a second."
    with readable(path, VideoError, _CHOOSE, "" if folder else instead):
        if folder and not path.is_dir():
            raise VideoError(f"'{shown(path)}' is a video, with its own times: leave out --fps.")
        if not folder and not path.stat().st_size:
            raise VideoError(f"'{shown(path.name)}' is empty. {_AGAIN}, or choose another.")
        return path.resolve()


@contextmanager
def opened(path: Path) -> Iterator[OpenVideo]:
    """The file and its stream of pictures; a VideoError where it is damaged or has none."""
    limit = {"max_pixels": str(LIMITS.pixels)}
    options = {**limit, "format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
    try:
        container = av.open(str(path), options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(_unreadable(path)) from error
    with container:
        stream = _pictures(container, f"'{shown(path.name)}'")
        stream.codec_context.options = limit
        stream.codec_context.thread_count = 1  # two hold more pictures, and gain little here
        yield container, stream


def _unreadable(path: Path) -> str:
    name = f"'{shown(path.name)}'"
    if not os.access(path, os.R_OK):
        return f"{name} cannot be opened: it is gone, or its permissions forbid it."
    # Whatever a damaged file does to a decoder, it is no picture.
    with suppress(Exception), Image.open(path, formats=picture_formats.FORMATS):
        return f"{name} is a picture, whatever its name says. {_CHOOSE}"
    text = f"{name} is not a video that can be read: another kind of file, damaged, or cut off."
    return f"{text} {_AGAIN}, or choose another."


def _pictures(container: InputContainer, name: str) -> VideoStream:
    """The stream that a player shows: the one marked so, of several the one of most pixels."""
    streams = container.streams
    moving = [one for one in streams.video if not one.disposition & Disposition.attached_pic]
    if container.metadata.get("major_brand") in _STILL:
        raise VideoError(f"{name} is a picture, whatever its name says. {_CHOOSE}")
    if not moving:
        held = "sound, but no pictures" if streams.audio else "no pictures"
        raise VideoError(f"{name} holds {held}. {_CHOOSE}")
    known = [one for one in moving if one.codec_context is not None]
    if not known:
        raise VideoError(f"{name} is damaged, or compressed in an unknown way. {_CHOOSE}")
    marked = Disposition.default
    return max(known, key=lambda one: (bool(one.disposition & marked), one.width * one.height))


def decoded(
    video: OpenVideo, faults: Counter[str], from_ms: float | None = None
) -> Iterator[av.VideoFrame]:
    """The pictures, from before a time of the file's count on; `faults` counts what is damaged."""
    container, stream = video
    try:
        if from_ms is not None:
            container.seek(int(from_ms * 1000))  # microseconds
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except av.FFmpegError as error:
                if error.errno == errno.ENOMEM:
                    raise VideoError(_LARGE) from MemoryError()
                faults["damaged"] += 1
    except av.FFmpegError:  # not even the next piece is found
        faults["damaged"] += 1


def stamp_ms(picture: av.VideoFrame) -> float | None:
    """The picture's own time by the file's count, which may begin anywhere; None without one."""
    if picture.pts is None or picture.time_base is None:
        return None
    return float(picture.pts * picture.time_base * 1000)


class Turns(NamedTuple):
    """What brings the pictures of a file upright, with square pixels."""

    transposed: bool  # whether rows and columns change places, before all else
    left_right: bool  # whether it is mirrored so
    top_bottom: bool  # likewise
    aspect: float  # a stored pixel's width by its height
    transfer: int  # the curve of its brightness, by its number in ITU-T H.273

    @classmethod
    def of(cls, picture: av.VideoFrame, stream: VideoStream) -> "Turns":
        """Those of a file with this first picture: PyAV's side data keeps each for a long time."""
        aspect, curve = float(stream.sample_aspect_ratio or 1), int(picture.color_trc)
        matrix = cast(bytes | None, picture.side_data.get("DISPLAYMATRIX"))
        # x' = ax + cy, y' = bx + dy
        a, b, _, c, d = (1, 0, 0, 0, 1) if matrix is None else struct.unpack_from("=5i", matrix)
        transposed = abs(b) > abs(a)
        across, down = (c, b) if transposed else (a, d)
        return cls(transposed, across < 0, down < 0, aspect, curve)

    def size(self, picture: av.VideoFrame) -> tuple[float, float]:
        """Width and height of a picture upright."""
        width, height = picture.width * self.aspect, picture.height
        return (height, width) if self.transposed else (width, height)

    def upright(self, picture: av.VideoFrame, size: tuple[int, int]) -> np.ndarray:
        """A picture as RGB uint8 of this width and height, fitted into it on black."""
        width, height = fitted(self.size(picture), size)
        stored = (height, width) if self.transposed else (width, height)
        image: np.ndarray = picture.reformat(*stored, format="rgb24", threads=1).to_ndarray()
        image = _tone_mapped(image, self.transfer) if self.transfer in _LIGHT else image
        image = image.transpose(1, 0, 2) if self.transposed else image
        image = image[:: -1 if self.top_bottom else 1, :: -1 if self.left_right else 1]
        return onto(image, size)


def onto(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An upright picture fitted into this width and height, on black."""
    height, width = image.shape[:2]
    room = fitted((width, height), size)
    if (width, height) != room:
        method = cv2.INTER_AREA if room[0] < width else cv2.INTER_LINEAR
        image = cv2.resize(image, room, interpolation=method)
    if room == size:
        return np.ascontiguousarray(image)
    left, top = (size[0] - room[0]) // 2, (size[1] - room[1]) // 2
    borders = top, size[1] - room[1] - top, left, size[0] - room[0] - left
    return cv2.copyMakeBorder(image, *borders, cv2.BORDER_CONSTANT)


def fitted(natural: tuple[float, float], room: tuple[int, int]) -> tuple[int, int]:
    """Width and height with which a picture fills this room, its proportions kept."""
    scale = min(room[0] / natural[0], room[1] / natural[1])
    width, height = (max(1, round(side * scale)) for side in natural)
    return room if max(room[0] - width, room[1] - height) <= 2 else (width, height)  # rounding


def _light() -> dict[int, np.ndarray]:
    """By the number of a curve, the light of each coded value, 1 being WHITE."""
    coded = np.linspace(0, 1, 256)
    root = coded ** (32 / 2523)
    pq = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (8192 / 1305)
    high = (np.exp((coded - 0.55991073) / 0.17883277) + 0.28466892) / 12
    hlg = np.where(coded <= 0.5, coded**2 / 3, high) ** 1.2  # the screen's gamma, by channel
    lights = {16: pq * 10_000 / WHITE, 18: hlg * HLG_PEAK / WHITE}
    return {curve: light.astype(np.float32) for curve, light in lights.items()}


def _pressed() -> np.ndarray:
    """Coded value of each square root of light in _STEPS, up to the brightest: sRGB, then KNEE."""
    light = (np.arange(round(_STEPS * (10_000 / WHITE) ** 0.5 * 1.4)) / _STEPS) ** 2
    coded = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    over = np.maximum(coded - KNEE, 0) / (1 - KNEE)
    pressed = np.minimum(coded, KNEE) + (1 - KNEE) * (1 - np.exp(-over))
    return (255 * pressed + 0.5).astype(np.uint8)


_LIGHT: Final = _light()
_PRESSED: Final = _pressed()


def _tone_mapped(image: np.ndarray, transfer: int) -> np.ndarray:
    """A picture of high dynamic range (ITU-R BT.2100) as BT.709, pressed together below WHITE."""
    light = cv2.transform(cv2.LUT(image, _LIGHT[transfer]), _TO_BT709)
    # Named, and so there till the end: freed before, its pages were asked for anew at each frame.
    steps = cv2.sqrt(np.maximum(light, 0)) * _STEPS
    return _PRESSED[steps.astype(np.uint16)]
