"""Real recordings with marked expressions: where they lie, how they are laid out, and their marks.

`DATA/casme2` holds spontaneous micro-expressions from onset to offset; each is set between still
time, openly: its first frame before it and its last one after it, all of it with a little sway of
the head, sensor noise and compression. `DATA/flashes` holds clips in which somebody shows one
expression for a moment, or none. `flash_marks.csv` tells when: one person's marks, from frames and
from a flow curve that shares nothing with the product's, looked at twice; `sure` is 0 where the
two looks disagree by more than a third of the expression's length.
"""

import contextlib
import csv
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.synthetic.timeline import Sway
from mer.errors import MerError
from mer.io.video import Frame, Video
from mer.video.types import MICRO_MS, Event

CASME_MS: Final = 5.0  # between two frames of CASME II
STILL_MS: Final = (1500.0, 2500.0)  # before an expression, and after it
DRIFT: Final = 0.25  # of what a sitting person sways: 2 pixels of a 320-pixel face
FLICKER: Final = 0.005  # of the brightness
NOISE: Final = 2.0  # gray levels
QUALITY: Final = 92  # of the JPEG that each frame goes through
MARKS: Final = Path(__file__).with_name("flash_marks.csv")

KINDS: Final = {  # the kind of motion that each label counts as, as in MEGC 2019
    **dict.fromkeys(("disgust", "sadness", "fear", "repression", "anger", "contempt"), "negative"),
    "happiness": "positive",
    "surprise": "surprise",
}


@dataclass(frozen=True)
class Recording:
    """One clip.

    Attributes:
        name, subject: which, and who is in it; the clip's own name where that is not known.
        source: the video, or, where it has to be made, what writes it: given an empty folder, it
            returns the frames' rate.
        seconds: how long it lasts.
        truth: the marked expression; None where none is marked.
        kind: one of MOTIONS that the expression counts as; "" for none of them.
        neutral: whether there is none to mark.
    """

    name: str
    subject: str
    source: Path | Callable[[Path], float]
    seconds: float
    truth: Event | None
    kind: str = ""
    neutral: bool = False

    @contextlib.contextmanager
    def film(self) -> Iterator[tuple[Path, float | None]]:
        """What `analyse` reads: a file, or a folder of frames and their rate."""
        if isinstance(self.source, Path):
            yield self.source, None
            return
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder), self.source(Path(folder))

    def frames(self) -> Iterator[Frame]:
        """Its frames, one at a time."""
        with self.film() as (path, fps), Video(path, fps) as video:
            yield from video


def casme(folder: Path, fps: float, seed: int = 0) -> list[Recording]:
    """The micro-expressions between still time, at this frame rate."""
    return [_between(folder, row, fps, seed) for row in _rows(folder / "index.csv")]


def flashes(folder: Path) -> list[Recording]:
    """The flashes as they were recorded."""
    marks = {row["file"]: row for row in _rows(MARKS)}
    found = []
    for row in _rows(folder / "index.csv"):
        path, mark = folder / row["file"], marks.get(row["file"])
        truth = (
            expression(*(float(mark[key]) for key in ("onset", "apex", "offset"))) if mark else None
        )
        with Video(path) as video:
            seconds = (video.duration_ms or 0.0) / 1000
        label = row["label"]
        kind, neutral = KINDS.get(label, ""), label == "neutral"
        found.append(Recording(path.stem, path.stem, path, seconds, truth, kind, neutral))
    return found


def expression(onset: float, apex: float, offset: float) -> Event:
    """A marked expression, of which no more is known than when it is."""
    kind = "micro" if offset - onset <= MICRO_MS else "macro"
    return Event(1, kind, onset, apex, offset, "lips", "up", 0.0, 0.0)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError:
        raise MerError(
            f"There is no {path}. Name the folder that holds casme2 and flashes."
        ) from None


def _between(folder: Path, row: dict[str, str], fps: float, seed: int) -> Recording:
    count, apex = int(row["frames_onset_to_offset"]), float(row["apex_frame_from_0"] or 0)
    random = np.random.default_rng([seed, zlib.crc32(row["file"].encode())])
    before, after = random.uniform(*STILL_MS, 2)
    sway = Sway(DRIFT, FLICKER, int(random.integers(1 << 31)))
    length = before + count * CASME_MS + after
    state = random.bit_generator.state

    def written(target: Path) -> float:
        chance = np.random.default_rng(seed)
        chance.bit_generator.state = state
        with Video(folder / row["file"]) as video:
            images = [frame.image for frame in video]
        for index in range(int(length * fps / 1000)):
            time_ms = 1000 * index / fps
            place = int(np.clip(round((time_ms - before) / CASME_MS), 0, len(images) - 1))
            image = _filmed(images[place], sway, time_ms, chance)
            (target / f"{index}.jpg").write_bytes(jpeg(image, QUALITY))
        return fps

    truth = expression(before, before + apex * CASME_MS, before + (count - 1) * CASME_MS)
    name, kind = Path(row["file"]).stem, KINDS.get(row["emotion"], "") if apex else ""
    return Recording(name, row["subject"], written, length / 1000, truth, kind)


def _filmed(
    image: np.ndarray, sway: Sway, time_ms: float, random: np.random.Generator
) -> np.ndarray:
    """The image as a camera gives it that the head moves before."""
    height, width = image.shape[:2]
    pose = sway.pose(time_ms)
    centre = width / 2, height / 2
    matrix = cv2.getRotationMatrix2D(centre, float(np.degrees(pose.roll)), pose.scale)
    matrix[:, 2] += np.array([pose.right, pose.down]) * (width / 320)
    moved = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    noisy = moved * sway.light(time_ms) + random.normal(0, NOISE, moved.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """The image, RGB uint8, as a JPEG file of this quality."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
