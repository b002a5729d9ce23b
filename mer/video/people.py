"""The people of a video while it is read: a few numbers a frame for each, and no pictures."""

import itertools
from array import array
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from typing import Final

import numpy as np

from mer.faces import detection, measures, quality
from mer.faces.detection import Face
from mer.faces.measures import MEASURES
from mer.faces.quality import Cover
from mer.inference.predictor import Predictor
from mer.io.video import Frame
from mer.video.motion.region_signals import Motion
from mer.video.types import Person

SAMPLED: Final = 8.0  # times a second that the network looks at each face
BATCH: Final = 8  # face crops that go through the network together
BRIEFEST_MS: Final = 300.0  # a face seen for less is left out: most such are no faces
GONE_MS: Final = 5000.0  # after that long, the working memory of a face's motion is given back

# A person, and the direction of their motion: float32 (n, len(REGIONS), 2).
Traced = tuple[Person, np.ndarray]


class Record:
    """What is kept of one person: of each frame, and of each look of the network."""

    def __init__(self) -> None:
        self.times, self.boxes, self.points = array("d"), array("i"), array("f")
        self.sampled, self.scores, self.sure = array("d"), array("f"), array("b")
        self.concerns: list[tuple[str, ...]] = []
        self.measured = array("f")  # what `measures` gives at each look, where that is asked for
        # Points measured at the last look, and the mean of the detector's points there.
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self.covers = array("d")  # how far the face looks covered, at each look
        self._due = -np.inf  # when the network should look next
        self.motion = Motion()

    def see(self, frame: Frame, face: Face) -> bool:
        """Take down the face in this frame; whether the network should look at it."""
        self.times.append(frame.time_ms)
        self.boxes.extend(face.box)
        self.points.extend(np.ravel(face.points) if face.points else [np.nan] * 10)
        self.motion.push(frame.time_ms, frame.image, face)
        if frame.time_ms < self._due:
            return False
        self._due = max(self._due, frame.time_ms - 1000 / SAMPLED) + 1000 / SAMPLED
        return True

    def measure(self, frame: Frame, face: Face) -> None:
        """Measure the face, whose points are expected where the last ones have moved with it."""
        expected, middle = None, np.mean(face.points or [(np.nan, np.nan)], axis=0)
        if self._last and np.isfinite(shift := middle - self._last[1]).all():
            expected = self._last[0] + np.append(shift, 0)
        own = measures.measure(frame.image, face, expected)
        self.measured.extend(own.figures.values() if own else [np.nan] * len(MEASURES))
        self._last = (own.points, middle) if own else None

    @property
    def brief(self) -> bool:
        """Whether the face was seen for less than BRIEFEST_MS."""
        return self.times[-1] - self.times[0] < BRIEFEST_MS

    def traced(self, number: int, cover: Cover, classes: tuple[str, ...]) -> Traced:
        """The person under this number, and the direction of their motion: none where covered."""
        times, motion, direction = self.motion.arrays()
        sampled, covered = np.array(self.sampled), cover.covered(np.array(self.covers))
        scores = np.array(self.scores, np.float32).reshape(-1, len(classes))
        measured = np.array(self.measured, np.float32).reshape(-1, len(MEASURES))
        person = Person(
            number=number,
            times_ms=times,
            boxes=np.array(self.boxes, np.int32).reshape(-1, 4),
            points=np.array(self.points, np.float32).reshape(-1, 5, 2),
            sampled_ms=sampled[~covered],
            probabilities=scores[~covered],
            measures=measured[~covered] if len(measured) else measured,
            sure=np.array(self.sure, bool)[~covered],
            concerns=tuple(itertools.compress(self.concerns, ~covered)),
            motion=motion,
            covered=quality.covered_spans(sampled, covered),
            classes=classes,
        )
        hidden = person.hidden(times)
        direction[hidden], motion[hidden] = np.nan, np.nan
        return person, direction


class Cast:
    """Everybody who appears, by the tracker's numbers.

    Faces are measured and classified in a thread of their own, one frame behind, while the next
    frame is read and its faces are followed.
    """

    def __init__(self, predictor: Predictor, thread: Executor, *, measure: bool = False) -> None:
        """Begin with nobody; with `measure` each face is measured too at each look.

        Raises a WeightsError where what tells covered faces is missing or damaged.
        """
        self._predictor, self._cover, self._measure = predictor, quality.cover_model(), measure
        self._thread = thread
        self._behind: Future[None] | None = None
        self._records: dict[int, Record] = {}
        self._waiting: list[tuple[Record, float, np.ndarray, Face]] = []  # crops for the network

    def see(self, frame: Frame, followed: Sequence[tuple[int, Face]]) -> None:
        """Take down who is in this frame, once the one before is done with."""
        if self._behind:
            self._behind.result()
        self._behind = self._thread.submit(self._see, frame, followed)

    def people(self) -> list[Traced]:
        """All who were seen for long enough, numbered from 1 as they first appeared."""
        if self._behind:
            self._behind.result()
        self._classify()
        lasting = [record for record in self._records.values() if not record.brief]
        lasting.sort(key=lambda record: record.times[0])
        classes = self._predictor.classes
        return [one.traced(number, self._cover, classes) for number, one in enumerate(lasting, 1)]

    def _see(self, frame: Frame, followed: Sequence[tuple[int, Face]]) -> None:
        for number, face in followed:
            record = self._records.setdefault(number, Record())
            if record.see(frame, face):
                record.covers.append(self._cover.scores(frame.image, face)[0])
                if self._measure:
                    record.measure(frame, face)
                cut = detection.crop(frame.image, face)
                self._waiting.append((record, frame.time_ms, cut, face))
        if len(self._waiting) >= BATCH:
            self._classify()
        for number, record in list(self._records.items()):
            if record.times[-1] < frame.time_ms - GONE_MS:
                record.motion.rest()
                if record.brief:
                    del self._records[number]

    def _classify(self) -> None:
        crops, found = [one[2] for one in self._waiting], [one[3] for one in self._waiting]
        answers = self._predictor.judge(crops, found)
        for (record, time_ms, *_), answer in zip(self._waiting, answers, strict=True):
            record.sampled.append(time_ms)
            record.scores.extend(answer.probabilities)
            record.sure.append(answer.sure)
            record.concerns.append(answer.concerns)
        self._waiting.clear()
