"""How far each region of a face moves, frame by frame, with the head's own motion taken out."""

from array import array
from typing import Final

import cv2
import numpy as np

from mer.faces import alignment
from mer.faces.alignment import SIZE
from mer.faces.detection import Face
from mer.video.motion import flow
from mer.video.types import REGIONS

VIEW: Final = 200  # pixels a side of the face whose flow is computed; 320 takes three times as long
RENEWED_MS: Final = 2000.0  # how long a reference frame serves, and until the face is still
LATEST_MS: Final = 6000.0  # how long it serves where the face is never still
STILL: Final = 0.4  # pixels within which a region stays on a face that is still
STILL_MS: Final = 200.0  # for at least so long
OVERLAP_MS: Final = 150.0  # in which old and new reference both measure, to join their signals
GAP_MS: Final = 500.0  # without the face for longer, nothing joins what is before and after
MISFIT: Final = 10.0  # pixels: a face that deviates more from its reference is hidden, or another
SHIFT: Final = 6.0  # pixels that the points must be off before they move the view
POINTS: Final = 0.2  # how much of a smaller difference is taken over each frame
CALM: Final = 0.4  # pixels of head motion that need no new view
SETTLED: Final = 3.0  # pixels of head motion up to which the flow is good as it is
TRIES: Final = 3  # views at most for one frame

REST_MS: Final = 10_000.0  # the stretch over which the middle position counts as rest
STEP_MS: Final = 200.0  # at which rest is computed

# Ellipses of the regions on the aligned face: centre and half axes, pixels.
ELLIPSES: Final = {
    "right brow": (100, 80, 45, 20),
    "between brows": (160, 85, 28, 22),
    "left brow": (220, 80, 45, 20),
    "right eye": (104, 120, 32, 17),
    "left eye": (216, 120, 32, 17),
    "nose": (160, 175, 38, 28),
    "right mouth corner": (112, 234, 28, 28),
    "lips": (160, 238, 32, 28),
    "left mouth corner": (208, 234, 28, 28),
}
MARGIN: Final = 10.0  # pixels from the edge of the picture that are not looked at
TEXTURE: Final = 150.0  # squared gray levels a pixel: gradients under which flow is mostly noise


class Window:
    """One reference frame, and the later frames' motion against it."""

    def __init__(self, time_ms: float, image: np.ndarray, face: Face) -> None:
        self.time_ms = time_ms
        self._transform = alignment.level(image, face)
        self._place = _place(self._transform, face)  # smoothed
        self._reference = flow.gray(alignment.warped(image, self._transform, VIEW))
        self._trust = _trust(image, self._transform, self._reference)
        self._weights = _weights(self._trust)

    def measure(self, image: np.ndarray, face: Face) -> np.ndarray | None:
        """Float (regions, 2): motion in pixels; None if the face is not what it was."""
        gone = _place(self._transform, face) - self._place
        if float(np.hypot(*gone)) > SHIFT:
            self._transform[:, 2] -= gone  # the head has moved far since the last frame
        else:
            self._place += POINTS * gone
        before = self._transform
        for _ in range(TRIES):
            view = flow.gray(alignment.warped(image, self._transform, VIEW))
            moved = flow.cells(flow.dense(self._reference, view))
            head, misfit = flow.head(moved, self._trust)
            most = flow.longest(head)
            if most > CALM:
                self._transform = flow.followed(self._transform, head)
            if most < SETTLED:
                break
        if misfit > MISFIT or most > SETTLED:
            self._transform = before  # what hides the face would lead the view away from it
            return None
        return np.asarray(self._weights @ flow.without(moved, head).reshape(-1, 2))


