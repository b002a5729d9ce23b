"""Runs the package `fer` on a job; started by `rivals` in an environment that has it.

It stands alone: nothing of mer is imported, and what it prints is one JSON object.
"""

import json
import sys
import time
from typing import Any

import numpy as np
from fer.fer import FER

NAMES = {"angry": "anger", "happy": "happiness", "sad": "sadness"}  # what mer calls otherwise


def main() -> None:
    """Read the job from stdin, print times and answers."""
    job, detector = json.load(sys.stdin), FER()
    frames = {one["name"]: _pixels(one) for one in job["frames"]}
    times = {name: _times(detector, frame, job["repeats"]) for name, frame in frames.items()}
    found = {name: len(detector.detect_emotions(frame)) for name, frame in frames.items()}
    answers = [_answer(detector, picture) for picture in _pictures(job["pictures"])]
    print(json.dumps({"times": times, "faces": found, "answers": answers}))


def _pixels(one: dict[str, Any]) -> np.ndarray:
    pixels = np.fromfile(one["file"], np.uint8).reshape(one["height"], one["width"], 3)
    return np.ascontiguousarray(pixels[..., ::-1])  # it wants BGR


def _pictures(one: dict[str, Any] | None) -> np.ndarray:
    if one is None:
        return np.empty((0, 1, 1, 3), np.uint8)
    pixels = np.fromfile(one["file"], np.uint8).reshape(-1, one["side"], one["side"], 3)
    return np.ascontiguousarray(pixels[..., ::-1])


def _times(detector: FER, frame: np.ndarray, repeats: int) -> list[float]:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        detector.detect_emotions(frame)
        times.append(1000 * (time.perf_counter() - began))
    return times


def _answer(detector: FER, picture: np.ndarray) -> str:
    """What a picture that is all face looks like."""
    side = len(picture)
    (face,) = detector.detect_emotions(picture, face_rectangles=[(0, 0, side, side)])
    likeliest: str = max(face["emotions"], key=face["emotions"].get)
    return NAMES.get(likeliest, likeliest)


main()
