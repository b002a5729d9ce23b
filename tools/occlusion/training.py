"""How the model of covered faces is trained: on pictures of faces, bare and covered by drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from mer.errors import DataError
from mer.faces import detection
from mer.faces.detection import Face
from mer.faces.quality import COVER, INPUTS, SMALLEST, gradients
from tools.occlusion.shades import glasses
from tools.occlusion.synthetic import covered

PENALTIES: Final = (30.0, 10.0, 3.0, 1.0)  # on half the squared weights
HELD_OUT: Final = 5  # one picture in so many is scored, not learned from
SIDES: Final = (128, 224)  # pixels that pictures are brought to, at random
EDGE: Final = 6  # a picture gets a margin of one part in so many
SURE: Final = 0.7  # score of the detector
OF_GLASSES: Final = (3.0, 1.0, 0.3)  # penalties for the model of dark glasses
FOUND: Final = 0.8  # of the covers drawn over held-out faces raise the score far enough
MOST: Final = 0.9  # of the held-out bare faces score no more than a person's bare face may


@dataclass(frozen=True)
class Scored:
    """Held-out faces: their scores bare, float (n,), and covered, float (n,), face by face."""

    bare: np.ndarray
    covered: np.ndarray

    @property
    def right(self) -> float:
        """How often a face scores more covered than another one bare: the area under the ROC."""
        ranks = np.searchsorted(np.sort(self.bare), self.covered) / len(self.bare)
        return float(ranks.mean())


def fit(data: Path, out: Path, count: int = 6000, seed: int = 0) -> str:
    """Train, write weights and record, and return what came of it as a sentence.

    The penalty is the one that tells held-out faces best; `Cover.rise` is what FOUND of their
    covers reach.

    Args:
        data: a folder with pictures of faces, such as FER2013Train.
        out: folder for the weights and their record.
        count: pictures that are drawn at random.
        seed: of all chance.

    Raises:
        DataError: there are no pictures, or hardly any with a face.
    """
    from mer.weights import store

    bare, hidden = _examples(_drawn(data, count, seed), seed)
    held = np.arange(len(bare)) % HELD_OUT == 0
    tried = {}
    for penalty in PENALTIES:
        values = _learned(bare[~held], hidden[~held], penalty)
        tried[penalty] = Scored(*(part[held] @ values[:-1] + values[-1] for part in (bare, hidden)))
    penalty = max(tried, key=lambda one: tried[one].right)
    scored = tried[penalty]
    rise = float(np.quantile(scored.covered - scored.bare, 1 - FOUND))
    most = float(np.quantile(scored.bare, MOST))
    options = {"rise": rise, "most": most, "still": [0.0, 0.0]}  # until `still` measures them
    record = _record(data, options, penalty, scored, len(bare))
    values = np.stack([_learned(bare, hidden, penalty), np.zeros(INPUTS + 1)])
    model = {"linear.weight": values[:, :-1], "linear.bias": values[:, -1]}
    store.save(model, COVER, record, out)
    return (
        f"{len(bare)} faces, penalty {penalty:g}: a covered face scores more than a bare one "
        f"in {scored.right:.1%}; of the covers, {FOUND:.0%} raise the score by {rise:.2f} or more."
    )


def fit_glasses(data: Path, out: Path, count: int = 6000, seed: int = 0) -> str:
    """Train the model of dark glasses, put it beside the other in `out`, and say what came of it.

    Bare faces and faces behind plain glasses are what it has to tell them from; arguments and
    errors are those of `fit`.
    """
    from mer.weights import store

    rows = _worn(_drawn(data, count, seed), seed)  # bare, plain, dark
    held = np.arange(len(rows)) % HELD_OUT == 0
    tried = {}
    for penalty in OF_GLASSES:
        values = _learned(_open(rows[~held]), rows[~held, 2], penalty)
        scored = (part @ values[:-1] + values[-1] for part in (_open(rows[held]), rows[held, 2]))
        tried[penalty] = Scored(*scored).right
    penalty = max(tried, key=lambda one: tried[one])
    values = _learned(_open(rows), rows[:, 2], penalty)
    arrays, record = store.arrays(COVER, folder=out)
    weight, bias = (arrays[f"linear.{part}"] for part in ("weight", "bias"))
    record["training"]["glasses"] = {"faces": len(rows), "penalty": penalty}
    record["evaluation"]["glasses_roc_area"] = tried[penalty]
    weight, bias = np.stack([weight[0], values[:-1]]), np.array([bias[0], values[-1]])
    store.save({"linear.weight": weight, "linear.bias": bias}, COVER, record, out)
    return (
        f"{len(rows)} faces, penalty {penalty:g}: dark glasses score more in {tried[penalty]:.1%}."
    )


def _open(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows[:, 0], rows[:, 1]])


def _drawn(data: Path, count: int, seed: int) -> list[Path]:
    paths = sorted(path for path in data.rglob("*") if path.suffix in (".png", ".jpg"))
    if not paths:
        raise DataError(f"There are no pictures in '{data}': name a folder of PNG or JPEG faces.")
    order = np.random.default_rng(seed).permutation(len(paths))[:count]
    return [paths[index] for index in order]


def _examples(paths: list[Path], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Shapes of faces bare and covered, float32 (n, INPUTS) each, row by row of one picture."""
    from tqdm import tqdm

    random, other = np.random.default_rng([seed, 1]), np.zeros((64, 64), np.uint8)
    pairs = []
    for path in tqdm(paths, desc="covering faces", disable=None):
        picture = _read(path, random)
        found = None if picture is None else _face(picture)
        if picture is None or found is None:
            continue
        hidden = covered(picture, np.array(found.points), other, random)
        again = _face(hidden, found)
        other = picture
        if again:
            pairs.append((gradients(_colours(picture), found), gradients(_colours(hidden), again)))
    both = _enough(pairs)
    return both[:, 0], both[:, 1]


