"""The second look at events: frames steadied, motion recognised, and magnified to look at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mer.errors import VideoError
from mer.faces import alignment, detection
from mer.faces.detection import Face
from mer.inference.predictor import Predictor
from mer.io.video import Frame, Video
from mer.video import motion_classifier, upright
from mer.video.motion import flow
from mer.video.types import Analysis, Event, Person

View = Callable[[Frame], np.ndarray]  # see `steadying`

EXPRESSIONS: Final = ("micro", "macro")  # the kinds of event whose motion is recognised
MARGIN_MS: Final = 400.0  # shown before onset and after offset
HALF_MS: Final = 2500.0  # of a clip: no more is shown before or after the apex
MOST: Final = 300  # frames of a clip, which bounds its memory to some 100 MB
FULL: Final = 2.0  # pixels of flow that are drawn in full colour, or more where more moves
ROUNDS: Final = 2  # of measuring the head's motion and taking it out

BAND: Final = (0.5, 8.0)  # Hz that are magnified; an expression of 0.1 to 2 s lies there
GAIN: Final = 10.0  # how many times what passes the band is added, for a movement of a pixel
SHORTEST: Final = 20.0  # pixels of wavelength (λc) from which the gain is whole
LEVELS: Final = 6  # of the pyramid; the finest holds noise and the coarsest light: left alone
SLOWER: Final = 4.0  # slow motion: 0.3 s last 1.2 s


@dataclass(frozen=True)
class Look:
    """An event in pictures: RGB uint8 (320, 320, 3), aligned, head motion taken out."""

    # The face at these moments.
    onset: np.ndarray
    apex: np.ndarray
    offset: np.ndarray
    flow: np.ndarray  # the movement from onset to apex: hue is direction, white is rest
    clip: list[np.ndarray]  # frames from a little before the onset to a little after the offset
    fps: float  # the clip's frames a second


def look(path: str | Path, analysis: Analysis, event: Event) -> Look:
    """Read the frames of an event again and make pictures of it.

    Raises:
        VideoError: the video, or this part of it, cannot be read any more.
    """
    person = analysis.people[event.person - 1]
    first = max(event.onset_ms - MARGIN_MS, event.apex_ms - HALF_MS)
    last = min(event.offset_ms + MARGIN_MS, event.apex_ms + HALF_MS)
    with upright.again(path, analysis) as video:
        times, clip = _clip(video, person, first, last)
    moments = event.onset_ms, event.apex_ms, event.offset_ms
    onset, apex, offset = (clip[int(np.abs(times - moment).argmin())] for moment in moments)
    moved = flow.dense(flow.gray(onset), flow.gray(apex))
    spacing = float(np.median(np.diff(times))) if len(times) > 1 else 40.0
    shown = painted(cv2.GaussianBlur(moved, (0, 0), 3))  # dense flow comes in small blocks
    return Look(onset, apex, offset, shown, clip, 1000 / spacing)


def _clip(
    video: Video, person: Person, first: float, last: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Times and steadied views of the person's frames between two moments, MOST at most."""
    own = person.times_ms[(person.times_ms >= first) & (person.times_ms <= last)]
    wanted = own[:: -(-len(own) // MOST) or 1]
    times, clip = [], []
    view: View | None = None
    for frame in video.frames(first, last):
        if np.abs(wanted - frame.time_ms).min(initial=np.inf) <= 0.5:
            view = view or steadying(frame, person)
            times.append(frame.time_ms)
            clip.append(view(frame))
    if not clip:
        raise VideoError("The frames of this event cannot be read again. Analyse the video anew.")
    return np.array(times), clip


def painted(moved: np.ndarray) -> np.ndarray:
    """Flow, float (h, w, 2) in pixels, as RGB uint8 (h, w, 3): hue is direction, white is rest.

    Right is red, down green-yellow, left cyan, up violet; full at FULL pixels, or farther out.
    """
    length, angle = cv2.cartToPolar(moved[..., 0], moved[..., 1], angleInDegrees=True)
    strength = np.minimum(length / max(FULL, float(np.percentile(length, 99))), 1)
    hsv = np.dstack([angle, strength, np.ones_like(length)]).astype(np.float32)
    color = 255 * cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)  # in floats: bytes are cut on some machines
    return np.rint(color).astype(np.uint8)


def recognised(
    video: Video,
    events: Sequence[Event],
    people: Sequence[Person],
    predictor: Predictor,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Event]:
    """The events with what their motion and their apex look like, read in one more pass.

    Raises:
        WeightsError: the recogniser's files are missing or damaged.
    """
    answered = list(events)
    for index, onset, apex, looks in pairs(video, events, people):
        motion = motion_classifier.recognise(motion_classifier.flow_map(onset, apex)[None])[0]
        before, still = predictor.judge(*looks)
        change = motion_classifier.change(before.probabilities, still.probabilities)
        answered[index] = replace(
            events[index],
            motion=tuple(motion.tolist()),
            still=tuple(change.tolist()),
            classes=still.classes,
            sure=not still.concerns,
            concerns=still.concerns,
        )
        if cancelled():
            break
    return answered


def pairs(
    video: Video, events: Sequence[Event], people: Sequence[Person]
) -> Iterator[tuple[int, np.ndarray, np.ndarray, tuple[list[np.ndarray], list[Face]]]]:
    """Of each expression, in order of the apex: its index, its face at onset and at apex, looks.

    Blinks and speech are left out. The faces are RGB uint8 (320, 320, 3), the second steadied onto
    the first; the looks are crops and faces of both frames, as `Predictor.judge` wants them.
    """
    wanted = []  # time of a frame that shows the person, 0 for an onset or 1 for an apex, event
    for index, event in enumerate(events):
        if event.kind in EXPRESSIONS:
            times = people[event.person - 1].times_ms
            for apex, moment in enumerate((event.onset_ms, event.apex_ms)):
                wanted.append((float(times[np.abs(times - moment).argmin()]), apex, index))
    wanted.sort(reverse=True)
    onsets: dict[int, tuple[View, np.ndarray, np.ndarray, Face]] = {}
    for frame in video.frames(wanted[-1][0], wanted[0][0]) if wanted else ():
        while wanted and wanted[-1][0] <= frame.time_ms:
            _, apex, index = wanted.pop()
            person = people[events[index].person - 1]
            face = face_at(person, frame.time_ms)
            crop = detection.crop(frame.image, face)
            if apex:
                view, onset, before, earlier = onsets.pop(index)
                yield index, onset, view(frame), ([before, crop], [earlier, face])
            else:
                view = steadying(frame, person)
                onsets[index] = view, view(frame), crop, face


def face_at(person: Person, time_ms: float) -> Face:
    """The person's face at this time, or at the nearest at which it was seen."""
    row = int(np.abs(person.times_ms - time_ms).argmin())
    x, y, width, height = person.boxes[row].tolist()
    known = np.isfinite(person.points[row]).all()
    points = tuple((float(px), float(py)) for px, py in person.points[row]) if known else ()
    return Face((x, y, width, height), 1.0, points)


def steadying(first: Frame, person: Person) -> View:
    """What gives the face of a frame, RGB uint8 (320, 320, 3), as it lay in the first one."""
    face = face_at(person, first.time_ms)
    x, y, width, height = face.box
    level = alignment.level(first.image, face)
    reference = flow.gray(alignment.warped(first.image, level))

    def view(frame: Frame) -> np.ndarray:
        now_x, now_y, now_width, now_height = face_at(person, frame.time_ms).box
        scale = (width + height) / (now_width + now_height)
        across = x + width / 2 - scale * (now_x + now_width / 2)
        down = y + height / 2 - scale * (now_y + now_height / 2)
        transform = level @ np.array([(scale, 0, across), (0, scale, down), (0, 0, 1)])
        for _ in range(ROUNDS):
            seen = flow.gray(alignment.warped(frame.image, transform))
            motion, _ = flow.head(flow.cells(flow.dense(reference, seen)))
            transform = flow.followed(transform, motion)
        return alignment.warped(frame.image, transform)

    return view


def magnified(frames: Sequence[np.ndarray], fps: float, pixels: float = 1.0) -> list[np.ndarray]:
    """The clip, RGB uint8 frames evenly spaced in time, with its small movements made larger.

    Linear Eulerian magnification (Wu et al. 2012, "Eulerian Video Magnification for Revealing
    Subtle Changes in the World"): every level of a Laplacian pyramid of the brightness is
    multiplied, band-passed over time, and added. Movements of 0.5 to 1 pixel of a 320-pixel face
    come out three to four times as large; what moves over a pixel gains less, for it would tear.
    """
    if len(frames) < 3 or fps <= 2 * BAND[0]:  # nothing that could be told from noise
        return [frame.copy() for frame in frames]
    from scipy import signal  # scipy is slow to import

    height, width = frames[0].shape[:2]
    gains = _gains(height, width, GAIN / max(pixels, 1.0))
    band = BAND[0], min(BAND[1], 0.45 * fps)
    sections = signal.butter(1, band, "bandpass", fs=fps, output="sos")
    padding = min(len(frames) - 1, round(fps))
    gained = np.stack([_gained(frame, gains) for frame in frames])
    changes = signal.sosfiltfilt(sections, gained, axis=0, padlen=padding).astype(np.float32)
    whole = (cv2.pyrUp(change, dstsize=(width, height))[..., None] for change in changes)
    return [
        np.clip(frame + change, 0, 255).astype(np.uint8)
        for frame, change in zip(frames, whole, strict=True)
    ]


def _gains(height: int, width: int, gain: float) -> list[float]:
    """What each level of the pyramid is multiplied by, from the finest on.

    The paper's bound is (1 + gain) * movement < wavelength / 8: finer texture bears a lower gain.
    """
    movement = SHORTEST / 8 / (1 + gain)
    levels = min(LEVELS, int(np.log2(max(min(height, width), 2))) - 1)
    waves = [4.0 * 2**level for level in range(levels)]  # pixels, the middle of each level's band
    gains = [min(gain, max(0.0, wave / 8 / movement - 1)) for wave in waves]
    return [0.0, *gains[1:-1], 0.0]


def _gained(frame: np.ndarray, gains: list[float]) -> np.ndarray:
    """The levels of a frame's brightness, each multiplied, but for the finest: half the size."""
    sizes: list[np.ndarray] = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)]
    while len(sizes) < len(gains):
        sizes.append(cv2.pyrDown(sizes[-1]))
    total = 0 * sizes[-1]
    for larger, smaller, gain in zip(sizes[-2:0:-1], sizes[:1:-1], gains[-2:0:-1], strict=True):
        size = larger.shape[::-1]
        detail = larger - cv2.pyrUp(smaller, dstsize=size)
        total = cv2.pyrUp(total, dstsize=size) + gain * detail
    return total
