"""A video from its first frame to its last, once: people, expressions, events."""

import math
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from mer.errors import VideoError, WeightsError
from mer.faces.detection import Face
from mer.inference.predictor import Predictor, get_predictor
from mer.io.video import Frame, Video
from mer.models.registry import DEFAULT_MODEL
from mer.version import __version__
from mer.video import event_clips, motion_classifier, spotting, upright
from mer.video import notes as words
from mer.video.event_clips import Look, look
from mer.video.people import SAMPLED, Cast, Traced
from mer.video.tracking.tracker import Tracker
from mer.video.types import Analysis, Event, Person, Timing
from mer.weights import provenance, store

__all__ = ["Cancelled", "Look", "Progress", "analyse", "look"]

REPORT_S: Final = 0.25  # seconds between two reports of progress
WATCHING: Final = 0.95  # of the progress; the rest is for the second look at the events

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]


def analyse(
    path: str | Path,
    *,
    model: str = DEFAULT_MODEL,
    detector: str = "yunet",
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    longest_s: float = math.inf,
    fps: float | None = None,
    start_s: float = 0.0,
    end_s: float = math.inf,
    every: int = 1,
    measure: bool = False,
) -> Analysis:
    """Who is in a video, what each face looks like, and what passes over it.

    One pass, then a second look at the frames of the events alone. Pictures are not kept: memory
    grows by some 200 bytes a frame and face.

    Args:
        path: a video file, or a folder of frames, read in natural order of their names.
        model: the network that says what faces look like.
        detector: the face detector.
        progress: called now and then with the part that is done, 0..1, and a sentence.
        cancelled: asked at every frame. Once it says yes, what was read by then is the answer,
            with `complete` False and a note.
        longest_s: seconds; a longer video is refused.
        fps: how many frames of a folder make a second.
        start_s, end_s: the part of the video that is read, by its own times; all of it unless
            given.
        every: only every so manieth frame of it is looked at; the frame rate is that of those.
        measure: also measure each face (see `mer.faces.measures`) when the network looks at it.

    Raises:
        VideoError: there is no such file, it is no video, it is longer than `longest_s`, or no
            frame of it, or of this part of it, can be read.
        WeightsError: files of the network or of the detector are missing or damaged.
        MerError: no detector has this name.
    """
    tell, stopped = progress or (lambda *_: None), cancelled or (lambda: False)
    part = Part(start_s, end_s, every)
    predictor = get_predictor(model, detector)
    with upright.opened(path, fps) as video:
        _check_length(video.duration_ms or 0.0, longest_s)
        cast = Cast(predictor, measure=measure)
        report = _Report(part, video.duration_ms, tell)
        followed = Tracker(predictor.detector).people(part.frames(video))
        seen, traced = _watch(followed, cast, report, stopped, longest_s)
        part.check(seen.timing)
        people = tuple(person for person, _ in traced)
        if seen.complete:
            tell(WATCHING, "Read to the end. Looking for expressions in what moved")
        events, notes = _spotted(traced, seen.timing), _notes(video, part, seen)
        if seen.complete:
            tell(WATCHING, f"{len(events)} events found: a second look at them")
            events = _recognised(video, events, people, predictor, stopped, notes)
        tell(1.0, "Done." if seen.complete else "Cancelled.")
        return Analysis(
            source=Path(path).name,
            size=video.size,
            timing=seen.timing,
            people=people,
            events=tuple(events),
            settings=_settings(predictor) | part.settings | _reading(video, fps),
            notes=tuple(notes),
            complete=seen.complete,
            times_ms=seen.times_ms,
            classes=predictor.classes,
        )


class Part(NamedTuple):
    """Which frames of a video are read: from one second to another, and every so manieth."""

    start_s: float = 0.0
    end_s: float = math.inf
    every: int = 1

    def frames(self, video: Video) -> Iterator[Frame]:
        """Those frames.

        Raises:
            VideoError: there can be none.
        """
        if not (self.start_s < self.end_s and self.every >= 1):
            raise VideoError("A part ends after it begins, and every first frame is the least.")
        frames = video.frames(1000 * self.start_s, 1000 * self.end_s)
        return islice(frames, None, None, self.every)

    def check(self, timing: Timing) -> None:
        """Refuse a part in which no frame was read, with a VideoError."""
        if not timing.frames:
            raise VideoError(
                f"The video has no frame from {self.start_s:g} to {self.end_s:g} seconds. Name a "
                "part that lies in it."
            )

    @property
    def settings(self) -> dict[str, float]:
        """What is not as it is unless given, for the settings of an analysis."""
        usual = self._field_defaults
        return {name: value for name, value in self._asdict().items() if value != usual[name]}


