"""Videos in; their frames out, one by one, each with its own time; clips that browsers play."""

import math
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self
from weakref import WeakSet, finalize

import av
import numpy as np

from mer.errors import ImageError, VideoError
from mer.io import decoding, picture_formats, video_files
from mer.io.decoding import Worker, too_much
from mer.io.files import natural, shown
from mer.io.sources import PICTURES
from mer.io.video_files import OpenVideo

# Faces are looked for at 640 pixels; 3840 x 2160 would take nine times the memory and the time.
LONG_SIDE: Final = 1280

MAX_FPS: Final = 10_000
NOMINAL_FPS: Final = 25  # of a file with neither time stamps nor a rate
BACK_MS: Final = 1000.0  # a stamp this much before the last one begins a new count
NEAREST_MS: Final = 3.9  # between frames that are read: nothing in a face needs more than 250 fps
MAX_NOTES: Final = 5  # of frames that cannot be read
EARLY_MS: Final = 1000.0  # a file that ends this much before its stated end has been cut off

MILLISECOND: Final = Fraction(1, 1000)
ENCODER: Final = {"deadline": "realtime", "cpu-used": "8"}  # VP8, which all browsers play

_FILMED: Final = {1: "lying on its side", 2: "upside down", 3: "lying on its side"}
_NOTES: Final = {
    "damaged": "Parts of the file are damaged and were left out: {}.",
    "unstamped": "Frames without a time stamp were timed by the file's nominal rate: {}.",
    "back": "Frames whose time stamps repeat or go back were left out: {}.",
    "near": "Of more than 250 frames a second the rest was left out: {}.",
    "jump": "Time stamps jump back, and the time was counted on from there: {} times.",
    "resized": "Frames of another size were fitted into the first one's: {}.",
}


Timed = Generator[tuple[float, av.VideoFrame]]  # pictures, each with its time in milliseconds


@dataclass(frozen=True)
class Frame:
    """One picture of a video."""

    index: int  # from 0, in the order of reading
    time_ms: float  # since the beginning of the file, by its own stamps, as players count it
    image: np.ndarray  # RGB uint8 (height, width, 3), upright


