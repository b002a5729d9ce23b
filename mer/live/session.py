"""A visitor's live view: frames in, one at a time; who is in each and what they look like out."""

import math
import time
from collections import deque
from typing import Any, Final

import cv2
import numpy as np

from mer.emotions import EMOTIONS
from mer.errors import ImageError
from mer.faces import detection
from mer.faces.detection import Face
from mer.inference.predictor import get_predictor_of_seven
from mer.inference.probabilities import LOOK_MS, SMOOTHING_MS
from mer.io.video import Frame
from mer.live.person import Watched
from mer.models.registry import DEFAULT_MODEL
from mer.video.tracking.tracker import Tracker
from mer.weights.onnx_session import one_thread

LONG_SIDE: Final = 640  # pixels, to which larger frames are shrunk
# Pixels, to which they are shrunk to be searched. In the project's five clips YuNet finds as many
# faces at 320 as at 640, in a quarter of the time; a face needs a width of about 25 pixels at 640.
SEARCHED: Final = 320
SMOOTHEST_MS: Final = 5_000.0
LOOKING: Final = 4.0  # times as long as the looks in a frame took, until the next ones are due
SELDOM_MS: Final = 1_000.0  # and at most so long
FACES_A_FRAME: Final = 4  # that are looked at; of more, those that have waited longest
REMEMBERED: Final = 64  # people; of more, those seen longest ago are forgotten
RATE_MS: Final = 3_000.0  # over which the frames a second are counted


