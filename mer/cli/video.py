"""`video`: who is in a video, what they look like, and what passes over their faces."""

from __future__ import annotations

import argparse
import contextlib
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mer.cli.common import check_folders, command, detector, network, say
from mer.errors import MerError, VideoError
from mer.models.registry import DEFAULT_MODEL

if TYPE_CHECKING:
    from mer.video.types import Analysis


def add(commands: Any) -> None:
    """Put `video` among the commands."""
    text = "Find the faces of a video, what they look like over time, and fleeting expressions"
    add = command(commands, "video", video, text).add_argument
    text = "a video, or a folder of frames with --fps; several go into one CSV file"
    add("paths", type=Path, nargs="+", metavar="FILE", help=text)
    text = "how many frames of a folder make a second; they are read in the order people count"
    add("--fps", type=float, metavar="N", help=text)
    add("--start", type=float, default=0.0, metavar="S", help="second from which on it is read")
    add("--end", type=float, default=math.inf, metavar="S", help="second up to which it is read")
    text = "measure faces eight times a second: head pose, gaze, openings, 52 blendshapes"
    add("--measure", action="store_true", help=text)
    network(add, DEFAULT_MODEL)
    detector(add)
    add("--json", type=Path, metavar="OUT", help="write frames, people and events as JSON")
    text = "write one row a frame and person, and one row an event to OUT's name with .events.csv"
    add("--csv", type=Path, metavar="OUT", help=text)
    text = "write a report that opens offline; it shows the faces of the strongest events"
    add("--html", type=Path, metavar="OUT", help=text)


def video(options: argparse.Namespace) -> int:
    """Print what is in each video. Ctrl-C stops reading; what was read by then is printed."""
    check_folders(options.json, options.csv, options.html)
    if len(options.paths) > 1 and (options.json or options.html):
        raise MerError("--json and --html are of one video. Name one, or use --csv for several.")
    from mer.results import video_summary
    from mer.video import analysis

    found: list[Analysis] = []
    status = 0
    for path in options.paths:
        try:
            with _bar() as progress, _ctrl_c() as cancelled:
                one = analysis.analyse(
                    path,
                    model=options.model,
                    detector=options.detector,
                    progress=progress,
                    cancelled=cancelled,
                    fps=options.fps,
                    start_s=options.start,
                    end_s=options.end,
                    measure=options.measure,
                )
        except VideoError as error:
            if len(options.paths) == 1:
                raise
            status = say(str(error))  # and the others are read
            continue
        found.append(one)
        print(video_summary.summary(one), flush=True)
        if not one.complete:
            status = 130
            break
    if found:
        _write(found, options)
    return status


def _write(found: Sequence[Analysis], options: argparse.Namespace) -> None:
    import pandas as pd

    from mer.io import files
    from mer.results import video_report, video_tables

    if options.json:
        files.write(options.json, video_tables.json_parts(found[0]))
    if options.csv:
        frames = pd.concat([video_tables.frames_table(one) for one in found])
        events = pd.concat([video_tables.events_table(one) for one in found])
        files.write(options.csv, video_tables.csv_parts(frames))
        files.write(options.csv.with_suffix(".events.csv"), video_tables.csv_parts(events))
    if options.html:
        files.write(options.html, video_report.html(found[0], options.paths[0]))


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[float, str], None]]:
    """A progress bar on stderr, where that is a terminal."""
    from tqdm import tqdm

    with tqdm(total=100, bar_format="{percentage:3.0f} % |{bar}| {desc}", disable=None) as bar:

        def show(part: float, sentence: str) -> None:
            bar.n = round(100 * part)
            bar.set_description_str(sentence)

        yield show


@contextlib.contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed. The second one ends the program, as it does everywhere."""
    pressed = []

    def press(*_: object) -> None:
        pressed.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    former = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, former)