class Video:
    """A video file. A worker decodes it, in each pass anew, and holds a few frames at a time.

    Frames are upright, of square pixels, and shrunk where a side is over LONG_SIDE. All have the
    size of the first: others are fitted into it, on black. The worker is two frames ahead.
    """

    size: tuple[int, int]  # width and height of the frames, in pixels
    quarters: int = 0  # quarter turns counter-clockwise by which frames are turned; see `turn`
    duration_ms: float | None  # what the file says that it lasts; None where it says nothing
    notes: list[str]  # what is wrong with the file, in sentences; all of it after a whole pass

    def __init__(self, path: str | os.PathLike[str], fps: float | None = None) -> None:
        """Decode the first frame of a video, or of a folder of pictures, `fps` of them a second.

        Raises a VideoError where there is no such file, no video, a damaged one, none of its frames
        can be read, or it takes more memory or time than a good one.
        """
        if fps is not None and not 0 < fps <= MAX_FPS:
            raise VideoError(f"--fps {fps:g} is no number of frames a second, up to {MAX_FPS}.")
        self._path, self._fps = video_files.checked(Path(path), folder=bool(fps)), fps
        self._passes: WeakSet[Generator[Frame]] = WeakSet()
        self._idle: list[Worker] = []
        finalize(self, _close, self._idle)
        with self._worker():
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for running in list(self._passes):
            running.close()
        _close(self._idle)

    def turn(self, quarters: int) -> None:
        """Turn all frames by so many quarters counter-clockwise, and note it."""
        if quarters % 4:
            self.quarters = quarters % 4
            self.size = self._as_turned(self.size)
            self.notes.append(f"Filmed {_FILMED[self.quarters]}: it was turned upright.")

    def __iter__(self) -> Iterator[Frame]:
        """Every frame, with strictly increasing times; raises as `frames`."""
        return self.frames(0.0, math.inf)

    def frames(self, start_ms: float, end_ms: float) -> Iterator[Frame]:
        """The frames from one time to another, both included; `index` counts them from 0.

        Raises a VideoError where the file has vanished or changed, or takes too much.
        """
        frames = self._decoded(start_ms, end_ms)
        self._passes.add(frames)
        return frames

    def _decoded(self, start_ms: float, end_ms: float) -> Generator[Frame]:
        with self._worker() as worker:
            width, height = self._as_turned(self.size)
            for told, image in worker.frames(start_ms, end_ms, (height, width, 3)):
                yield Frame(**told, image=np.ascontiguousarray(np.rot90(image, self.quarters)))
            self._take(worker.state)

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        """A worker that has the video open; it is kept for the next pass if the block ends well."""
        known = bool(self._idle)
        worker = self._idle.pop() if known else decoding.POOL.fresh()
        try:
            if not known:
                asked = {"do": "open", "path": str(self._path), "fps": self._fps}
                self._take(worker.ask(asked))
            yield worker
            self._idle.append(worker)
        except BaseException as error:
            worker.close()
            if isinstance(error, ConnectionError):
                raise VideoError(too_much(f"'{shown(self._path.name)}'")) from error
            raise

    def _as_turned(self, size: tuple[int, int]) -> tuple[int, int]:
        return size[::-1] if self.quarters % 2 else size

    def _take(self, state: dict[str, Any]) -> None:
        """Know what a reader knows; notes come together over all passes."""
        self.size, self.duration_ms = self._as_turned(tuple(state["size"])), state["duration_ms"]
        known = getattr(self, "notes", [])
        self.notes = known + [note for note in state["notes"] if note not in known]


def _close(workers: list[Worker]) -> None:
    while workers:
        workers.pop().close()