class Live:
    """What is known of everybody whom one camera shows; for one thread at a time.

    It holds one frame in gray, and of at most REMEMBERED people numbers only: not pictures.
    """

    def __init__(self) -> None:
        """Begin with nobody, and with the default network; raises WeightsError as `choose` does."""
        self._detector = "yunet"
        self._predictor = get_predictor_of_seven(DEFAULT_MODEL)
        self._tracker = _tracker(self._detector)
        self._people: dict[int, Watched] = {}
        self._rest = False  # whether it was asked for, and nobody has been in sight since
        self._frames = 0
        self._last_ms = -math.inf
        self._look_ms = LOOK_MS  # between two looks at a face; longer for slow networks
        self._answered: deque[float] = deque(maxlen=256)  # seconds, on this computer's clock
        self._answer: dict[str, Any] = {"size": [0, 0], "people": []}

    def choose(self, model: str, detector: str) -> None:
        """Go on with this network and detector; what others said is forgotten.

        People keep their numbers where the detector stays the same.

        Raises:
            WeightsError: there is no such network, or its files are missing or damaged.
        """
        if (model, detector) == (self._predictor.model, self._detector):
            return
        self._predictor = get_predictor_of_seven(model)
        self._look_ms = LOOK_MS
        self._people.clear()
        if detector != self._detector:
            self._detector, self._tracker = detector, _tracker(detector)

    def see(
        self,
        image: np.ndarray,
        time_ms: float,
        *,
        smoothing_ms: float = SMOOTHING_MS,
        rest: bool = False,
        insist: bool = False,
    ) -> dict[str, Any]:
        """What the next frame shows, as valid JSON. One older than the last only repeats that.

        Args:
            image: RGB uint8 (height, width, 3).
            time_ms: on any clock of the camera's side that goes on evenly.
            smoothing_ms: time constant of the probabilities; 0 to 5000, others are clipped.
            rest: watch the resting face of everybody in sight for three seconds, from now or, where
                nobody is, from the next time that somebody is.
            insist: take the faces that were refused as resting ones all the same.

        Returns:
            `size`: width and height in which boxes are given; `people`: for each in sight
            `number`, `box` (x, y, width, height), `emotion` and `certainty` (None before the first
            look), `sure` and `concerns` (see `mer.inference.predictor.Prediction`), and what
            `Watched.told` says; `timings`: `work_ms` of this frame and `frames_per_second` of late.

        Raises:
            ImageError: the picture is empty or no RGB uint8.
            MerError: no detector has the chosen name.
        """
        began = time.perf_counter()
        if image.ndim != 3 or image.shape[2] != 3 or not image.size or image.dtype != np.uint8:
            raise ImageError("The camera's picture is empty or has no colours. Start it again.")
        if self._last_ms < time_ms < math.inf:
            self._last_ms = time_ms
            self._answer = self._seen(_fitted(image), time_ms, _clipped(smoothing_ms), rest, insist)
        return self._answer | {"timings": self._timings(began)}

    def _seen(
        self, image: np.ndarray, time_ms: float, smoothing_ms: float, rest: bool, insist: bool
    ) -> dict[str, Any]:
        self._frames += 1
        shown = self._tracker.follow(Frame(self._frames, time_ms, image))
        people = self._met([number for number, _ in shown])
        self._rest |= rest
        for person in people.values() if self._rest else ():
            person.rest(time_ms)
        for person in people.values() if insist else ():
            person.insist()
        self._rest &= not people  # nobody in sight: whoever comes next is meant
        self._look(image, shown, time_ms, smoothing_ms)
        way = "smoothed" if smoothing_ms else "quick"
        told = [self._told(number, face, time_ms, way) for number, face in shown]
        return {"size": [image.shape[1], image.shape[0]], "people": told}

    def _met(self, numbers: list[int]) -> dict[int, Watched]:
        """Those of these numbers, who are now the last to be forgotten."""
        people = {number: self._people.pop(number, Watched()) for number in numbers}
        self._people |= people
        while len(self._people) > max(REMEMBERED, len(people)):
            del self._people[next(iter(self._people))]
        return people

    def _look(
        self,
        image: np.ndarray,
        shown: list[tuple[int, Face]],
        time_ms: float,
        smoothing_ms: float,
    ) -> None:
        """Have the network look at those faces whose turn it is."""
        waiting = sorted((self._people[number].looked_ms, number, face) for number, face in shown)
        due = [one for one in waiting if time_ms - one[0] >= self._look_ms][:FACES_A_FRAME]
        if not due:
            return
        began = time.thread_time()
        with one_thread():  # the frames of other visitors are in work beside this one
            found = [face for *_, face in due]
            crops = [detection.crop(image, face) for face in found]
            predictions = self._predictor.judge(crops, found, quick=True)
        cost_ms = 1000 * (time.thread_time() - began)
        self._look_ms = min(max(LOOK_MS, LOOKING * cost_ms), SELDOM_MS)
        for (_, number, _), prediction in zip(due, predictions, strict=True):
            self._people[number].look(prediction, time_ms, smoothing_ms)

    def _told(self, number: int, face: Face, time_ms: float, way: str) -> dict[str, Any]:
        person = self._people[number]
        told = person.told(time_ms)
        probabilities = told["probabilities"]
        certainty = max(probabilities) if probabilities else None
        return {
            "number": number,
            "box": list(face.box),
            "emotion": EMOTIONS[probabilities.index(certainty)] if probabilities else None,
            "certainty": certainty,
            "sure": self._predictor.sure(probabilities or (), person.concerns, way=way),
            "concerns": list(person.concerns),
            **told,
        }

    def _timings(self, began: float) -> dict[str, float]:
        now = time.perf_counter()
        self._answered.append(now)
        late = [then for then in self._answered if 1000 * (now - then) <= RATE_MS]
        rate = (len(late) - 1) / (late[-1] - late[0]) if len(late) > 1 else 0.0
        return {"work_ms": round(1000 * (now - began), 1), "frames_per_second": round(rate, 1)}


def _tracker(detector: str) -> Tracker:
    return Tracker(detector, LONG_SIDE if detector == "haar" else SEARCHED)


def _fitted(image: np.ndarray) -> np.ndarray:
    scale = LONG_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _clipped(smoothing_ms: float) -> float:
    return min(max(smoothing_ms, 0.0), SMOOTHEST_MS) if math.isfinite(smoothing_ms) else 0.0
