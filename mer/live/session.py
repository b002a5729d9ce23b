"""A visitor's live view: frames in, one at a time; who is in each and what they look like out."""

import math
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from mer.emotions import EMOTIONS
from mer.errors import ImageError
from mer.faces import detection
from mer.faces.detection import Face
from mer.inference.predictor import Prediction, get_predictor_of_seven
from mer.inference.probabilities import LOOK_MS, SMOOTHING_MS, smoothed
from mer.io.video import Frame
from mer.models.registry import DEFAULT_MODEL
from mer.video.tracking.tracker import Tracker, shrunk
from mer.weights.onnx_session import one_thread

LONG_SIDE: Final = 640  # pixels, to which larger frames are shrunk
# Pixels, to which they are shrunk to be searched. In the project's five clips YuNet finds as many
# faces at 320 as at 640, in a quarter of the time; a face needs a width of about 25 pixels at 640.
SEARCHED: Final = 320
LOOKING: Final = 4.0  # times as long as the looks in a frame took, until the next ones are due
SELDOM_MS: Final = 1_000.0  # and at most so long
FACES_A_FRAME: Final = 4  # that are looked at; of more, those that have waited longest
REMEMBERED: Final = 64  # people; of more, those seen longest ago are forgotten
RATE_MS: Final = 3_000.0  # over which the frames a second are counted

TRAIL_MS: Final = 10_000.0  # how far back the trail of a person goes
GAP_MS: Final = 2_000.0  # longer without a look, and the smoothing begins anew
RESTING_MS: Final = 3_000.0  # that a resting face is watched
LEAST_LOOKS: Final = 4  # at it: what fewer say is no mean
# A resting face is neutral in most looks and stays where it is; a network may read a neutral face
# otherwise in a look or two, and nobody sits like a stone. Both set by hand, not measured.
LEAST_NEUTRAL: Final = 0.75  # share of the looks in which neutral is the likeliest
MOST_MOVED: Final = 0.25  # of the face's width, from the median of its places
DIGITS: Final = 3  # of what is told: tenths of a per cent