def _shrunk(width: float, height: float) -> tuple[int, int]:
    scale = min(1.0, LONG_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


class Reader:
    """A video file, decoded in this process; its attributes are those of `Video`."""

    def __init__(self, path: Path, alive: Callable[[float], None]) -> None:
        """Decode the first frame, or a VideoError; `alive` is told the ms of each picture."""
        self._path, self._alive = path, alive
        self.notes: list[str] = []
        with video_files.opened(path) as opened:
            container, stream = opened
            whole = container.duration
            self.duration_ms = None if whole is None else whole / 1000
            if stream.duration is not None and stream.time_base is not None:
                self.duration_ms = float(stream.duration * stream.time_base * 1000)
            self._step_ms = 1000 / float(stream.guessed_rate or NOMINAL_FPS)
            first = next(video_files.decoded(opened, Counter()), None)
            if first is None:
                raise VideoError(video_files.NO_FRAME.format(shown(path.name)))
            self._turns = video_files.Turns.of(first, stream)
            stamp, begins = video_files.stamp_ms(first), container.start_time
        self._seeks, self._start_ms = stamp is not None, stamp or 0.0
        if stamp is not None and begins is not None:  # as of players: pictures may follow sound
            self._start_ms = min(stamp, begins / 1000)
        self._natural = self._turns.size(first)
        self.size = _shrunk(*self._natural)

    def frames(self, start_ms: float, end_ms: float) -> Generator[Frame]:
        """As of `Video`."""
        faults: Counter[str] = Counter()
        index, time_ms = 0, 0.0
        with closing(self._from(start_ms, faults)) as pictures:
            for time_ms, picture in pictures:
                if time_ms > end_ms:
                    return
                if time_ms >= start_ms:
                    faults["resized"] += self._turns.size(picture) != self._natural
                    yield Frame(index, time_ms, self._turns.upright(picture, self.size))
                    index += 1
        if start_ms <= 0:
            self._seeks &= not faults["jump"]
            notes = [_NOTES[fault].format(count) for fault, count in faults.items() if count]
            said = self.duration_ms or 0.0
            if said - self._start_ms - time_ms > EARLY_MS:  # some files count from 0, some do not
                there = f"{said / 1000:.1f} s; {time_ms / 1000:.1f} s can be read."
                notes.append(f"The file says it lasts {there}")
            self.notes.extend(note for note in notes if note not in self.notes)

    def _from(self, start_ms: float, faults: Counter[str]) -> Timed:
        """Times and pictures from a time on, and some before it."""
        if start_ms > 0 and self._seeks:
            with video_files.opened(self._path) as opened:
                pictures = self._timed(opened, Counter(), self._start_ms + start_ms)
                first = next(pictures, None)
                if first and first[0] <= start_ms:  # without an index it may land anywhere
                    yield first
                    yield from pictures
                    return
        with video_files.opened(self._path) as opened:
            yield from self._timed(opened, faults)

    def _timed(self, file: OpenVideo, faults: Counter[str], from_ms: float | None = None) -> Timed:
        """Each picture with its time, but for those whose stamps repeat or go back."""
        shift, last = -self._start_ms, -math.inf
        for picture in video_files.decoded(file, faults, from_ms):
            stamp, following = video_files.stamp_ms(picture), max(last + self._step_ms, 0.0)
            time_ms = following if stamp is None else stamp + shift
            faults["unstamped"] += stamp is None
            if time_ms <= last - BACK_MS:
                faults["jump"] += 1
                shift, time_ms = shift + following - time_ms, following
            if time_ms <= last:
                faults["back"] += 1
                continue
            self._alive(time_ms)
            if time_ms < last + NEAREST_MS:
                faults["near"] += 1
                continue
            last = time_ms
            yield time_ms, picture


class FolderReader:
    """A folder of pictures as a video, as `Reader`."""

    def __init__(self, folder: Path, fps: float, alive: Callable[[float], None]) -> None:
        """Decode the first frame; raises a VideoError where there is none that can be read."""
        found = (path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
        self._paths = sorted(found, key=lambda path: natural(path.name))
        self._step_ms, self._alive = 1000 / fps, alive
        self.notes: list[str] = []
        self.duration_ms: float | None = len(self._paths) * self._step_ms
        first = next((image for _, image in self._images(0)), None)
        if first is None:
            raise VideoError(f"There are no pictures in '{shown(folder)}'. Name another folder.")
        self.size = _shrunk(*first.shape[1::-1])

    def frames(self, start_ms: float, end_ms: float) -> Generator[Frame]:
        """As of `Video`."""
        first = max(0, math.ceil(start_ms / self._step_ms - 1e-6))
        for index, (number, image) in enumerate(self._images(first)):
            time_ms = number * self._step_ms
            if time_ms > end_ms:
                return
            self._alive(time_ms)
            yield Frame(index, time_ms, video_files.onto(image, self.size))

    def _images(self, first: int) -> Iterator[tuple[int, np.ndarray]]:
        """Number and picture from one on, but for those that cannot be read, which are noted."""
        for number, path in enumerate(self._paths[first:], first):
            try:
                with path.open("rb") as file:
                    yield number, picture_formats.decoded_here(file, shown(path.name))
            except (ImageError, OSError) as error:
                note = f"A frame was left out: {error}"
                if note not in self.notes and len(self.notes) < MAX_NOTES:
                    self.notes.append(note)


def write_clip(path: Path, frames: Iterable[Frame], fps: float, *, bitrate: str = "4M") -> None:
    """Write frames of one size, one at a time and each at its own time, as VP8 in WebM.

    Players are told `fps`. A VideoError where there are no frames, or the file cannot be written.
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


def evenly(images: Iterable[np.ndarray], fps: float) -> Iterator[Frame]:
    """Pictures, RGB uint8, as frames that follow one another evenly."""
    for index, image in enumerate(images):
        yield Frame(index, 1000 * index / fps, image)
