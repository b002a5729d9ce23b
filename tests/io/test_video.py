"""Reading videos: whatever the file, frames in order and upright, or one clear sentence."""

import errno
import gc
import itertools
import os
import resource
import signal
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from mer.errors import VideoError
from mer.io import decoding, video_files
from mer.io import video as reader
from mer.io.video import Frame, Video


def decoders() -> list[int]:
    server = decoding.POOL.server_process()
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [int(number) for number in children]


UNEVEN = [0, 33, 61, 70, 142, 180, 200, 260, 301, 333]  # milliseconds


def picture(number: int, width: int = 96, height: int = 64) -> np.ndarray:
    """A smooth picture whose brightness tells its number; red at the top left."""
    image = np.full((height, width, 3), 20 + 5 * (number % 40), np.uint8)
    image[: height // 4, : width // 4] = (255, 0, 0)
    return image


def write(
    path: Path,
    stamps: Iterable[int] = UNEVEN,
    *,
    codec: str = "libvpx",
    size: tuple[int, int] = (96, 64),
    options: dict[str, str] | None = None,
) -> Path:
    """A video of pictures with these stamps in milliseconds."""
    with av.open(path, "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=30)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = {"deadline": "realtime", "cpu-used": "8"} if "vpx" in codec else {}
        stream.codec_context.time_base = Fraction(1, 1000)
        container.start_encoding()  # so that a file without a frame has a header, too
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_jpegs(path: Path, sizes: Iterable[tuple[int, int]]) -> Path:
    """A video at 25 frames a second, each of its own size."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for number, (width, height) in enumerate(sizes):
            jpeg = cv2.imencode(".jpg", picture(number, width, height)[..., ::-1])[1].tobytes()
            packet = av.Packet(jpeg)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            container.mux(packet)
    return path


def write_sound(path: Path) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        silence = np.zeros((1, 960), np.float32)
        for number in range(50):
            frame = av.AudioFrame.from_ndarray(silence, format="flt", layout="mono")
            frame.rate, frame.pts = 48000, number * 960
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turned(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """The MP4 with another display matrix: x' = ax + cy, y' = bx + dy."""
    content = path.read_bytes()
    head = content.index(b"tkhd")
    at = content.index(struct.pack(">5i", 65536, 0, 0, 0, 65536), head)
    matrix = struct.pack(">5i", *(65536 * value for value in (a, b, 0, c, d)))
    path.write_bytes(content[:at] + matrix + content[at + 20 :])
    return path


def times(video: Video) -> list[float]:
    return [frame.time_ms for frame in video]


def number_of(frame: Frame) -> int:
    return round((float(frame.image[-16:, -24:].mean()) - 20) / 5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"There is no file '.*clip.mp4': check its name"),
        (b"", r"'clip.mp4' is empty. Record, save or download it again"),
        (b"Not a video at all. " * 500, r"'clip.mp4' is not a video that can be read"),
        (bytes(range(256)) * 500, r"'clip.mp4' is not a video that can be read"),
        (b"\x00\x00\x00\x20ftypisom", r"'clip.mp4' is not a video that can be read"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=message):
        Video(path)


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="is a folder: name a video inside it"):
        Video(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(VideoError, match="is no ordinary file"):
        Video(tmp_path / "pipe")


@pytest.mark.parametrize("kind", [".png", ".jpg", ".webp", ".avif"])
def test_a_picture_is_named_as_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(cv2.imencode(kind, picture(3))[1].tobytes())
    with pytest.raises(VideoError, match=r"'clip.mp4' is a picture, whatever its name says"):
        Video(path)


@pytest.mark.parametrize("name", ["list.m3u8", "list.txt", "list.mp4"])
def test_playlists_are_not_followed(tmp_path: Path, name: str) -> None:
    clip = write(tmp_path / "clip.ts", codec="libx264")
    lists = {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:3,\n{clip}\n#EXT-X-ENDLIST\n",
        "list.txt": "What FFmpeg would draw as letters.\n" * 50,
        "list.mp4": f"ffconcat version 1.0\nfile '{clip}'\n",
    }
    (tmp_path / name).write_text(lists[name])
    with pytest.raises(VideoError, match="is not a video that can be read"):
        Video(tmp_path / name)


def test_sound_alone_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="'voice.webm' holds sound, but no pictures"):
        Video(write_sound(tmp_path / "voice.webm"))


@pytest.mark.parametrize("name", ["none.webm", "none.mp4", "none.mkv"])
def test_a_video_without_a_frame_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [], codec="libx264" if name != "none.webm" else "libvpx")
    with pytest.raises(VideoError, match=f"'{name}' "):
        Video(path)


def test_only_damaged_frames_count_as_none(tmp_path: Path) -> None:
    path = write_jpegs(tmp_path / "clip.mkv", [(96, 64)])
    content = path.read_bytes()
    start = content.index(b"\xff\xd8\xff")
    path.write_bytes(content[:start] + bytes(len(content) - start))
    with pytest.raises(VideoError, match="'clip.mkv' (has no frame|is damaged)"):
        Video(path)


def test_more_pixels_than_the_limit_are_refused(tmp_path: Path) -> None:
    path = write_jpegs(tmp_path / "clip.avi", [(96, 64)])
    content = bytearray(path.read_bytes())
    struct.pack_into("<2i", content, content.index(b"strf") + 12, 60000, 60000)
    path.write_bytes(content.replace(struct.pack(">2H", 64, 96), struct.pack(">2H", 60000, 60000)))
    with pytest.raises(VideoError, match=r"'clip.avi' has no frame .* more than 50 million pixels"):
        Video(path)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.webm", "libvpx"),
        ("clip.webm", "libvpx-vp9"),
        ("clip.mkv", "libx264"),
        ("clip.mp4", "libx264"),
        ("clip.mov", "libx264"),
        ("clip.ts", "libx264"),
    ],
)
def test_frames_come_in_order_with_their_own_times(tmp_path: Path, name: str, codec: str) -> None:
    video = Video(write(tmp_path / name, codec=codec))
    frames = [(frame.index, number_of(frame), frame.time_ms) for frame in video]
    assert [index for index, _, _ in frames] == list(range(len(UNEVEN)))
    assert [number for _, number, _ in frames] == list(range(len(UNEVEN)))
    assert [time for _, _, time in frames] == pytest.approx(UNEVEN, abs=1)
    assert video.size == (96, 64)
    assert video.notes == []


def test_frames_are_rgb(tmp_path: Path) -> None:
    frame = next(iter(Video(write(tmp_path / "clip.webm"))))
    assert frame.image.shape == (64, 96, 3)
    assert frame.image.dtype == np.uint8
    red, green, blue = frame.image[4, 4].astype(int)
    assert red > 200 > 60 > max(green, blue)


def test_a_recording_without_a_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "webcam.webm", options={"live": "1"})
    content = path.read_bytes()
    assert b"\x44\x89\x88" not in content  # Matroska's Duration
    video = Video(path)
    assert video.duration_ms is None
    assert times(video) == UNEVEN


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "late.mkv", [stamp + 7000 for stamp in UNEVEN], codec="libx264"))
    assert times(video) == UNEVEN
    assert video.notes == []


def write_two(
    path: Path, *tracks: tuple[str, tuple[int, int]], late_ms: int = 0, marked: object = 0
) -> Path:
    """A video of several streams of pictures, one marked, which begin so long after its sound."""
    with av.open(path, "w") as container:
        sound = container.add_stream("libopus", rate=48000)
        sound.layout = "mono"
        streams = [
            cast(av.VideoStream, container.add_stream(codec, rate=25)) for codec, _ in tracks
        ]
        for stream, (codec, size) in zip(streams, tracks, strict=True):
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number, stream in enumerate(streams):
            stream.disposition = Disposition.default if number == marked else Disposition(0)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), "flt", "mono")
        frame.rate, frame.pts = 48000, 0
        container.mux(sound.encode(frame))
        for stream, (_, size) in zip(streams, tracks, strict=True):
            for number in range(5):
                image = av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24")
                image.pts, image.time_base = late_ms + 40 * number, Fraction(1, 1000)
                container.mux(stream.encode(image))
            container.mux(stream.encode(None))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(("marked", "size"), [(0, (32, 16)), (1, (96, 64)), (None, (96, 64))])
def test_of_several_streams_the_marked_or_largest_is_read(
    tmp_path: Path, marked: int | None, size: tuple[int, int]
) -> None:
    tracks = ("mjpeg", (32, 16)), ("libx264", (96, 64)), ("mjpeg", (48, 32))
    path = write_two(tmp_path / "preview.mkv", *tracks, marked=marked)
    assert Video(path).size == size


def test_times_are_the_players_where_pictures_begin_after_sound(tmp_path: Path) -> None:
    path = write_two(tmp_path / "late.mkv", ("libx264", (96, 64)), late_ms=800)
    video = Video(path)
    assert times(video) == [800.0, 840.0, 880.0, 920.0, 960.0]
    assert [frame.time_ms for frame in video.frames(850.0, 930.0)] == [880.0, 920.0]


@pytest.mark.parametrize(("curve", "light"), [(16, 0.72), (18, 0.44)])  # of a white of 100 cd/m2
def test_high_dynamic_range_is_shown_as_ordinary(tmp_path: Path, curve: int, light: float) -> None:
    path = tmp_path / "hdr.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.color_trc, stream.codec_context.color_primaries = curve, 9
        for _ in range(3):
            gray = np.full((64, 96, 3), 120, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="rgb24")))
        container.mux(stream.encode(None))
    shown = next(iter(Video(path))).image
    assert shown.mean() == pytest.approx(255 * (1.055 * light ** (1 / 2.4) - 0.055), abs=12)
    assert np.ptp(shown.mean((0, 1))) <= 2  # gray stays gray


def test_turned_frames_and_their_size(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "video.mp4", codec="libx264"))
    stored = [frame.image for frame in video]
    video.turn(1)
    assert video.size == (64, 96)
    for before, after in zip(stored, video, strict=True):
        assert (after.image == np.rot90(before)).all()
    assert video.size == (64, 96)
    assert video.notes == ["Filmed lying on its side: it was turned upright."]


def test_frames_without_stamps_take_the_nominal_rate(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "raw.h264", codec="libx264"))
    assert times(video) == [40.0 * number for number in range(len(UNEVEN))]
    assert video.notes == ["Frames without a time stamp were timed by the file's nominal rate: 10."]


@pytest.mark.parametrize(
    ("matrix", "upright"),
    [
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    ],
)
def test_rotated_and_mirrored_files_come_upright(
    tmp_path: Path,
    matrix: tuple[int, int, int, int],
    upright: Callable[[np.ndarray], np.ndarray],
) -> None:
    path = write(tmp_path / "clip.mp4", codec="libx264")
    plain = [frame.image for frame in Video(path)]
    video = Video(turned(path, *matrix))
    images = [frame.image for frame in video]
    assert len(images) == len(plain)
    assert all(
        np.array_equal(one, upright(other)) for one, other in zip(images, plain, strict=True)
    )
    assert video.size == images[0].shape[1::-1]


def test_frames_of_other_sizes_are_fitted_into_the_first(tmp_path: Path) -> None:
    sizes = [(96, 64), (96, 64), (64, 96), (192, 128)]
    video = Video(write_jpegs(tmp_path / "clip.mkv", sizes))
    images = [frame.image for frame in video]
    assert {image.shape for image in images} == {(64, 96, 3)}
    upended = images[2]  # 43 of its 96 columns
    assert upended[:, :24].max() == 0
    assert upended[32:, 40:56].min() > 20
    assert video.notes == ["Frames of another size were fitted into the first one's: 2."]


def test_large_frames_are_shrunk(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "clip.mkv", [0, 40], codec="mjpeg", size=(1920, 1080)))
    assert video.size == (1280, 720)
    assert [frame.image.shape for frame in video] == [(720, 1280, 3)] * 2


@pytest.mark.parametrize(("name", "codec"), [("clip.mkv", "libx264"), ("clip.webm", "libvpx")])
def test_of_a_broken_tail_the_whole_part_is_read(tmp_path: Path, name: str, codec: str) -> None:
    path = write(tmp_path / name, range(0, 4000, 40), codec=codec, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = Video(path)
    read = times(video)
    assert 10 < len(read) < 90
    assert set(read) <= set(range(0, 4000, 40))
    assert any(note.startswith("The file says it lasts 4.0 s; ") for note in video.notes)


def test_damage_in_the_middle_is_left_out_and_noted(tmp_path: Path) -> None:
    path = write_jpegs(tmp_path / "clip.avi", [(96, 64)] * 20)
    content = bytearray(path.read_bytes())
    starts = [at for at in range(len(content)) if content[at : at + 3] == b"\xff\xd8\xff"]
    content[starts[9] : starts[10] - 16] = bytes(starts[10] - 16 - starts[9])
    path.write_bytes(content)
    video = Video(path)
    assert [number_of(frame) for frame in video] == [*range(9), *range(10, 20)]
    assert video.notes == ["Parts of the file are damaged and were left out: 1."]


def test_stamps_that_go_back_never_turn_time_round(tmp_path: Path) -> None:
    first, second = (write(tmp_path / f"{n}.ts", range(0, 4000, 40), codec="libx264") for n in "ab")
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    video = Video(both)
    read = times(video)
    assert len(read) == 200
    assert all(later > earlier for earlier, later in itertools.pairwise(read))
    assert read[-1] == pytest.approx(7960, abs=100)
    assert video.notes == [
        "Time stamps jump back, and the time was counted on from there: 1 times."
    ]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.webm", "libvpx"),
        ("clip.mp4", "libx264"),
        ("clip.ts", "libx264"),
        ("clip.h264", "libx264"),
    ],
)
def test_a_stretch_has_the_frames_of_the_whole(tmp_path: Path, name: str, codec: str) -> None:
    options = {"live": "1"} if name.endswith("webm") else {}
    video = Video(write(tmp_path / name, range(0, 4000, 40), codec=codec, options=options))
    whole = list(video)
    for start in (-100, 0, 500, 1901, 3990, 9000):
        wanted = [frame for frame in whole if start <= frame.time_ms <= start + 300]
        stretch = list(video.frames(start, start + 300))
        assert [frame.time_ms for frame in stretch] == [frame.time_ms for frame in wanted]
        assert [frame.index for frame in stretch] == list(range(len(wanted)))
        assert all(np.array_equal(a.image, b.image) for a, b in zip(stretch, wanted, strict=True))


def test_frames_are_given_back_at_once(tmp_path: Path) -> None:
    video = Video(write_jpegs(tmp_path / "clip.mkv", [(96, 64)] * 50))
    gc.collect()
    gc.disable()
    try:
        pictures = sum(1 for _ in video)
        left = sum(type(one) is av.VideoFrame for one in gc.get_objects())
    finally:
        gc.enable()
    assert pictures == 50
    assert left < 5


def test_leaving_a_video_ends_its_passes(tmp_path: Path) -> None:
    with Video(write(tmp_path / "clip.webm")) as video:
        whole, stretch = iter(video), video.frames(0, 1000)
        assert next(whole).index == next(stretch).index == 0
    assert list(whole) == list(stretch) == []


def test_passes_do_not_disturb_each_other(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "clip.webm"))
    pairs = [(a.time_ms, b.time_ms) for a, b in zip(video, video, strict=True)]
    assert pairs == [(stamp, stamp) for stamp in UNEVEN]


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.webm")
    video = Video(path)
    path.unlink()
    with pytest.raises(VideoError, match="'clip.webm' cannot be opened: it is gone"):
        list(video)


def test_the_real_clips_are_read_whole(mer_data: Path) -> None:
    frames = {"single_face.mp4": 72, "face_noface.mov": 169}
    for name, count in frames.items():
        video = Video(mer_data / "videos" / name)
        assert len(times(video)) == count
        assert max(video.size) <= reader.LONG_SIDE
        assert video.notes == []


def frames_in(folder: Path, numbers: Iterable[int]) -> Path:
    folder.mkdir()
    for number in numbers:
        cv2.imwrite(str(folder / f"img{number}.png"), picture(number)[..., ::-1])
    return folder


def test_a_folder_of_frames_in_the_order_people_count(tmp_path: Path) -> None:
    folder = frames_in(tmp_path / "clip", range(1, 13))
    (folder / "notes.txt").touch()
    with Video(folder, 200) as video:
        assert video.size == (96, 64)
        assert video.duration_ms == 60
        frames = list(video)
        assert [number_of(frame) for frame in frames] == list(range(1, 13))
        assert times(video) == [5.0 * number for number in range(12)]
        stretch = list(video.frames(10, 25))
        assert [number_of(frame) for frame in stretch] == [3, 4, 5, 6]
        assert [frame.index for frame in stretch] == [0, 1, 2, 3]


def test_a_frame_that_cannot_be_read_is_noted_and_keeps_its_time(tmp_path: Path) -> None:
    folder = frames_in(tmp_path / "clip", range(1, 5))
    (folder / "img2.png").write_bytes(b"no picture")
    video = Video(folder, 100)
    assert times(video) == [0, 20, 30]
    (note,) = video.notes
    assert note.startswith("A frame was left out: img2.png is not a picture")


def test_frames_of_a_folder_that_differ_in_size_are_fitted(tmp_path: Path) -> None:
    folder = frames_in(tmp_path / "clip", [1])
    cv2.imwrite(str(folder / "img2.png"), picture(2, 200, 64)[..., ::-1])
    assert {frame.image.shape for frame in Video(folder, 100)} == {(64, 96, 3)}


def test_a_folder_asks_for_its_frames_a_second(tmp_path: Path) -> None:
    folder = frames_in(tmp_path / "clip", [])
    with pytest.raises(VideoError, match="say with --fps how many of its pictures make a second"):
        Video(folder)
    with pytest.raises(VideoError, match="There are no pictures in"):
        Video(folder, 25)
    with pytest.raises(VideoError, match="--fps -3 is no number"):
        Video(folder, -3)
    with pytest.raises(VideoError, match="is a video, with its own times"):
        Video(write(tmp_path / "clip.webm"), 25)


def test_a_thousand_frames_a_second_are_more_than_are_read(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "fast.mkv", range(0, 400), codec="libx264"))
    assert len(times(video)) == 100
    assert video.notes == ["Of more than 250 frames a second the rest was left out: 300."]


def mp4_of_many_samples(path: Path) -> Path:
    """The table of samples tells of thirty million, of one size each: no byte more in the file."""
    write(path, codec="libx264")
    content = path.read_bytes()
    at = content.index(b"stsz") + 4
    sizes = struct.pack(">III", 0, 1, 30_000_000)
    path.write_bytes(content[:at] + sizes + content[at + 12 :])
    return path


def test_a_video_that_takes_too_much_is_a_sentence(tmp_path: Path) -> None:
    path = mp4_of_many_samples(tmp_path / "clip.mp4")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(VideoError, match=r"^'clip.mp4' "):
        list(Video(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_a_worker_that_dies_in_the_middle_is_a_sentence(tmp_path: Path) -> None:
    decoding.POOL.close()
    with Video(write(tmp_path / "clip.webm", range(0, 4000, 40))) as video:
        frames = iter(video)
        next(frames)
        for worker in decoders():
            os.kill(worker, signal.SIGKILL)
        with pytest.raises(VideoError, match="takes more memory or time to decode"):
            list(frames)
        assert len(times(video)) == 100  # and the next pass has a worker of its own


def test_a_pass_that_nobody_waits_for_ends_at_once(tmp_path: Path) -> None:
    decoding.POOL.close()
    path = write(tmp_path / "clip.webm", range(0, 4000, 40))
    with Video(path) as video:
        frames = iter(video)
        next(frames)
        assert decoders()
    began = time.monotonic()
    while decoders() and time.monotonic() - began < 10:
        time.sleep(0.01)
    assert time.monotonic() - began < 1


def test_frames_that_memory_is_short_for_are_not_taken_for_damage() -> None:
    class Short:
        def demux(self, _: object) -> list["Short"]:
            return [self]

        def decode(self) -> None:
            raise av.FFmpegError(errno.ENOMEM, "Cannot allocate memory")

    faults: Counter[str] = Counter()
    with pytest.raises(VideoError, match="take more memory to decode than there is"):
        list(video_files.decoded((Short(), None), faults))  # type: ignore[arg-type]
    assert not faults
