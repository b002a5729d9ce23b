"""From which score on a face of a picture counts as covered: measured on faces bare and covered.

Half of the faces give the score, the other half how often it is right.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.errors import DataError
from mer.faces import detection, quality
from mer.faces.detection import Face
from mer.faces.quality import COVER
from mer.io.files import write_json
from mer.results import documents
from tools.occlusion import synthetic, worn
from tools.occlusion.shades import glasses

BARE: Final = 0.985  # of the faces as they are score less; some of them are covered indeed
PLAIN: Final = 0.96  # of the faces behind plain glasses score less in the model of dark ones
SIDE: Final = 192  # pixels that pictures are brought to
EDGE: Final = 24  # pixels of margin, for the detector wants room around a face
SURE: Final = 0.6  # score of the detector

Drawn = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def measure(folders: Sequence[Path], count: int, weights: Path, seed: int = 0) -> str:
    """Put the score and what came of it into the model's record; a table of it by folder.

    Args:
        folders: of pictures of faces, each of the same weight.
        count: pictures of each that are drawn at random.
        weights: the folder of the model's record.
        seed: of all chance.

    Raises:
        DataError: there are no faces.
    """
    random = np.random.default_rng(seed)
    scores = {folder.name: np.array(list(_scores(folder, count, random))) for folder in folders}
    found = {name: rows for name, rows in scores.items() if len(rows) > 1}
    if not found:
        raise DataError("There are no faces in these folders: name others.")
    half = np.concatenate([rows[::2] for rows in found.values()])  # (n, 1 + COVERS, 2)
    parts = ((half[:, 0, 0], BARE), (half[:, -1, 1], PLAIN))
    still = [float(np.nanquantile(bare, part)) for bare, part in parts]
    others = {name: rows[1::2] for name, rows in found.items()}
    others["all"] = np.concatenate(list(others.values()))
    shares = {name: (rows >= still).any(2).mean(0) for name, rows in others.items()}
    path = weights / f"{COVER}.json"
    record = json.loads(path.read_text("utf-8"))
    record["options"]["still"] = [round(score, 3) for score in still]
    named = zip(("bare", *COVERS), shares["all"].tolist(), strict=True)
    record["evaluation"]["still"] = {name: round(share, 3) for name, share in named}
    write_json(path, record)
    rows = [(name, *(f"{share:.1%}" for share in one)) for name, one in shares.items()]
    return documents.markdown(("Set", "as they are", *COVERS), rows)


def _scores(folder: Path, count: int, random: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Of each face the scores as it is, then behind each of COVERS."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg"))
    model = quality.cover_model()
    for index in random.permutation(len(paths))[:count]:
        picture = cv2.imread(str(paths[index]), cv2.IMREAD_COLOR_RGB)
        image = cv2.resize(np.asarray(picture, np.uint8), (SIDE, SIDE))
        image = np.pad(image, ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="edge")
        face = _face(image)
        if face:
            points = np.array(face.points)
            drawn = [image, *(draw(image, points, random) for draw in COVERS.values())]
            faces = [face, *map(_face, drawn[1:])]
            pairs = zip(drawn, faces, strict=True)
            unseen = np.full(2, np.nan)
            yield [model.scores(one, seen) if seen else unseen for one, seen in pairs]


def _face(image: np.ndarray) -> Face | None:
    found = [one for one in detection.detect(image) if one.score >= SURE]
    return max(found, key=lambda one: one.box[2], default=None)


def _hand(image: np.ndarray, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    drawn = synthetic.covered(gray, points, gray[::-1], random)
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_GRAY2RGB), np.uint8)


def _plain(image: np.ndarray, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    drawn = glasses(gray, points, random, dark=False)
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_GRAY2RGB), np.uint8)


COVERS: Final[dict[str, Drawn]] = {
    "mask": worn.mask,
    "hand": _hand,
    "sunglasses": worn.sunglasses,  # others than those that were learned from
    "plain glasses": _plain,
}
