"""How well expressions are found in made clips, over how far the face moves and the frame rate."""

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from mer import bench, faces, images
from mer.errors import ImageError, MerError, VideoError
from mer.video import spotting
from mer.video.made import Clip
from mer.video.reader import Frame, Video
from mer.video.scoring import IOU, Score, score
from mer.video.script import plan
from mer.video.signals import Motion
from mer.video.timeline import Event
from mer.video.tracks import Tracker

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

REMARK: Final = """\
These are made clips: a still picture, warped. They show what moves a spotter and what does not, \
not how it does on real faces, where the best published spotters without training reach an F1 of \
.44 (.25 on micro-expressions; CAS(ME)2, Zhao et al. 2022), and the winners of the challenges on \
unseen clips .22, .18 and .09 (2023, 2024, 2025)."""


class Case(NamedTuple):
    """A clip to make: `pixels` of displacement, `speech` in stretches a minute, 0 for none."""

    fps: float
    seconds: float
    pixels: float
    speech: float
    seed: int


def main(
    picture: Path | None = None, *, quick: bool = False, seed: int = 0, output: Path | None = None
) -> str:
    """Make the clips, spot, and return the tables as text.

    Args:
        picture: a picture or a video of a face; the astronaut of scikit-image unless given.
        quick: a few short clips, in place of all.
        seed: of all chance in the clips.
        output: a file that gets all scores as JSON.

    Raises:
        MerError: there is no picture to use, or no face in it.
    """
    face = still(picture) if picture else bench.astronaut()
    scores = run(face, seed=seed, **(QUICK if quick else {}))
    if output:
        rows = [{k: None if v != v else v for k, v in row.items()} for row in _rows(scores)]
        output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return f"{report(scores)}\n\n{REMARK}"


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
    tracker, motions = Tracker(), dict[int, Motion]()
    for frame in frames:
        for number, face in tracker.follow(frame):
            motions.setdefault(number, Motion()).push(frame.time_ms, frame.image, face)
    return [
        event
        for number, motion in motions.items()
        for event in spotting.spot(number, *motion.arrays())
    ]


def report(scores: Sequence[Score]) -> str:
    """The scores as text: a table for each figure, displacements down, frame rates across."""
    table = pd.DataFrame(_rows(scores))
    table["micros"] = table.micro_matched / table.micro
    table["macros"] = table.macro_matched / table.macro
    table["alarms"] = 60 * table.found / table.seconds
    table["during"] = np.where(table.spoken > 0, "speech", "rest")
    moved, quiet = table[table.pixels > 0], table[table.pixels == 0]
    clips = f"{moved.micro.mean():.0f} micro and {moved.macro.mean():.0f} macro a clip"
    return "\n\n".join(
        [
            _grid(moved, "f1", 2, f"F1 at IoU {IOU}, expressions: {clips}"),
            _grid(moved, "micros", 2, "Of the micro-expressions, found"),
            _grid(moved, "macros", 2, "Of the macro-expressions, found"),
            _grid(moved, "onset_ms", 0, "Onset: mean absolute error, ms"),
            _grid(moved, "apex_ms", 0, "Apex: mean absolute error, ms"),
            _grid(quiet, "alarms", 1, "False alarms a minute under drift and blinks", "during"),
        ]
    )


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


def _rows(scores: Sequence[Score]) -> list[dict[str, float]]:
    return [asdict(score) | {"f1": score.f1} for score in scores]


def _surest(path: Path) -> np.ndarray:
    best, sure = None, 0.0
    with Video(path) as video:
        for frame in itertools.islice(video, 0, LOOKED, 5):
            for face in faces.detect(frame.image):
                if face.score > sure:
                    best, sure = frame.image, face.score
    if best is None:
        raise MerError(f"No face was found in the first frames of {path.name}. Name another file.")
    return best


def _grid(table: pd.DataFrame, figure: str, digits: int, heading: str, down: str = "pixels") -> str:
    grid = table.pivot_table(figure, down, "fps", dropna=False)
    grid.columns = pd.Index([f"{fps:g} fps" for fps in grid.columns])
    grid.index = pd.Index([f"{one:g} px" if down == "pixels" else one for one in grid.index])
    text = grid.to_string(float_format=f"{{:.{digits}f}}".format, na_rep="–")
    return f"{heading}\n{text}"
