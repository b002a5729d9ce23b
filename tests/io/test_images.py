"""Pictures that people really send, and files that only pretend to be pictures."""

import io
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from mer.errors import ImageError
from mer.io import images

pillow_heif.register_heif_opener()


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be this large."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 1000)
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (head, body)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def photo() -> Image.Image:
    """Smooth colours, 60 wide and 40 high: no two of its corners are alike."""
    corners = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    return Image.fromarray(cv2.resize(corners, (60, 40)))


def test_empty_file_is_refused() -> None:
    with pytest.raises(ImageError, match="is empty"):
        images.read(b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "HEIF"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_truncated_files_are_refused(photo: Image.Image, kind: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"(damaged|not a picture).*[Cc]hoose"):
        images.read(data[: int(len(data) * part)])


def test_text_named_jpg_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_text("This is no picture.")
    with pytest.raises(ImageError, match=r"'holiday.jpg' is not a picture.*Choose a JPEG"):
        images.read(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"There is no file '.*nowhere.png': check"):
        images.read(str(tmp_path / "nowhere.png"))


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        images.read(tmp_path)


def test_pipe_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="no ordinary file"):
        images.read(tmp_path / "pipe")


def test_impossible_name_is_refused() -> None:
    with pytest.raises(ImageError):
        images.read("pic\0ture.png")


def test_very_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(images.MAX_BYTES + 1)
    with pytest.raises(ImageError, match=r"'large.bmp' is larger than 160 MB"):
        images.read(path)


@pytest.mark.parametrize("side", [7100, 10_000, 20_000, 2_000_000])
def test_too_many_pixels_are_refused_from_the_header(side: int) -> None:
    with pytest.raises(ImageError, match="at most 50 million are read: make the picture smaller"):
        images.read(png_header(side, side))


def test_decompression_bomb_is_refused() -> None:
    bomb = saved(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(ImageError, match="at most 50 million"):
        images.read(bomb)


def test_jpeg_with_endless_scans_is_refused(photo: Image.Image) -> None:
    data = saved(photo, "JPEG", progressive=True)
    scan = data[data.rfind(b"\xff\xda") : -2]
    with pytest.raises(ImageError, match="oddly built"):
        images.read(data[:-2] + scan * 1000 + data[-2:])


def test_postscript_is_refused_since_it_would_start_a_program(photo: Image.Image) -> None:
    with pytest.raises(ImageError, match="not a picture"):
        images.read(saved(photo, "EPS"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "HEIF"])
def test_one_pixel_is_read(kind: str) -> None:
    assert images.read(saved(Image.new("RGB", (1, 1)), kind)).shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM", "HEIF", "AVIF"])
def test_formats_give_the_same_picture(photo: Image.Image, kind: str, tmp_path: Path) -> None:
    if kind == "AVIF" and "AVIF" not in Image.registered_extensions().values():
        pytest.skip("this Pillow was built without AVIF")
    path = tmp_path / "without a telling name"
    path.write_bytes(saved(photo, kind))
    pixels = images.read(path)
    assert pixels.shape == (40, 60, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - np.asarray(photo)).mean() < 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_followed(photo: Image.Image, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turns = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, 1),
    }
    upright = turns[orientation](np.asarray(photo))
    pixels = images.read(saved(photo, kind, exif=exif))
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 4


def test_orientation_may_be_a_long_number(photo: Image.Image) -> None:
    exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIII", 8, 1, 0x0112, 4, 1, 3, 0)
    turned = images.read(saved(photo, "JPEG", exif=exif))
    assert np.abs(turned.astype(int) - np.asarray(photo)[::-1, ::-1]).mean() < 4


def test_damaged_exif_does_not_refuse_a_picture(photo: Image.Image) -> None:
    data = saved(photo, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x01" * 40)
    assert images.read(data).shape == (40, 60, 3)


def test_cmyk_shows_its_colours() -> None:
    red = Image.new("CMYK", (20, 20), (0, 255, 255, 0))
    assert images.read(saved(red, "JPEG"))[10, 10] == pytest.approx([255, 0, 0], abs=3)


def test_gray_jpeg_has_three_equal_channels(photo: Image.Image) -> None:
    pixels = images.read(saved(photo.convert("L"), "JPEG"))
    assert pixels.shape == (40, 60, 3)
    assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
def test_sixteen_bits_keep_their_brightness(suffix: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    pixels = images.read(cv2.imencode(suffix, ramp)[1].tobytes())
    assert pixels[..., 0].ravel() == pytest.approx(np.arange(256), abs=1)


def test_ten_bit_gray_keeps_its_brightness() -> None:
    ramp = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None], 64, 0)
    pixels = images.read(saved(Image.fromarray(ramp), "HEIF", bit_depth=10, quality=95))
    assert pixels[32, :, 0] == pytest.approx(np.linspace(0, 255, 64), abs=6)