def _worn(paths: list[Path], seed: int) -> np.ndarray:
    """Shapes of faces bare, behind plain and behind dark glasses: float32 (n, 3, INPUTS)."""
    from tqdm import tqdm

    random, found = np.random.default_rng([seed, 2]), []
    for path in tqdm(paths, desc="drawing glasses", disable=None):
        picture = _read(path, random)
        face = None if picture is None else _face(picture)
        if picture is None or face is None:
            continue
        points = np.array(face.points)
        drawn = [glasses(picture, points, random, dark=hides) for hides in (False, True)]
        looks = [(picture, face), *((image, _face(image, face)) for image in drawn)]
        if all(seen for _, seen in looks):
            found.append([gradients(_colours(image), seen) for image, seen in looks if seen])
    return _enough(found)


def _enough(found: Sequence[Any]) -> np.ndarray:
    if len(found) < HELD_OUT * 2:
        raise DataError("Hardly a face was found in the pictures: name another folder.")
    return np.array(found)


def _read(path: Path, random: np.random.Generator) -> np.ndarray | None:
    """The picture in gray, square and with a margin, for the detector wants room around a face."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return None
    side = int(random.integers(*SIDES))
    large = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    edge = side // EDGE
    return cv2.copyMakeBorder(large, edge, edge, edge, edge, cv2.BORDER_REPLICATE)


def _face(picture: np.ndarray, near: Face | None = None) -> Face | None:
    """The one sure face, at the place of another one if that is given."""
    found = [one for one in detection.detect(_colours(picture)) if one.score >= SURE]
    if near:
        least = near.box[2] / 3
        found = [one for one in found if abs(one.box[0] - near.box[0]) < least]
    return found[0] if len(found) == 1 and found[0].box[2] >= SMALLEST else None


def _colours(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)


def _learned(bare: np.ndarray, hidden: np.ndarray, penalty: float) -> np.ndarray:
    """Weights and, last, the bias of a logistic regression, float64 (INPUTS + 1,)."""
    rows = np.concatenate([bare, hidden]).astype(np.float64)
    columns = np.hstack([rows, np.ones((len(rows), 1))])
    sign = np.repeat([-1.0, 1.0], [len(bare), len(hidden)])
    shrink = np.append(np.full(INPUTS, penalty), 0.0)  # the bias is free

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (columns @ values)
        slope = columns.T @ (-sign * expit(-margin)) + shrink * values
        return float(np.logaddexp(0, -margin).sum() + (shrink * values**2).sum() / 2), slope

    start: NDArray[np.float64] = np.zeros(INPUTS + 1)
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def _record(
    data: Path,
    options: dict[str, Any],
    penalty: float,
    scored: Scored,
    count: int,
) -> dict[str, Any]:
    import mer
    from mer.weights.provenance import machine, now, versions

    return {
        "model": COVER,
        "version": mer.__version__,
        "options": options,
        "training": {
            "data": {"name": data.resolve().name, "faces": count},
            "penalty": penalty,
            "finished": now(),
            "machine": machine(),
            "versions": versions(),
        },
        "evaluation": {"roc_area": scored.right, "covers_found": FOUND},
    }
