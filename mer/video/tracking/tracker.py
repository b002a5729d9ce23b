"""People followed through a video: who is who from frame to frame, through cuts and absences."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import cv2
import numpy as np

from mer.faces import detection
from mer.faces.detection import Face
from mer.io.video import Frame
from mer.video.tracking.track import AT_PLACE, FOUND, Look, Track, look
from mer.weights.onnx_session import one_thread

# Between two searches for faces while every track is sure: a search takes as long as carrying a
# face ten times. At 400 ms no more people were mixed up in made crossings, but when they were
# quick, faces were followed in 89 of 100 frames, and in 97 at 200 ms.
EVERY_MS: Final = 200.0
LONG_SIDE: Final = 640  # pixels, to which frames are shrunk to be searched, as the detectors do
OVERLAP: Final = 0.3  # a detection that shares more with a track's box may be its face
CROSSING: Final = 0.02  # faces whose boxes share more may be mixed up
# Mean score of a face that counts as a person.
GOOD: Final = {"yunet": 0.7, "haar": 0.4, "none": 1.0}
# While somebody is out of sight, a new face has this long to be recognised before it gets a number
# of its own, and three times as long beside another: at first it is often half hidden.
PATIENCE_MS: Final = 500.0
ABSENT: Final = 64  # people out of sight who are remembered
VIEW: Final = (32, 18)  # pixels: of the small views in which frames are compared
CUT: Final = 30.0  # gray levels by which these views differ on average at a cut


class Tracker:
    """Follows every face of a video, given all its frames in order.

    Faces are searched for every EVERY_MS, and at every frame while one is unsure, new or near
    another; in between their texture carries them. A face counts as a person once it was found
    three times with a good score: `follow` leaves the two frames before out, `people` does not.
    """

    def __init__(self, detector: str = "yunet", long_side: int = LONG_SIDE) -> None:
        """Begin with nobody; frames are shrunk to `long_side` pixels at most to be searched."""
        self.detector, self._long_side = detector, long_side
        self._tracks: list[Track] = []
        self._people = 0
        self._before: np.ndarray = np.empty((0, 0), np.uint8)  # the last frame, gray
        self._searched_ms = -np.inf

    def follow(self, frame: Frame) -> list[tuple[int, Face]]:
        """The people in the next frame: numbers, from 1 in the order of appearance, and faces.

        Points move smoothly: they follow the face's texture and settle on the detector's.

        Raises:
            MerError: no detector has this name.
            WeightsError: the detector's file is missing or damaged.
        """
        gray = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        cut = _cut(self._before, gray)
        for track in self._tracks:
            track.carry(None if cut else self._before, gray, frame.time_ms)
        due = frame.time_ms - self._searched_ms >= EVERY_MS
        present = [track for track in self._tracks if track.shown]
        if cut or due or any(track.unsure or self._crowded(track) for track in present):
            self._search(frame)
            self._searched_ms = frame.time_ms
        self._before = gray
        shown = [track for track in self._tracks if track.number and track.shown]
        return sorted((track.number, track.face(frame.image)) for track in shown)

    def people(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, list[tuple[int, Face]]]]:
        """Each frame with the people in it, as `follow` gives them, but two frames late.

        By then those whose first frames these are have a number. Raises what `follow` does.
        """
        waiting: deque[tuple[Frame, dict[int, Face], list[tuple[Track, Face]]]] = deque()

        def oldest() -> tuple[Frame, list[tuple[int, Face]]]:
            frame, shown, new = waiting.popleft()
            numbered = {track.number: face for track, face in new if track.number}
            return frame, sorted((numbered | shown).items())

        for frame in frames:
            shown = dict(self.follow(frame))
            new = [track for track in self._tracks if track.shown and not track.number]
            waiting.append((frame, shown, [(track, track.face(frame.image)) for track in new]))
            if len(waiting) == FOUND:
                yield oldest()
        while waiting:
            yield oldest()

    def _crowded(self, track: Track) -> bool:
        """Whether more than one face in sight is about where it is."""
        own = track.place
        if own is None:
            return False
        sight = [one.place for one in self._tracks if one.shown and one.place is not None]
        return sum(detection.iou(own[:4], place[:4]) > CROSSING for place in sight) > 1

    def _search(self, frame: Frame) -> None:
        found = self._detect(frame.image)
        looks = [look(frame.image, face) for face in found]
        owners = self._by_place(found, looks)
        missed = [t for t in self._tracks if t.place is not None and t not in owners]
        hidden = [self._crowded(track) for track in missed]
        for face, seen, owner in zip(found, looks, owners, strict=True):
            if owner is None:
                self._tracks.append(Track(face, seen, frame.time_ms))
            else:
                owner.see(face, None if self._crowded(owner) else seen, frame.time_ms)
        for track, behind in zip(missed, hidden, strict=True):
            track.miss(behind)
        for track in [track for track in self._tracks if not track.number]:
            self._confirm(track, frame.time_ms)
        self._tracks = [one for one in self._tracks if one.number or one.shown]  # others were none
        absent = [track for track in self._tracks if not track.shown]
        for track in sorted(absent, key=lambda track: track.seen_ms)[:-ABSENT]:
            self._tracks.remove(track)

    def _detect(self, image: np.ndarray) -> list[Face]:
        """The faces that show at this size; a second, larger search would cost five times more."""
        with one_thread():  # faces are measured, or other visitors' frames searched, beside this
            found = detection.detect(shrunk(image, self._long_side), self.detector)
        scale = self._long_side / max(image.shape[:2])
        return [_scaled(face, 1 / scale) for face in found] if scale < 1 else found

    def _by_place(self, found: list[Face], looks: list[Look | None]) -> list[Track | None]:
        """Whose face each detection is, by where it is and, in doubt, what it looks like."""
        from scipy.optimize import linear_sum_assignment  # scipy is slow to import

        placed = [(track, track.place) for track in self._tracks if track.place is not None]
        owners: list[Track | None] = [None] * len(found)
        scores = np.zeros((len(placed), len(found)))
        for row, (track, place) in enumerate(placed):
            certain = track.steady and not self._crowded(track)
            for column, (face, seen) in enumerate(zip(found, looks, strict=True)):
                shared, alike = detection.iou(place[:4], face.box), track.likeness(seen)
                if shared > OVERLAP and (certain or alike > AT_PLACE):
                    scores[row, column] = shared + 2 * alike
        for row, column in np.transpose(linear_sum_assignment(-scores)).tolist():
            if scores[row, column]:
                owners[column] = placed[row][0]
        return owners

    def _confirm(self, track: Track, time_ms: float) -> None:
        """Give a face that was found often enough its number: its old one, if it is known."""
        if not track.shown or not track.good(GOOD[self.detector]):
            return
        absent = [other for other in self._tracks if other.number and not other.shown]
        known = [other for other in absent if other.resembles(track)]
        patience = PATIENCE_MS * (3 if self._crowded(track) else 1)
        if len(known) == 1:  # two who look so much alike cannot be told apart
            track.become(known[0])
            self._tracks.remove(known[0])
        elif not absent or time_ms - track.born_ms >= patience:
            self._people += 1
            track.number = self._people


def shrunk(image: np.ndarray, long_side: int) -> np.ndarray:
    """The picture with no side longer than so many pixels."""
    scale = long_side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _scaled(face: Face, scale: float) -> Face:
    x, y, width, height = (int(scale * number + 0.5) for number in face.box)
    points = tuple((scale * px, scale * py) for px, py in face.points)
    return Face((x, y, width, height), face.score, points)


def _cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two frames, gray uint8 of any size, lie on two sides of a cut."""
    if before.shape != after.shape:
        return True
    one, other = (cv2.resize(gray, VIEW, interpolation=cv2.INTER_AREA) for gray in (before, after))
    return float(cv2.absdiff(one, other).mean()) > CUT
