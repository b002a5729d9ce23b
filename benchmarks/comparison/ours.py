"""The same job by ourselves, and by the chain that the paper describes."""

from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np
import torch

from benchmarks.comparison.rivals import REPEATS, WARM_UP, Result
from mer.faces import detection
from mer.inference.predictor import Predictor
from mer.inference.speed import milliseconds
from mer.io import images
from mer.weights import store


def mer(
    model: str, frames: Mapping[str, np.ndarray], pictures: np.ndarray | None, *, quick: bool = True
) -> Result:
    """The whole way of `Predictor.predict`, with YuNet; `quick` as for frames of a stream."""
    predictor = Predictor(model)
    answers: list[str] = []
    if pictures is not None:
        rows = predictor.classify(list(pictures), quick=quick).argmax(1)
        answers = [predictor.classes[row] for row in rows.tolist()]
    return _timed(lambda frame: len(predictor.predict(frame, quick=quick)), frames, answers)


def paper(frames: Mapping[str, np.ndarray], pictures: np.ndarray | None) -> Result:
    """The paper's: Haar cascade, then its ResNet-18 in torch, face by face, one view each."""
    network, record = store.load("resnet18")
    classes = store.classes(record)

    def number(crop: np.ndarray) -> int:
        pixels = torch.from_numpy(images.resize(crop, network.size))
        with torch.inference_mode():
            return int(network(pixels.permute(2, 0, 1)[None].float() / 255).argmax())

    def look(frame: np.ndarray) -> int:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        boxes = np.reshape(cascade.detectMultiScale(gray, 1.1, 5), (-1, 4)).tolist()
        for x, y, width, height in boxes:
            number(frame[y : y + height, x : x + width])
        return len(boxes)

    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + detection.HAAR)
    answers = [] if pictures is None else [classes[number(one)] for one in pictures]
    return _timed(look, frames, answers)


def _timed(
    look: Callable[[np.ndarray], int], frames: Mapping[str, np.ndarray], answers: list[str]
) -> Result:
    times: dict[str, list[float]] = {}
    found: dict[str, int] = {}
    for name, frame in frames.items():
        times[name] = milliseconds(partial(look, frame), REPEATS, WARM_UP)
        found[name] = look(frame)
    return Result(times, found, answers)