class Live:
    """What is known of everybody whom one camera shows; for one thread at a time.

    It holds one frame in gray, and of at most REMEMBERED people numbers only: not pictures.
    """

    def __init__(self) -> None:
        """Begin with nobody, and with the default network; raises WeightsError as `choose` does."""
        self._predictor = get_predictor_of_seven(DEFAULT_MODEL)
        self._tracker = Tracker("yunet", SEARCHED)
        self._people: dict[int, Watched] = {}
        self._rest = False  # whether it was asked for, and nobody has been in sight since
        self._last_ms = -math.inf
        self._look_ms = LOOK_MS  # between two looks at a face; longer for slow networks
        self._answered: deque[float] = deque(maxlen=256)  # seconds, on this computer's clock
        self._answer: dict[str, Any] = {"size": [0, 0], "people": []}

    def choose(self, model: str, detector: str) -> None:
        """Go on with this network and detector; what others said is forgotten.

        People keep their numbers where the detector stays the same. Raises a WeightsError where
        there is no such network, or its files are missing or damaged.
        """
        if (model, detector) == (self._predictor.model, self._tracker.detector):
            return
        self._predictor, self._look_ms = get_predictor_of_seven(model), LOOK_MS
        self._people.clear()
        if detector != self._tracker.detector:
            self._tracker = Tracker(detector, LONG_SIDE if detector == "haar" else SEARCHED)

    def see(
        self,
        image: np.ndarray,
        time_ms: float,
        *,
        rest: bool = False,
        insist: bool = False,
    ) -> dict[str, Any]:
        """What the next frame shows, as valid JSON. One older than the last only repeats that.

        Args:
            image: RGB uint8 (height, width, 3).
            time_ms: on any clock of the camera's side that goes on evenly.
            rest: watch the resting face of everybody in sight, or who comes next, for 3 seconds.
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
            self._answer = self._seen(shrunk(image, LONG_SIDE), rest, insist)
        now = time.perf_counter()
        self._answered.append(now)
        late = [then for then in self._answered if 1000 * (now - then) <= RATE_MS]
        rate = (len(late) - 1) / (late[-1] - late[0]) if len(late) > 1 else 0.0
        timings = {"work_ms": round(1000 * (now - began), 1), "frames_per_second": round(rate, 1)}
        return self._answer | {"timings": timings}

    def _seen(self, image: np.ndarray, rest: bool, insist: bool) -> dict[str, Any]:
        shown = self._tracker.follow(Frame(0, self._last_ms, image))  # its number is not asked for
        people = {number: self._people.pop(number, Watched()) for number, _ in shown}
        self._people |= people  # whoever is in sight is now the last to be forgotten
        while len(self._people) > max(REMEMBERED, len(people)):
            del self._people[next(iter(self._people))]
        self._rest |= rest
        for person in people.values():
            if self._rest:
                person.rest(self._last_ms)
            if insist:
                person.insist()
        self._rest &= not people  # nobody in sight: whoever comes next is meant
        self._look(image, shown)
        told = [self._told(number, face) for number, face in shown]
        return {"size": [image.shape[1], image.shape[0]], "people": told}

    def _look(self, image: np.ndarray, shown: list[tuple[int, Face]]) -> None:
        """Have the network look at the faces whose turn it is."""
        waiting = sorted((self._people[number].looked_ms, number, face) for number, face in shown)
        due = [one for one in waiting if self._last_ms - one[0] >= self._look_ms][:FACES_A_FRAME]
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
            self._people[number].look(prediction, self._last_ms)

    def _told(self, number: int, face: Face) -> dict[str, Any]:
        person = self._people[number]
        told = person.told(self._last_ms)
        probabilities = told["probabilities"]
        certainty = max(probabilities) if probabilities else None
        return {
            "number": number,
            "box": list(face.box),
            "emotion": EMOTIONS[probabilities.index(certainty)] if probabilities else None,
            "certainty": certainty,
            "sure": self._predictor.sure(probabilities or (), person.concerns, way="smoothed"),
            "concerns": list(person.concerns),
            **told,
        }


class Watched:
    """One person: what they look like now, lately (for TRAIL_MS), and against their own rest.

    Probabilities are smoothed by an exponential mean over time, so that the rate of the looks does
    not matter. Changes against the resting face are differences of probabilities, smoothed minus
    the mean over the resting time, and not of their logarithms: these would jump where a class
    goes from 0.1 to 1 per cent. A class that is likely at rest can rise only little.
    """

    def __init__(self) -> None:
        self.looked_ms = -np.inf  # time of the last look
        self.concerns: tuple[str, ...] = ()  # why the face could hardly be judged then
        # Time of each look, and the probabilities smoothed up to it.
        self._trail: deque[tuple[float, np.ndarray]] = deque(maxlen=int(TRAIL_MS / LOOK_MS) + 1)
        self._resting: np.ndarray | None = None
        self._resting_until: float | None = None  # while the resting face is watched
        self._looks: list[Prediction] = []  # at the resting face
        self._refused: tuple[str, np.ndarray] | None = None  # why, and the mean it would have had

    def look(
        self, prediction: Prediction, time_ms: float, smoothing_ms: float = SMOOTHING_MS
    ) -> None:
        """Take in what a network says, with a time constant in ms; 0 smooths not."""
        probabilities, elapsed = np.array(prediction.probabilities), time_ms - self.looked_ms
        if elapsed <= GAP_MS:
            probabilities = smoothed(self._trail[-1][1], probabilities, elapsed, smoothing_ms)
        self.looked_ms, self.concerns = time_ms, prediction.concerns
        self._trail.append((time_ms, probabilities))
        if self._resting_until is not None and time_ms < self._resting_until:
            self._looks.append(prediction)

    def rest(self, time_ms: float) -> None:
        """Begin to watch the resting face, for RESTING_MS; an earlier one is forgotten."""
        self._resting = self._refused = None
        self._resting_until, self._looks = time_ms + RESTING_MS, []

    def insist(self) -> None:
        """Take the face that was refused for the resting one all the same."""
        if self._refused is not None:
            self._resting, self._refused = self._refused[1], None

    def told(self, time_ms: float) -> dict[str, Any]:
        """All that is known, as valid JSON.

        Returns:
            `probabilities`: 7, smoothed, None before the first look; `change`: 7 differences,
            -1..1, None without a resting face; `resting_ms`: what is left of watching it, None
            where nobody does; `refused`: why what was watched is no resting face, or None;
            `trail`: `ms` before now and the 7 `probabilities` of each look.
        """
        if self._resting_until is not None and time_ms >= self._resting_until:
            self._end_rest()
        trail = [one for one in self._trail if time_ms - one[0] <= TRAIL_MS]
        known = self._trail[-1][1] if self._trail else None
        resting, until = self._resting, self._resting_until
        return {
            "probabilities": None if known is None else _rounded(known),
            "change": None if known is None or resting is None else _rounded(known - resting),
            "resting_ms": None if until is None else round(until - time_ms),
            "refused": self._refused and self._refused[0],
            "trail": {
                "ms": [round(time_ms - then) for then, _ in trail],
                "probabilities": [_rounded(shares) for _, shares in trail],
            },
        }

    def _end_rest(self) -> None:
        self._resting_until = None
        if len(self._looks) >= LEAST_LOOKS:
            mean = np.mean([look.probabilities for look in self._looks], axis=0)
            reason = _restless(self._looks)
            self._resting, self._refused = (None, (reason, mean)) if reason else (mean, None)


def _restless(looks: Sequence[Prediction]) -> str:
    """Why these looks show no resting face: 'looked like happiness', 'moved'; "" if they do."""
    seen = [look.emotion for look in looks]
    if seen.count("neutral") < LEAST_NEUTRAL * len(seen):
        return f"looked like {max(set(seen) - {'neutral'}, key=seen.count)}"
    boxes = np.array([look.face.box for look in looks])
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    moved = np.linalg.norm(middles - np.median(middles, axis=0), axis=1).max()
    return "moved" if moved > MOST_MOVED * np.median(boxes[:, 2]) else ""


def _rounded(values: np.ndarray) -> list[float]:
    return np.round(values, DIGITS).tolist()  # type: ignore[no-any-return]
