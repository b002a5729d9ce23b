"""Whether our blendshapes are MediaPipe's: both on the same pictures of one face each."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.faces import spread
from mer.errors import DataError, MerError
from mer.faces import detection
from mer.faces.measures import BLENDSHAPES, measure
from mer.io import images
from mer.results import documents

SCRIPT: Final = Path(__file__).with_name("mediapipe_blendshapes.py")
FACES: Final = 100  # of all folders, evenly spread
STILL: Final = 0.02  # standard deviation under which a shape does not move, and has no correlation


def report(data: Sequence[Path], python: Path, task: Path, faces: int = FACES) -> str:
    """Correlations of each shape over the faces, and of each face over the shapes, in Markdown.

    Args:
        data: folders of pictures with one face each.
        python: an interpreter that can import mediapipe.
        task: MediaPipe's face_landmarker.task.
        faces: how many pictures are looked at.

    Raises:
        DataError: both find a face in fewer than three pictures.
        MerError: the interpreter cannot run MediaPipe.
    """
    paths = spread(data, faces)
    pairs = [
        (mine, np.array([one[name] for name in BLENDSHAPES]))
        for mine, one in zip(map(_ours, paths), _theirs(paths, python, task), strict=True)
        if mine is not None and one
    ]
    if len(pairs) < 3:
        raise DataError("There are fewer than three pictures in which both find a face.")
    mine, other = (np.array(side) for side in zip(*pairs, strict=True))
    return documents.markdown_frame(summary(mine, other))


def summary(ours: np.ndarray, theirs: np.ndarray) -> pd.DataFrame:
    """The table of two arrays (faces, 52) of values 0..1."""
    moves = theirs.std(axis=0) >= STILL
    shapes = [np.corrcoef(a, b)[0, 1] for a, b in zip(ours.T[moves], theirs.T[moves], strict=True)]
    each = [np.corrcoef(a, b)[0, 1] for a, b in zip(ours, theirs, strict=True)]
    lines = {f"{moves.sum()} shapes that move, over {len(ours)} faces": shapes, "each face": each}
    quantiles = (0.0, 0.1, 0.5, 0.9)
    values = [[f"{one:.2f}" for one in np.quantile(line, quantiles)] for line in lines.values()]
    names = ("least", "a tenth below", "median", "a tenth above")
    frame = pd.DataFrame(values, columns=list(names))
    frame.insert(0, "correlation of", list(lines))
    off = np.abs(ours - theirs).mean()
    frame["mean difference"] = [f"{off:.3f}", ""]
    return frame


def _ours(path: Path) -> np.ndarray | None:
    picture = images.read(path)
    found = detection.detect(picture)
    measured = measure(picture, found[0]) if found else None
    return None if measured is None else measured.blendshapes


def _theirs(paths: Sequence[Path], python: Path, task: Path) -> list[dict[str, float] | None]:
    command = [str(python), str(SCRIPT), str(task), *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        answers: list[dict[str, float] | None] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise MerError(
            f"{python} cannot run MediaPipe ({error}). Install mediapipe there."
        ) from error
    return answers
