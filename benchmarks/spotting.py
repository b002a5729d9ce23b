"""How well expressions are found in made clips, over how far the face moves and the frame rate."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks import spotting_tables as tables
from benchmarks import timing
from benchmarks.spotting_scores import Score, score
from benchmarks.synthetic.clips import Clip
from benchmarks.synthetic.timeline import plan
from mer.errors import ImageError, MerError, VideoError
from mer.faces import detection
from mer.io import images
from mer.io.video import Frame, Video
from mer.video import spotting
from mer.video.motion.region_signals import Motion
from mer.video.tracking.tracker import Tracker
from mer.video.types import Event, Timing

RATES: Final = (25.0, 30.0, 60.0, 120.0)  # frames a second
PIXELS: Final = (0.5, 1.0, 2.0, 4.0)  # of the peak displacement, on a face of 320 pixels
SECONDS: Final = 40.0  # of each clip with expressions: about 16
QUIET: Final = 60.0  # of each clip without any
TALK: Final = 24.0  # of each clip with speech and no expression
TALKATIVE: Final = 20.0  # stretches of speech a minute in it
SIZE: Final = (480, 360)  # of a frame; the face in it is 200 pixels high
LOOKED: Final = 300  # frames of a video among which a still face is sought
QUICK: Final[dict[str, Any]] = {
    "rates": (30.0, 60.0),
    "pixels": (2.0,),
    "seconds": 20,
    "quiet": 20,
    "talk": 10,
}

Spotter = Callable[[Iterable[Frame]], list[Event]]


class Case(NamedTuple):
    """A clip to make: `pixels` of displacement, `speech` in stretches a minute, 0 for none."""

    fps: float
    seconds: float
    pixels: float
    speech: float
    seed: int


def measure(picture: Path | None = None, *, quick: bool = False, seed: int = 0) -> dict[str, Any]:
    """Make the clips and spot.

    Args:
        picture: a picture or a video of a face; the astronaut of scikit-image unless given.
        quick: a few short clips, in place of all.
        seed: of all chance in the clips.

    Returns:
        `text`: the tables as Markdown; `scores`: of each clip; `figures`: the few that are kept,
        see `tables.figures`.

    Raises:
        MerError: there is no picture to use, or no face in it.
    """
    face = still(picture) if picture else timing.astronaut()
    scores = run(face, seed=seed, **(QUICK if quick else {}))
    text = "\n\n".join([tables.report(scores), tables.REMARK, tables.published()])
    return {"text": text, "scores": tables.rows(scores), "figures": tables.figures(scores)}


def run(
    face: np.ndarray,
    spotter: Spotter | None = None,
    *,
    rates: Sequence[float] = RATES,
    pixels: Sequence[float] = PIXELS,
    seconds: float = SECONDS,
    quiet: float = QUIET,
    talk: float = TALK,
    seed: int = 0,
) -> list[Score]:
    """Score a spotter: at each frame rate one clip of each displacement, and two without any.

    All have drift, blinks, flicker, noise and compression, and the last one speech. The same
    expressions come at the same times at each frame rate, other ones for each displacement.

    Args:
        face: RGB uint8 (height, width, 3), with a face.
        spotter: from frames to events; the project's own unless given.
        rates: frames a second.
        pixels: displacements, in pixels of a 320-pixel face.
        seconds: length of each clip with expressions.
        quiet: length of each without.
        talk: length of each with speech instead.
        seed: of all chance.

    Raises:
        MerError: no face is found in the picture.
    """
    kinds = [(quiet, 0.0, 0.0), *((seconds, one, 0.0) for one in pixels), (talk, 0.0, TALKATIVE)]
    cases = [
        Case(fps, *kind, 100 * seed + number) for fps in rates for number, kind in enumerate(kinds)
    ]
    frames = sum(round(case.fps * case.seconds) for case in cases)
    with tqdm(total=frames, unit="frame", disable=None) as bar:

        def scored(case: Case) -> Score:
            clip = _clip(face, case)
            return score(clip, (spotter or spotted)(_counted(clip, bar)))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(scored, cases))


def spotted(frames: Iterable[Frame]) -> list[Event]:
    """The project's own way from frames to events, of all people in them."""
    tracker, motions, times = Tracker(), dict[int, Motion](), list[float]()
    for frame, shown in tracker.people(frames):
        times.append(frame.time_ms)
        for number, face in shown:
            motions.setdefault(number, Motion()).push(frame.time_ms, frame.image, face)
    micro = Timing.of(np.array(times)).micro
    return [
        event
        for number, motion in motions.items()
        for own, _, direction in [motion.arrays()]
        for event in spotting.spot(number, own, direction, micro=micro)
    ]


def still(path: Path) -> np.ndarray:
    """The face to make clips of: a picture, or of a video the frame where a face is surest.

    Raises:
        MerError: the file is neither, or shows no face.
    """
    try:
        return images.read(path)
    except ImageError as no_picture:
        try:
            return _surest(path)
        except VideoError:
            raise no_picture from None


def _clip(face: np.ndarray, case: Case) -> Clip:
    fps, seconds, pixels, speech, seed = case
    events = plan(seconds, pixels, seed) if pixels else []
    return Clip(face, fps=fps, seconds=seconds, events=events, speech=speech, size=SIZE, seed=seed)


def _counted(clip: Clip, bar: "tqdm[Any]") -> Iterator[Frame]:
    for frame in clip:
        yield frame
        bar.update()


def _surest(path: Path) -> np.ndarray:
    best, sure = None, 0.0
    with Video(path) as video:
        for frame in itertools.islice(video, 0, LOOKED, 5):
            for face in detection.detect(frame.image):
                if face.score > sure:
                    best, sure = frame.image, face.score
    if best is None:
        raise MerError(f"No face was found in the first frames of {path.name}. Name another file.")
    return best
