"""How far detector and networks can be trusted on worse pictures: smaller, leaning, dark, covered.

Two measurements, kept apart. The detector looks at whole photographs with boxed faces, changed as a
whole. The networks get pictures that training held out, changed and given as the crop, so that no
detector has a part in their figures; only for "levelled" the roll is found by `mer.faces.rotation`.
The test pictures are not touched.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from benchmarks.corruptions import CHANGES, Boxes, Picture
from mer.errors import DataError, MerError
from mer.evaluation.robustness import FILE, SWEEPS

if TYPE_CHECKING:
    from mer.inference.predictor import Predictor

Scene = tuple[Picture, Boxes]

PICTURES: Final = 210  # 30 of each class, where there are so many
SIDE: Final = 80  # pixels: of the paper's pictures
# Of those the face, as YuNet boxes it, is 1 / 0.81 of the side high, and its middle 0.08 of that
# above the picture's (mer.faces.detection.MARGIN).
PART: Final = 0.81
# YuNet's boxes beside those of the group photographs, which leave out brow and chin: medians of 43.
WIDER, HIGHER = 0.91, 1.17
HIT: Final = 0.3  # intersection over union from which a face counts as found
SEARCHED: Final = "levelled"  # the sweep whose leaning faces are searched and turned level


def measure(
    networks: Sequence[str], photographs: Path, source: Path, *, pictures: int = PICTURES
) -> dict[str, Any]:
    """Recall of the detector and accuracy of networks for every level of every sweep.

    Args:
        networks: names of networks.
        photographs: a folder with pictures and dlib's XML lists of boxed faces.
        source: the data set that the networks were trained on last.
        pictures: how many of its held-out pictures the networks get, about as many of each class;
            first those in which YuNet finds the face as they are.

    Returns:
        Valid JSON: `faces` and `pictures`, how many there are; the checksums of `networks` and
        `detector`; `command`, `time`, `machine`, `versions`; `sweeps`, for each of SWEEPS an entry
        a level, with `level`, `found` (of the faces), `right` (of the pictures, by network), and
        `sharpness` and `brightness` of the pictures (medians, see `mer.faces.quality.Quality`).

    Raises:
        WeightsError: a network's files are missing or damaged.
        DataError: there is nothing to measure, or it cannot be read.
        MerError: the data set is not the one that a network was trained on last.
    """
    from tqdm import tqdm

    from mer.faces import detection
    from mer.inference.predictor import get_predictor
    from mer.weights import provenance

    if not networks:
        raise DataError("There is no network to measure.")
    groups = scenes(photographs)
    predictors = {name: get_predictor(name) for name in networks}
    crops, labels = _held_out(list(predictors.values()), source, pictures)
    steps = [(name, level) for name, sweep in SWEEPS.items() for level in sweep.levels]
    sweeps: dict[str, list[dict[str, Any]]] = {name: [] for name in SWEEPS}
    asis: dict[str, Any] = {}  # the same at the first level of most sweeps
    for name, level in tqdm(steps, "measuring", leave=False, disable=None):
        unchanged = level == SWEEPS[name].asis
        if not (unchanged and asis):
            entry = _recall(groups, name, level)
            entry |= _accuracy(crops, labels, name, level, predictors)
            asis = entry if unchanged else asis
        sweeps[name].append({"level": level, **(asis if unchanged else entry)})
    return {
        "faces": sum(len(boxes) for _, boxes in groups),
        "pictures": len(labels),
        "networks": {name: one.record["file"]["sha256"] for name, one in predictors.items()},
        "detector": detection.SOURCE[1],
        "command": f"python -m benchmarks robustness --faces {photographs.name}"
        f" --data {source.name} --model {' '.join(networks)} --pictures {pictures}",
        "time": provenance.now(),
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        "sweeps": sweeps,
    }


def scenes(folder: Path) -> list[Scene]:
    """The photographs of a folder and their boxed faces as YuNet would box them.

    The boxes come from the XML lists in it, which are dlib's (WIDER, HIGHER).

    Raises:
        DataError: there is no list, or a list or a photograph cannot be read.
    """
    from mer.io import images

    found: list[Scene] = []
    try:
        for path in sorted(Path(folder).glob("*.xml")):
            for image in ElementTree.parse(path).iter("image"):
                keys = ("left", "top", "width", "height")
                boxes = [[float(box.attrib[key]) for key in keys] for box in image.iter("box")]
                if boxes:
                    photograph = images.read(path.parent / image.attrib["file"])
                    found.append((photograph, _as_yunets(np.array(boxes))))
    except (ElementTree.ParseError, KeyError, ValueError, MerError) as error:
        raise DataError(f"The lists of faces in {folder} cannot be read ({error}).") from error
    if not found:
        raise DataError(f"{folder} holds no XML list of boxed faces, as dlib writes them.")
    return found


def _as_yunets(boxes: Boxes) -> Boxes:
    sizes = boxes[:, 2:] * (WIDER, HIGHER)
    return np.hstack([boxes[:, :2] + boxes[:, 2:] / 2 - sizes / 2, sizes])


def save(result: Mapping[str, Any]) -> Path:
    """Keep the result of `measure` beside the weights; return where."""
    from mer.io import files
    from mer.weights import store

    files.write_json(store.FOLDER / FILE, result)
    return store.FOLDER / FILE


def _held_out(
    predictors: Sequence["Predictor"], source: Path, pictures: int
) -> tuple[list[Scene], NDArray[np.int64]]:
    from mer.data import dataset

    stages = [one.record["training"]["stages"][-1] for one in predictors]
    splits = {(one["settings"]["validation"], one["settings"]["seed"]) for one in stages}
    sets = [{part["fingerprint"] for part in one["data"]} for one in stages]
    if len(splits) > 1 or not set.intersection(*sets):
        raise MerError("The networks held out different pictures. Measure them one by one.")
    fewest = min(range(len(sets)), key=lambda row: len(sets[row]))  # what all have in common
    pixels, labels = dataset.held_out(predictors[fewest].record, source, SIDE)
    order = np.random.default_rng(0).permutation(len(labels))
    made = [_as_scene(picture) for picture in pixels]
    order = np.array(sorted(order, key=lambda row: not _seen(*made[row])))  # stable
    each = [order[labels[order] == label] for label in np.unique(labels)]
    rows = np.sort(np.concatenate([some[: pictures // len(each)] for some in each]))
    return [made[row] for row in rows], labels[rows]


def _seen(picture: Picture, boxes: Boxes) -> bool:
    """Whether YuNet finds the face: repeated edges hide one in ten, whatever its roll."""
    from mer.faces import detection

    return any(detection.iou(one.box, boxes[0]) >= HIT for one in detection.detect(picture))


def _as_scene(picture: Picture) -> Scene:
    """A picture set into a wider one by repeating its edges, and the box that YuNet would give."""
    wide = np.pad(picture, [(SIDE, SIDE), (SIDE, SIDE), (0, 0)], mode="edge")
    high = SIDE / PART
    left = (len(wide) - high) / 2
    return wide, np.array([[left, left - 0.08 * high, high, high]])


def _recall(groups: Sequence[Scene], name: str, level: float) -> dict[str, Any]:
    """How many boxed faces are found at a level."""
    from mer.faces import detection, rotation

    rng = np.random.default_rng(0)
    detect = rotation.detect if name == SEARCHED else detection.detect
    found = 0
    for photograph, boxes in groups:
        picture, places = CHANGES[name](photograph, boxes, level, rng)
        seen = [face.box for face in detect(picture)]
        found += sum(any(detection.iou(place, box) >= HIT for box in seen) for place in places)
    return {"found": found}


def _accuracy(
    crops: Sequence[Scene],
    labels: NDArray[np.int64],
    name: str,
    level: float,
    predictors: Mapping[str, "Predictor"],
) -> dict[str, Any]:
    """How many pictures each network names right at a level, and what they are like."""
    from mer.faces import quality
    from mer.faces.detection import Face
    from mer.weights.onnx_session import one_thread

    rng = np.random.default_rng(0)
    shown = [_cut(*CHANGES[name](*scene, level, rng), searched=name == SEARCHED) for scene in crops]
    with one_thread():
        answers = {name: one.classify(shown).argmax(axis=1) for name, one in predictors.items()}
    whole = [(one, Face((0, 0, len(one), len(one)), 1.0)) for one in shown]
    measured = [quality.measure(*one) for one in whole]
    return {
        "right": {name: int((answer == labels).sum()) for name, answer in answers.items()},
        "sharpness": float(np.median([one.sharpness for one in measured])),
        "brightness": float(np.median([one.brightness for one in measured])),
    }


def _cut(picture: Picture, boxes: Boxes, *, searched: bool) -> Picture:
    """The picture inside the wider one: the crop that a perfect detector would lead to."""
    from mer.faces import rotation

    if searched:
        picture = rotation.turned(picture, _roll(picture, boxes))[0]
    side = max(1, round(PART * boxes[0, 3]))
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def _roll(picture: Picture, boxes: Boxes) -> float:
    """The roll that is found for the face; 0 where none is found."""
    from mer.faces import detection, rotation

    found = [one for one in rotation.detect(picture) if detection.iou(one.box, boxes[0]) >= HIT]
    return max(found, key=lambda face: face.score).roll if found else 0.0
