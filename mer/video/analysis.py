"""A video from its first frame to its last, once: people, expressions, events."""

import math
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from mer.errors import VideoError, WeightsError
from mer.inference.predictor import Predictor, get_predictor
from mer.io.video import Frame, Video
from mer.models.registry import DEFAULT_MODEL
from mer.version import __version__
from mer.video import event_clips, motion_classifier, notes, spotting, upright
from mer.video.event_clips import Look, look
from mer.video.people import SAMPLED, Cast, Traced
from mer.video.tracking.tracker import Tracker
from mer.video.types import Analysis, Event, Timing
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
        start_s, end_s: the part of the video that is read, by its own times.
        every: only every so manieth frame of it is looked at; the frame rate is that of those.
        measure: also measure each face (see `mer.faces.measures`) when the network looks at it.

    Raises:
        VideoError: there is no such file, it is no video, it is longer than `longest_s`, or no
            frame of it, or of this part of it, can be read.
        WeightsError: files of the network or of the detector are missing or damaged.
        MerError: no detector has this name.
    """
    tell, stopped = progress or (lambda *_: None), cancelled or (lambda: False)
    predictor = get_predictor(model, detector)
    with upright.opened(path, fps) as video:
        _check_length(video.duration_ms or 0.0, longest_s)
        frames = _frames(video, start_s, end_s, every, longest_s)
        report = _reporter(video.duration_ms, start_s, end_s, tell)
        with ThreadPoolExecutor(1) as thread:
            cast = Cast(predictor, thread, measure=measure)
            times_ms, complete = _watch(frames, Tracker(predictor.detector), cast, report, stopped)
            traced = cast.people()
        timing, people = Timing.of(times_ms), tuple(person for person, _ in traced)
        if complete:
            tell(WATCHING, "Read to the end. Looking for expressions in what moved")
        events = _spotted(traced, timing)
        said = _notes(video, timing, every, complete)
        if complete:
            tell(WATCHING, f"{len(events)} events found: a second look at them")
            try:
                events = event_clips.recognised(video, events, people, predictor, stopped)
            except WeightsError as error:  # the rest of the analysis stands without it
                said.append(str(error))
            if stopped():
                said.insert(0, "Cancelled: not all events were looked at a second time.")
        tell(1.0, "Done." if complete else "Cancelled.")
        return Analysis(
            source=Path(path).name,
            size=video.size,
            timing=timing,
            people=people,
            events=tuple(events),
            settings=_settings(
                predictor,
                start_s=start_s,
                end_s=end_s if end_s < math.inf else None,
                every=every if every > 1 else None,
                frames_per_second=fps,
                quarter_turns=video.quarters,
            ),
            notes=tuple(said),
            complete=complete,
            times_ms=times_ms,
            classes=predictor.classes,
        )


def _check_length(time_ms: float, longest_s: float) -> None:
    if time_ms > 1000 * longest_s:
        raise VideoError(
            f"The video is longer than {notes.clock(1000 * longest_s)}, which is as much as is "
            "read here. Cut it, or run `python -m mer video FILE`, which has no such limit."
        )


def _frames(
    video: Video, start_s: float, end_s: float, every: int, longest_s: float
) -> Iterator[Frame]:
    """Those of a part; a VideoError if there is none, or one is later than `longest_s`."""
    if not (start_s < end_s and every >= 1):
        raise VideoError("A part ends after it begins, and every first frame is the least.")
    none = True
    for frame in islice(video.frames(1000 * start_s, 1000 * end_s), None, None, every):
        _check_length(frame.time_ms, longest_s)  # a file may say nothing of it, or lie
        none = False
        yield frame
    if none:
        raise VideoError(
            f"The video has no frame from {start_s:g} to {end_s:g} seconds. Name a part that lies "
            "in it."
        )


def _watch(
    frames: Iterator[Frame],
    tracker: Tracker,
    cast: Cast,
    report: Callable[[float], None],
    stopped: Cancelled,
) -> tuple[np.ndarray, bool]:
    """Have everybody in the frames taken down; the frames' times, and whether these are all."""
    times = array("d")
    for frame, shown in tracker.people(frames):
        times.append(frame.time_ms)
        cast.see(frame, shown)
        report(frame.time_ms)
        if stopped():
            return np.array(times), False
    return np.array(times), True


def _spotted(traced: list[Traced], timing: Timing) -> list[Event]:
    found = [
        event
        for one, direction in traced
        for event in spotting.spot(one.number, one.times_ms, direction, micro=timing.micro)
    ]
    return sorted(found, key=lambda event: (event.onset_ms, event.person))


def _settings(predictor: Predictor, **given: float | None) -> dict[str, Any]:
    """With what the video was read; `given` is what was not as it is unless given."""
    return {
        "network": predictor.model,
        "version": str(predictor.record.get("version", "")),
        "detector": predictor.detector,
        "sure_from": {name: round(one, 3) for name, one in predictor.thresholds["views"].items()},
        "sampled_per_second": SAMPLED,
        **_recogniser(),
        "mer": __version__,
        "time": provenance.now(),
        **{name: value for name, value in given.items() if value},
    }


def _recogniser() -> dict[str, Any]:
    """Version and scores of what recognises motion, from its record."""
    try:
        record = store.read_record(motion_classifier.NAME)
    except WeightsError:
        return {}
    scores = record.get("evaluation", {})
    shown = {f"motion_{one}": round(scores[one], 3) for one in ("uf1", "uar") if one in scores}
    return {"motion_version": str(record.get("version", ""))} | shown


def _notes(video: Video, timing: Timing, every: int, complete: bool) -> list[str]:
    said = [*notes.timed(timing), *video.notes]
    if every > 1:
        said.insert(0, f"Of {every} frames one was read; what follows is of those.")
    if not complete:
        read = notes.clock(timing.duration_ms, 1)
        said.insert(0, f"Cancelled: only the first {read} were read, and what follows is of them.")
    return said


def _reporter(
    duration_ms: float | None, start_s: float, end_s: float, tell: Progress
) -> Callable[[float], None]:
    """Tells how far the reading is, and about how long it goes on, a few times a second."""
    start = 1000 * max(start_s, 0.0)
    whole = min(duration_ms, 1000 * end_s) - start if duration_ms else 0.0
    began = told = time.monotonic()

    def report(time_ms: float) -> None:
        nonlocal told
        read, now = time_ms - start, time.monotonic()
        if now - told < REPORT_S:
            return
        told, done = now, min(read / whole, 1.0) if whole > 0 else 0.0
        sentence = f"{notes.clock(read)} read"
        if done:  # a webcam's recording does not say how long it is
            left = notes.clock(1000 * (now - began) * (1 - done) / done)
            sentence = f"{notes.clock(read)} of {notes.clock(whole)} read, about {left} left"
        tell(WATCHING * done, sentence)

    return report
