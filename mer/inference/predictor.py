"""From a picture to predictions: the one way of the page, the command line and the API."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from mer.emotions import EMOTIONS
from mer.errors import MerError
from mer.faces import detection, measures, quality, rotation
from mer.faces.detection import Face
from mer.faces.measures import Measures
from mer.inference import backends, probabilities
from mer.io import images
from mer.models.registry import DEFAULT_MODEL
from mer.weights import store

BATCH: Final = 128  # faces classified at once, which bounds the memory for a crowd


@dataclass(frozen=True)
class Prediction:
    """A face and what it looks like."""

    face: Face
    probabilities: tuple[float, ...]  # of each of `classes`, in their order; they sum to 1
    sure: bool = True  # see `mer.inference.probabilities`
    concerns: tuple[str, ...] = ()  # why it can hardly be judged, see `mer.faces.quality`
    classes: tuple[str, ...] = EMOTIONS
    measures: Measures | None = None  # where they were asked for and the face's points were found

    @property
    def emotion(self) -> str:
        """The class with the highest probability, the first one of equal ones."""
        return self.classes[int(np.argmax(self.probabilities))]

    @property
    def probability(self) -> float:
        """The probability of `emotion`, 0..1."""
        return max(self.probabilities)


class Predictor:
    """A face detector and a network. Threads may share it, since predicting changes nothing."""

    def __init__(
        self, model: str = DEFAULT_MODEL, *, detector: str = "yunet", folder: Path | None = None
    ) -> None:
        """Load a network by its name, from `folder` or from where the shipped ones lie.

        Raises WeightsError: its files are missing, damaged or foreign; MerError: no such detector.
        """
        detection.check_name(detector)
        self.model, self.detector = model, detector
        self.record, self._network = _loaded(model, folder)
        self.classes = store.classes(self.record)
        self.size = self._network.size  # pixels a side of the network's input
        fitted = self.record.get("calibration", {})
        self.temperature: float = fitted.get("temperature", 1.0)
        self.thresholds = probabilities.thresholds(self.record)
        self.zooms: tuple[float, ...] = tuple(fitted.get("zooms", (1.0,)))  # of the views of a crop

    def predict(
        self, image: np.ndarray, *, quick: bool = False, measure: bool = False
    ) -> list[Prediction]:
        """Predict every face of an RGB uint8 picture (height, width, 3), from left to right.

        Args:
            image: the picture, searched as `mer.faces.rotation` says.
            quick: for frames of a stream: upright faces, looked for in a small copy first
                (see `mer.faces.detection.detect`) and classified in one view (see `classify`).
            measure: measure each face too (see `mer.faces.measures`), in 20 ms more.
        """
        found = self.detect(image, quick=quick)
        judged = self.judge([detection.crop(image, one) for one in found], found, quick=quick)
        return measured(image, judged) if measure else judged

    def detect(self, image: np.ndarray, *, quick: bool = False) -> list[Face]:
        """The faces that `predict` answers for; another network can `judge` the same ones."""
        if quick:
            return detection.detect(image, self.detector, quick=True)
        return quality.mark_covered(image, rotation.detect(image, self.detector))

    def judge(
        self, crops: Sequence[np.ndarray], found: Sequence[Face], *, quick: bool = False
    ) -> list[Prediction]:
        """What faces look like, in their order, each with its crop as `detection.crop` cuts it."""
        rows = self.classify(crops, quick=quick).tolist()
        way = "quick" if quick else "views"
        judged = []
        for crop, face, row in zip(crops, found, rows, strict=True):
            why = quality.concerns(quality.measure(crop, face))
            sure = self.sure(row, why, way=way)
            judged.append(Prediction(face, tuple(row), sure, why, self.classes))
        return judged

    def classify(self, crops: Sequence[np.ndarray], *, quick: bool = False) -> np.ndarray:
        """Probabilities, float64 (n, classes), of n face crops, RGB uint8 squares of any size.

        They are the mean over views: the crop and, for the networks that it helps, its middle,
        each with its mirror image. A `quick` answer is that of the crop alone.
        """
        zooms = (1.0,) if quick else self.zooms
        logits = self.logits(crops, zooms, mirrored=not quick)
        return probabilities.temperature_softmax(logits, self.temperature)

    def sure(
        self, chances: Sequence[float], concerns: Sequence[str] = (), *, way: str = "views"
    ) -> bool:
        """Whether an answer is sure: probabilities of the classes, given in one of `WAYS`.

        None is never sure, nor is one of a face that can hardly be judged, whatever the concerns.
        """
        if concerns or not len(chances):
            return False
        return bool(probabilities.is_sure([chances], list(self.thresholds[way].values()))[0])

    def logits(
        self, crops: Sequence[np.ndarray], zooms: Sequence[float], *, mirrored: bool = True
    ) -> np.ndarray:
        """Compute the logits of n crops at these zooms (1: the whole crop, 2: its middle half).

        Float32 (views, n, classes): at each zoom the crop, then its mirror image if `mirrored`.
        """
        if not len(crops):
            return np.zeros(((1 + mirrored) * len(zooms), 0, len(self.classes)), np.float32)
        return np.concatenate([self._seen(crops, zoom, mirrored) for zoom in zooms])

    def _seen(self, crops: Sequence[np.ndarray], zoom: float, mirrored: bool) -> np.ndarray:
        """Logits, float32 (1 + mirrored, n, classes), at one zoom."""
        edges = [round(len(crop) * (1 - 1 / zoom) / 2) for crop in crops]  # left out on each side
        pixels = [
            images.resize(crop[edge : len(crop) - edge, edge : len(crop) - edge], self.size)
            for crop, edge in zip(crops, edges, strict=True)
        ]
        parts = [
            self._network(np.stack(pixels[start : start + BATCH]), mirrored)
            for start in range(0, len(pixels), BATCH)
        ]
        return np.concatenate(parts, axis=1)


def _loaded(
    model: str, folder: Path | None
) -> tuple[store.Record, backends.OnnxNetwork | backends.TorchNetwork]:
    """Return a network's record, and its ONNX graph or, where none fits, the torch network."""
    architecture = store.architecture(model, folder=folder)
    arrays, record = store.arrays(model, folder=folder)
    if not backends.fits(architecture, record.get("options", {})):
        return record, backends.TorchNetwork(model, folder=folder)
    try:
        return record, backends.OnnxNetwork(architecture, arrays)
    except ValueError as error:
        raise store.foreign(model, folder) from error


@functools.cache
def get_predictor(model: str = DEFAULT_MODEL, detector: str = "yunet") -> Predictor:
    """Return the predictor of this network and detector, which is loaded once a process."""
    return Predictor(model, detector=detector)


def get_predictor_of_seven(model: str = DEFAULT_MODEL, detector: str = "yunet") -> Predictor:
    """Return a predictor for the live view. Raises MerError for other classes than the seven."""
    predictor = get_predictor(model, detector)
    if predictor.classes != EMOTIONS:
        raise MerError(
            f"{model} tells other classes apart than the seven that the live view shows. Choose "
            "another network, or capture a picture."
        )
    return predictor


def measured(image: np.ndarray, found: Sequence[Prediction]) -> list[Prediction]:
    """What was found in an RGB uint8 picture, with each face measured (`mer.faces.measures`)."""
    return [replace(one, measures=measures.measure(image, one.face)) for one in found]


def predict_image(image: np.ndarray, model: str = DEFAULT_MODEL) -> str:
    """The paper's `predict_image`: what a face crop (RGB uint8, any size) looks like."""
    predictor = get_predictor(model)
    return predictor.classes[int(predictor.classify([image])[0].argmax())]
