"""How far the maps of our own flow lie from those that recognition was trained on."""

from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.synthetic.clips import Clip
from benchmarks.synthetic.timeline import EXPRESSIONS, Expression
from mer.faces import detection
from mer.io.video import Frame
from mer.video import motion_classifier
from mer.video.motion import flow_maps
from mer.video.motion.stabilise import Steady
from mer.video.types import MOTIONS, REGIONS, Person
from tools.motion.dataset import read

PIXELS: Final = (1.0, 2.0, 4.0)  # of the made expressions, on a 320-pixel face
FPS: Final = 10  # enough for frames at onset and apex
ONSET_MS, APEX_MS, OFFSET_MS = 100, 300, 500


def measure(data: Path, picture: np.ndarray) -> str:
    """Two tables: statistics of maps, trained on and our own, and what our own look like.

    Our own maps come from made clips through the same steps as a video's events. The clips' skin
    moves in smooth bumps, so part of the distance is theirs and not the flow's.

    Args:
        data: folder of motion maps, see `motion_data.read`.
        picture: RGB uint8 (height, width, 3), with a face.

    Raises:
        DataError: the maps cannot be read.
        MerError: there is no face in the picture.
        WeightsError: the recogniser's weights are missing or damaged.
    """
    motions = read(data)
    own = {name: made_maps(picture, name) for name in EXPRESSIONS}
    lines = compared(motions.maps, motions.datasets, np.concatenate(list(own.values())))
    lines += ["", "made expression of " + ", ".join(f"{p:g}" for p in PIXELS) + " px looks"]
    for name, few in own.items():
        answers = motion_classifier.recognise(few).tolist()
        said = ", ".join(f"{MOTIONS[int(np.argmax(a))]} {max(a):.2f}" for a in answers)
        lines.append(f"{name:18}{said}")
    return "\n".join(lines)


def made_maps(picture: np.ndarray, place: str) -> np.ndarray:
    """Maps, float32 (len(PIXELS), 28, 28, 3), of one of EXPRESSIONS at each of PIXELS."""
    found = []
    for seed, pixels in enumerate(PIXELS):
        event = Expression(place, ONSET_MS, APEX_MS, OFFSET_MS, pixels)
        clip = Clip(picture, fps=FPS, seconds=0.5, events=[event], blinks=0, seed=seed)
        frames = [frame for frame in clip if frame.time_ms in (ONSET_MS, APEX_MS)]
        steady = Steady(frames[0], _person(frames))
        found.append(flow_maps.flow_map(*(steady.view(frame) for frame in frames)))
    return np.stack(found)


def _person(frames: list[Frame]) -> Person:
    boxes = np.array([detection.detect(frame.image)[0].box for frame in frames], np.int32)
    times = np.array([frame.time_ms for frame in frames])
    nothing = np.zeros((len(frames), len(REGIONS)), np.float32)
    return Person(1, times, boxes, times[:0], np.zeros((0, 7), np.float32), nothing)


def compared(training: np.ndarray, datasets: np.ndarray, own: np.ndarray) -> list[str]:
    """Lines of a table: each statistic's spread in both, and its shift in standard deviations.

    Args:
        training: maps (n, 28, 28, 3).
        datasets: (n,), the data set of each; how far each lies from all is shown for scale.
        own: maps (m, 28, 28, 3).
    """
    known, ours, names = statistics(training), statistics(own), np.unique(datasets)
    head = f"{'':22}{'training: 5 %':>13}{'50 %':>7}{'95 %':>7}{'own: 50 %':>11}{'shift':>7}"
    lines = [head + "".join(f"{name:>8}" for name in names)]
    shifts = []
    for name, values in known.items():
        groups = [ours[name], *(values[datasets == one] for one in names)]
        shift = [(group.mean() - values.mean()) / values.std() for group in groups]
        low, middle, high = np.percentile(values, (5, 50, 95))
        row = f"{name:22}{low:13.2f}{middle:7.2f}{high:7.2f}{np.median(ours[name]):11.2f}"
        lines.append(row + f"{shift[0]:7.2f}" + "".join(f"{one:8.2f}" for one in shift[1:]))
        shifts.append(shift)
    mean = np.abs(shifts).mean(0)
    row = f"{'mean without sign':60}{mean[0]:7.2f}"
    return [*lines, row + "".join(f"{one:8.2f}" for one in mean[1:])]


def statistics(maps: np.ndarray) -> dict[str, np.ndarray]:
    """Figures of maps (n, 28, 28, 3) that do not depend on what the face does, each (n,).

    `rest`: the median, the channel going from 0 to 1. `peak`: the largest
    value, in root mean squares. `smooth`: correlation of neighbouring cells.
    """
    values = flow_maps.unit(flow_maps.levelled(maps))
    found = {}
    for number, channel in enumerate(flow_maps.CHANNELS):
        one = values[:, number]
        found[f"rest, {channel}"] = np.median(maps[..., number], (1, 2)) / 255
        found[f"peak, {channel}"] = np.abs(one).max((1, 2))
        found[f"smooth, {channel}"] = _neighbours(one)
    return found


def _neighbours(values: np.ndarray) -> np.ndarray:
    """Correlation, (n,), of each cell of (n, h, w) with the next one across and down."""
    even = values - values.mean((1, 2), keepdims=True)
    down = (even[:, 1:] * even[:, :-1]).mean((1, 2))
    across = (even[:, :, 1:] * even[:, :, :-1]).mean((1, 2))
    correlation: np.ndarray = (down + across) / 2 / (even**2).mean((1, 2))
    return correlation