class Motion:
    """One person's motion, frame by frame: a few numbers a frame are kept, and two small views."""

    def __init__(self) -> None:
        self._times, self._vectors = array("d"), array("f")
        self._window: Window | None = None
        self._seen = -np.inf  # when the window last measured something
        self._base = np.zeros((len(REGIONS), 2))  # what the window's signal begins at
        self._next: Window | None = None  # the reference to come, while both measure
        self._steps: list[np.ndarray] = []  # old signal less new one, in the frames of both
        self._anchor, self._since = self._base, 0.0  # the signal has stayed near that since then

    def push(self, time_ms: float, image: np.ndarray, face: Face) -> None:
        """Measure the face in one more frame, RGB uint8, later than those before."""
        if self._window is None or time_ms - self._seen > GAP_MS:
            self._window, self._next = Window(time_ms, image, face), None
            self._base = self._anchor = np.zeros((len(REGIONS), 2))
            self._since = time_ms
        vectors = self._window.measure(image, face)
        signal = np.full((len(REGIONS), 2), np.nan) if vectors is None else vectors + self._base
        self._times.append(time_ms)
        self._vectors.extend(signal.ravel())
        if vectors is not None:
            self._seen = time_ms
            if np.abs(signal - self._anchor).max() > STILL:
                self._anchor, self._since = signal, time_ms
            age = time_ms - self._window.time_ms
            if age < RENEWED_MS or (time_ms - self._since < STILL_MS and age < LATEST_MS):
                self._next = None  # a reference taken while something moves would be a poor one
            else:
                self._renew(time_ms, image, face, signal)

    def _renew(self, time_ms: float, image: np.ndarray, face: Face, signal: np.ndarray) -> None:
        """Have a new reference measure beside the old one, and then in its place."""
        if self._next is None:
            self._next, self._steps = Window(time_ms, image, face), []
        vectors = self._next.measure(image, face)
        if vectors is None:
            self._next = None
            return
        self._steps.append(signal - vectors)
        if time_ms - self._next.time_ms >= OVERLAP_MS:
            self._base = np.mean(self._steps, axis=0)
            self._window, self._next = self._next, None

    def rest(self) -> None:
        """Give back the working memory, as when the face has been away for long."""
        self._window = self._next = None

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times of the frames in ms, float64 (n,), and motion in pixels of a face of 320.

        Of the motion first float32 (n, len(REGIONS)), how far each region is from rest, then
        (n, len(REGIONS), 2), how far it has moved since it was first seen, x to the right and y
        down; NaN where it could not be measured.
        """
        times = np.array(self._times)
        vectors = np.array(self._vectors, np.float32).reshape(-1, len(REGIONS), 2)
        rest = np.zeros_like(vectors)
        for part in stretches(times, vectors):
            rest[part] = _rest(times[part], vectors[part])
        return times, np.linalg.norm(vectors - rest, axis=2), vectors


def stretches(times_ms: np.ndarray, vectors: np.ndarray) -> list[np.ndarray]:
    """Indices of the measured frames of each part of a signal without a gap of over GAP_MS."""
    measured = np.flatnonzero(~np.isnan(vectors[:, 0, 0]))
    gaps = np.flatnonzero(np.diff(times_ms[measured]) > GAP_MS) + 1
    return [part for part in np.split(measured, gaps) if len(part)]


def _place(transform: np.ndarray, face: Face) -> np.ndarray:
    """Where the mean of the face's points lies in a view, float (2,)."""
    x, y, width, height = face.box
    points = face.points or ((x + width / 2, y + height / 2),)
    return np.asarray(transform[:, :2] @ np.mean(points, axis=0) + transform[:, 2])


def _trust(image: np.ndarray, transform: np.ndarray, view: np.ndarray) -> np.ndarray:
    """How far each cell of a view has something that flow can hold on to, float (cells,), 0..1."""
    across, down = cv2.spatialGradient(view)  # eight times the gray levels a pixel
    energy = (across.astype(np.float32) ** 2 + down.astype(np.float32) ** 2) / 64
    means = cv2.resize(energy, (flow.CELLS, flow.CELLS), interpolation=cv2.INTER_AREA).ravel()
    centres = (flow.PLACES[:, 1:3] + 1) * SIZE / 2
    places = np.linalg.solve(transform[:, :2], (centres - transform[:, 2]).T).T
    margin = MARGIN / np.sqrt(np.linalg.det(transform[:, :2]))
    low, high = places.min(axis=1), (image.shape[1::-1] - places).min(axis=1)
    inside = np.minimum(low, high) > margin  # and not beyond the edge of the picture
    return np.asarray(means / (means + TEXTURE) * inside)


def _weights(trust: np.ndarray) -> np.ndarray:
    """Float (regions, cells), rows that sum to 1, or to 0 for a region beyond the picture's edge.

    A region's vector is a mean over all of it, not of its strongest vectors: with both tried on
    made clips, its noise is less than half, and successive references can be joined.
    """
    parts = np.array([flow.ellipse(*ELLIPSES[name]).ravel() for name in REGIONS])
    shown = ((trust > 0) & parts).sum(axis=1) > parts.sum(axis=1) / 2
    rows = parts * (trust + 1e-6)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True) * shown[:, None])


def _rest(times_ms: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The middle position over REST_MS around each frame, float32 like the vectors."""
    bins = ((times_ms - times_ms[0]) // STEP_MS).astype(int)
    used, first = np.unique(bins, return_index=True)
    middles = np.array([np.median(part, axis=0) for part in np.split(vectors, first[1:])])
    half = round(REST_MS / STEP_MS / 2)
    # A face that has just come into view is taken to have been as it is first seen.
    before = np.concatenate([np.repeat(middles[:1], half, axis=0), middles])
    coarse = [np.median(before[i : i + 2 * half + 1], axis=0) for i in range(len(middles))]
    centres = times_ms[0] + (used + 0.5) * STEP_MS
    lines = np.reshape(coarse, (len(used), -1)).T
    rest = np.array([np.interp(times_ms, centres, line) for line in lines])
    return rest.T.reshape(vectors.shape).astype(np.float32)
