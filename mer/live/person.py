"""One person in front of a camera: what they look like now, lately, and against their own rest."""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from mer.inference.predictor import Prediction
from mer.inference.probabilities import LOOK_MS, smoothed

TRAIL_MS: Final = 10_000.0  # how far back the trail goes
GAP_MS: Final = 2_000.0  # longer without a look, and the smoothing begins anew
RESTING_MS: Final = 3_000.0  # that a resting face is watched
LEAST_LOOKS: Final = 4  # at it: what fewer say is no mean
# A resting face is neutral in most looks and stays where it is; a network may read a neutral face
# otherwise in a look or two, and nobody sits like a stone. Both set by hand, not measured.
LEAST_NEUTRAL: Final = 0.75  # share of the looks in which neutral is the likeliest
MOST_MOVED: Final = 0.25  # of the face's width, from the median of its places

_DIGITS: Final = 3  # of what is told: tenths of a per cent


class Watched:
    """What is known of one person; memory is bounded by the length of the trail.

    Probabilities are smoothed by an exponential mean over time, so that the rate of the looks does
    not matter. Changes against the resting face are differences of probabilities, smoothed minus
    the mean over the resting time, and not of their logarithms: they have the unit of what stands
    beside them, sum to zero, and a class that goes from 0.1 to 1 per cent stays the nothing that
    it is, where its logarithm would jump. A class that is likely at rest can rise only little.

    Attributes:
        looked_ms: time of the last look, -inf before the first.
        concerns: why the face could hardly be judged then, see `mer.faces.quality`.
    """

    def __init__(self) -> None:
        self.looked_ms = -np.inf
        self.concerns: tuple[str, ...] = ()
        self._smooth: np.ndarray | None = None
        self._trail: deque[tuple[float, np.ndarray]] = deque(maxlen=int(TRAIL_MS / LOOK_MS) + 1)
        self._resting: np.ndarray | None = None
        self._resting_until: float | None = None  # while the resting face is watched
        self._looks: list[Prediction] = []  # at the resting face
        self._refused: tuple[str, np.ndarray] | None = None  # why, and the mean it would have had

    def look(self, prediction: Prediction, time_ms: float, smoothing_ms: float) -> None:
        """Take in what a network says, with a time constant in ms; 0 smooths not."""
        probabilities = np.array(prediction.probabilities)
        elapsed = time_ms - self.looked_ms
        if self._smooth is None or elapsed > GAP_MS:
            self._smooth = probabilities
        else:
            self._smooth = smoothed(self._smooth, probabilities, elapsed, smoothing_ms)
        self.looked_ms, self.concerns = time_ms, prediction.concerns
        self._trail.append((time_ms, self._smooth))
        if self._resting_until is not None and time_ms < self._resting_until:
            self._looks.append(prediction)

    def rest(self, time_ms: float) -> None:
        """Begin to watch the resting face, for RESTING_MS; an earlier one is forgotten."""
        self._resting, self._resting_until = None, time_ms + RESTING_MS
        self._refused = None
        self._looks.clear()

    def insist(self) -> None:
        """Take the face that was refused for the resting one all the same."""
        if self._refused is not None:
            self._resting, self._refused = self._refused[1], None

    def told(self, time_ms: float) -> dict[str, Any]:
        """All that is known, as valid JSON.

        Returns:
            `probabilities`: 7, smoothed, None before the first look; `change`: 7 differences,
            -1..1, None without a resting face; `resting_ms`: what is left of watching it, None
            where nobody does; `refused`: why what was watched is no resting
            face, or None; `trail`: `ms` before now and the 7 `probabilities` of each look.
        """
        self._end_rest(time_ms)
        trail = [one for one in self._trail if time_ms - one[0] <= TRAIL_MS]
        left = None if self._resting_until is None else self._resting_until - time_ms
        change = None
        if self._smooth is not None and self._resting is not None:
            change = _told(self._smooth - self._resting)
        return {
            "probabilities": None if self._smooth is None else _told(self._smooth),
            "change": change,
            "resting_ms": None if left is None else round(left),
            "refused": None if self._refused is None else self._refused[0],
            "trail": {
                "ms": [round(time_ms - then) for then, _ in trail],
                "probabilities": [_told(smooth) for _, smooth in trail],
            },
        }

    def _end_rest(self, time_ms: float) -> None:
        if self._resting_until is None or time_ms < self._resting_until:
            return
        if len(self._looks) >= LEAST_LOOKS:
            mean = np.mean([look.probabilities for look in self._looks], axis=0)
            reason = _restless(self._looks)
            self._refused = (reason, mean) if reason else None
            self._resting = None if reason else mean
        self._resting_until = None
        self._looks.clear()


def _restless(looks: Sequence[Prediction]) -> str:
    """Why these looks show no resting face: 'looked like happiness', 'moved'; "" if they do."""
    seen = [look.emotion for look in looks]
    if seen.count("neutral") < LEAST_NEUTRAL * len(seen):
        return f"looked like {max(set(seen) - {'neutral'}, key=seen.count)}"
    boxes = np.array([look.face.box for look in looks])
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    moved = np.linalg.norm(middles - np.median(middles, axis=0), axis=1).max()
    return "moved" if moved > MOST_MOVED * np.median(boxes[:, 2]) else ""


def _told(values: np.ndarray) -> list[float]:
    rounded: list[float] = np.round(values, _DIGITS).tolist()
    return rounded
