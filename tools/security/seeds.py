"""Small good files of every kind that is read, for `tools.security.fuzz` to damage."""

import io
import json
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pillow_heif
from PIL import Image
from safetensors.torch import save as save_tensors
from torch import nn

SIDE: Final = 24  # pixels of a picture
_FRAMES: Final = 4  # of a video

# What Pillow is told besides the picture's mode.
_PICTURES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True, "subsampling": 2}),
    ("JPEG", "L", {"restart_marker_blocks": 1}),
    ("JPEG", "CMYK", {}),
    ("MPO", "RGB", {"save_all": True, "append": 1}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {}),
    ("PNG", "1", {}),
    ("PNG", "I;16", {}),
    ("PNG", "RGB", {"save_all": True, "append": 2}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("WEBP", "RGB", {"save_all": True, "append": 2}),
    ("GIF", "P", {}),
    ("GIF", "RGB", {"save_all": True, "append": 2}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "L", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "F", {}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
    ("AVIF", "RGB", {"speed": 10}),
    ("AVIF", "RGBA", {"speed": 10}),
)
_VIDEOS: Final = (
    ("webm", "libvpx", "yuv420p"),
    ("mp4", "mpeg4", "yuv420p"),
    ("mp4", "libx264", "yuv420p"),
    ("mov", "mjpeg", "yuvj420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("avi", "rawvideo", "bgr24"),
    ("matroska", "ffv1", "yuv420p"),
    ("mpegts", "mpeg2video", "yuv420p"),
    ("flv", "flv1", "yuv420p"),
    ("gif", "gif", "rgb8"),
    ("ogg", "libtheora", "yuv420p"),
    ("asf", "wmv2", "yuv420p"),
    ("yuv4mpegpipe", "rawvideo", "yuv420p"),
)
_PACKINGS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)


def pictures() -> list[bytes]:
    """One of each way to store a picture."""
    made = [_picture(kind, mode, dict(options)) for kind, mode, options in _PICTURES]
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation
    return [*made, _picture("JPEG", "RGB", {"exif": turned}), _heif()]


def _image(mode: str = "RGB", seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    return image.convert("L").convert("I;16") if mode == "I;16" else image.convert(mode)


def _picture(kind: str, mode: str, options: dict[str, Any]) -> bytes:
    others = [_image(mode, seed + 1) for seed in range(options.pop("append", 0))]
    content = io.BytesIO()
    _image(mode).save(content, kind, **options, **({"append_images": others} if others else {}))
    return content.getvalue()


def _heif() -> bytes:
    content = io.BytesIO()
    pillow_heif.from_pillow(_image()).save(content)
    return content.getvalue()


def videos() -> list[bytes]:
    """A short clip in each container and codec that this build of FFmpeg can write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip"
        made = []
        for form, codec, pixels in _VIDEOS:
            if codec in av.codecs_available:
                _film(path, form, codec, pixels)
                made.append(path.read_bytes())
    return made


def _film(path: Path, form: str, codec: str, pixels: str) -> None:
    with av.open(str(path), "w", format=form) as file:
        stream = file.add_stream(codec, 25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 2 * SIDE, SIDE + 8, pixels
        stream.time_base = Fraction(1, 25)
        for number in range(_FRAMES):
            image = _image(seed=number).resize((stream.width, stream.height))
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame.reformat(format=pixels)))
        file.mux(stream.encode())


def zips() -> list[bytes]:
    """Data sets of one to three pictures, packed in each way."""
    good = pictures()
    made = []
    for packing in _PACKINGS:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", packing) as archive:
            archive.comment = b"a data set"
            for number in range(packing % 3 + 1):
                archive.writestr(f"train/anger/{number}.jpg", good[number])
        made.append(content.getvalue())
    return made


class Tiny(nn.Module):
    """A network so small that ten thousand are read in a minute."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.layer = nn.Linear(3, width)


def weights() -> list[bytes]:
    """Weights with their record behind them, in one piece for damage to reach both."""
    return [joined(save_tensors(Tiny(width).state_dict()), width) for width in (4, 7)]


def joined(content: bytes, width: int) -> bytes:
    """Weights and a record of them."""
    record = {"model": "tiny", "version": "1", "options": {"width": width}, "file": {}}
    return content + b"\0RECORD\0" + json.dumps(record).encode()