@pytest.mark.parametrize("most", [255, 65535])
def test_gray_of_32_bits_keeps_its_brightness(most: int) -> None:
    ramp = np.linspace(0, most, 256).astype(np.int32).reshape(16, 16)
    pixels = images.read(saved(Image.fromarray(ramp), "TIFF"))
    assert pixels[..., 0].ravel() == pytest.approx(np.arange(256), abs=1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_laid_on_white(kind: str) -> None:
    clear = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert (images.read(saved(clear, kind, lossless=True)) == 255).all()
    assert (images.read(saved(half, kind, lossless=True)) == 127).all()


def test_transparent_palette_is_laid_on_white() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    assert (images.read(saved(palette, "PNG", transparency=0)) == 255).all()
    assert (images.read(saved(palette, "PNG")) == [10, 20, 30]).all()


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "lime")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (images.read(data) == [255, 0, 0]).all()


def test_rgb_array_is_not_copied(astronaut: np.ndarray) -> None:
    assert images.read(astronaut) is astronaut


@pytest.mark.parametrize(
    "array",
    [
        np.full((5, 7), 51, np.uint8),
        np.full((5, 7, 1), 51, np.uint8),
        np.full((5, 7, 3), 51, np.uint8)[:, ::-1],
        np.full((5, 7, 3), 0.2, np.float32),
        np.full((5, 7), 51.0, np.float64),
        np.full((5, 7, 3), 51, np.int64),
        np.full((5, 7), 51 * 257, np.uint16),
        np.stack([np.full((5, 7), 51), np.full((5, 7), 255)], axis=2).astype(np.uint8),
        np.dstack([np.full((5, 7, 3), 51), np.full((5, 7), 255)]).astype(np.uint8),
    ],
)
def test_odd_arrays_become_rgb(array: np.ndarray) -> None:
    pixels = images.read(array)
    assert pixels.shape == (5, 7, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert (pixels == 51).all()


def test_boolean_array_is_black_and_white() -> None:
    assert images.read(np.eye(2, dtype=bool))[..., 0].tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize(
    "array",
    [
        np.empty((0, 0, 3), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((3, 20, 20), np.uint8),
        np.zeros((1, 20, 20, 3), np.uint8),
        np.full((5, 5, 3), np.nan),
        np.full((5, 5, 3), -1),
        np.full((5, 5), 1000.0),
        np.full((5, 5), "face"),
        np.zeros((5, 5), complex),
        np.broadcast_to(np.uint8(0), (20_000, 20_000, 3)),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"give|make"):
        images.read(array)


def test_tall_pictures_are_read_whole() -> None:
    tall = np.arange(3000, dtype=np.uint16)[:, None] % 251
    data = saved(Image.fromarray(tall.astype(np.uint8)), "PNG")
    assert (images.read(data)[..., 1] == tall).all()


def test_threads_may_read_at_once(photo: Image.Image) -> None:
    kinds = [saved(photo, kind) for kind in ("JPEG", "PNG", "WEBP", "HEIF")]
    first = [images.read(data) for data in kinds]
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(images.read, kinds * 10))
    assert all(np.array_equal(a, b) for a, b in zip(first * 10, again, strict=True))


@pytest.mark.parametrize("shape", [(1, 1), (48, 48), (80, 80), (37, 91), (600, 600)])
def test_resize_gives_the_square_asked_for(shape: tuple[int, int]) -> None:
    small = images.resize(np.full((*shape, 3), 77, np.uint8), 48)
    assert small.shape == (48, 48, 3)
    assert (small == 77).all()


def test_resize_shrinks_without_aliasing() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    assert images.resize(stripes, 40).std() < 2