class _Seen(NamedTuple):
    """What one pass over a video gave, but for the people."""

    times_ms: np.ndarray
    timing: Timing
    complete: bool


def _check_length(time_ms: float, longest_s: float) -> None:
    if time_ms > 1000 * longest_s:
        raise VideoError(
            f"The video is longer than {words.clock(1000 * longest_s)}, which is as much as is "
            "read here. Cut it, or run `python -m mer video FILE`, which has no such limit."
        )


def _watch(
    followed: Iterable[tuple[Frame, list[tuple[int, Face]]]],
    cast: Cast,
    report: "_Report",
    stopped: Cancelled,
    longest_s: float,
) -> tuple[_Seen, list[Traced]]:
    times, complete = array("d"), True
    with cast:
        for frame, shown in followed:
            _check_length(frame.time_ms, longest_s)  # a file may say nothing of it, or lie
            times.append(frame.time_ms)
            cast.see(frame, shown)
            report(frame.time_ms)
            if stopped():
                complete = False
                break
        read = np.array(times)
        return _Seen(read, Timing.of(read), complete), cast.people()


def _spotted(traced: list[Traced], timing: Timing) -> list[Event]:
    found = [
        event
        for one, direction in traced
        for event in spotting.spot(one.number, one.times_ms, direction, micro=timing.micro)
    ]
    return sorted(found, key=lambda event: (event.onset_ms, event.person))


def _recognised(
    video: Video,
    events: list[Event],
    people: Sequence[Person],
    predictor: Predictor,
    stopped: Cancelled,
    notes: list[str],
) -> list[Event]:
    try:
        events = event_clips.recognised(video, events, people, predictor, stopped)
    except WeightsError as error:  # the rest of the analysis stands without it
        notes.append(str(error))
    if stopped():
        notes.insert(0, "Cancelled: not all events were looked at a second time.")
    return events


def _settings(predictor: Predictor) -> dict[str, Any]:
    return {
        "network": predictor.model,
        "version": str(predictor.record.get("version", "")),
        "detector": predictor.detector,
        "sure_from": {name: round(one, 3) for name, one in predictor.thresholds["views"].items()},
        "sampled_per_second": SAMPLED,
        **_recogniser(),
        "mer": __version__,
        "time": provenance.now(),
    }


def _reading(video: Video, fps: float | None) -> dict[str, Any]:
    """What was not read as the file says it."""
    given = {"frames_per_second": fps, "quarter_turns": video.quarters}
    return {name: value for name, value in given.items() if value}


def _recogniser() -> dict[str, Any]:
    """Version and scores of what recognises motion, from its record."""
    try:
        record = store.read_record(motion_classifier.NAME)
    except WeightsError:
        return {}
    scores = record.get("evaluation", {})
    figures = {
        f"motion_{name}": round(scores[name], 3) for name in ("uf1", "uar") if name in scores
    }
    return {"motion_version": str(record.get("version", "")), **figures}


def _notes(video: Video, part: Part, seen: _Seen) -> list[str]:
    rules = words.frame_rate, words.unevenness, words.gaps
    notes = [*(rule(seen.timing) for rule in rules), *video.notes]
    if part.every > 1:
        notes.insert(0, f"Of {part.every} frames one was read; what follows is of those.")
    if not seen.complete:
        read = words.clock(seen.timing.duration_ms, 1)
        notes.insert(0, f"Cancelled: only the first {read} were read, and what follows is of them.")
    return [note for note in notes if note]


class _Report:
    """Tells how far the reading is, and about how long it goes on, a few times a second."""

    def __init__(self, part: Part, duration_ms: float | None, tell: Progress) -> None:
        self._start = 1000 * max(part.start_s, 0.0)
        self._duration = min(duration_ms, 1000 * part.end_s) - self._start if duration_ms else 0.0
        self._tell = tell
        self._began = self._told = time.monotonic()

    def __call__(self, time_ms: float) -> None:
        time_ms -= self._start
        now = time.monotonic()
        if now - self._told < REPORT_S:
            return
        self._told = now
        part = min(time_ms / self._duration, 1.0) if self._duration > 0 else 0.0
        self._tell(WATCHING * part, self._sentence(time_ms, part, now - self._began))

    def _sentence(self, time_ms: float, part: float, spent: float) -> str:
        if not part:  # a webcam's recording does not say how long it is
            return f"{words.clock(time_ms)} read"
        left = words.clock(1000 * spent * (1 - part) / part)
        return f"{words.clock(time_ms)} of {words.clock(self._duration)} read, about {left} left"
