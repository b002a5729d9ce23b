"""`video`: who is in a video, what they look like, and what passes over their faces."""

from __future__ import annotations

import argparse
import contextlib
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mer.cli.common import BOM, OUT, check_folders, command, reading, say
from mer.errors import MerError, VideoError

if TYPE_CHECKING:
    from mer.video.types import Analysis


def add(commands: Any) -> None:
    """Put `video` among the commands."""
    add = command(commands, "video", video).add_argument
    text = (
        "a video, or a folder of frames with --fps; one that cannot be read is named, exit code 1"
    )
    add("paths", type=Path, nargs="+", metavar="FILE", help=text)
    text = "how many frames of a folder make a second; they are read in the order people count"
    add("--fps", type=float, metavar="N", help=text)
    add("--start", type=float, default=0.0, metavar="S", help="second from which on it is read")
    add("--end", type=float, default=math.inf, metavar="S", help="second up to which it is read")
    add("--every", type=int, default=1, metavar="N", help="look at one of N frames (default 1)")
    text = "measure faces eight times a second: head pose, gaze, openings, 52 blendshapes"
    add("--measure", action="store_true", help=text)
    reading(add)
    add("--json", help="write frames, people and events as JSON; of several videos, a list", **OUT)
    text = (
        "write one row a frame and face; beside it, by OUT's name, one row an event (.events.csv) "
        "and what holds for all rows, such as versions and frame rate (.header.json)"
    )
    add("--csv", help=text, **OUT)
    add("--bom", action="store_true", help=BOM)
    text = "write a report that opens offline, with faces of the strongest events"
    add("--html", help=f"{text}; {_EACH}", **OUT)
    text = "write the video with boxes, names and the ribbon of expressions, as .webm"
    add("--annotated", help=f"{text}; {_EACH}", **OUT)


_EACH: Final = "of several videos, one beside OUT for each, with the video's name in its own"


def video(options: argparse.Namespace) -> int:
    """Find the faces of a video, what they look like over time, and fleeting expressions.

    Ctrl-C stops reading; what was read by then is printed.
    Exit status: 0; 1 where a video of several could not be read, or a film not be written; 2 where
    none could be read; 130 after Ctrl-C.
    """
    check_folders(options.json, options.csv, options.html, options.annotated)
    if options.annotated and options.annotated.suffix.lower() != ".webm":
        raise MerError(f"{options.annotated.name}: the film is WebM. Give it a name with .webm.")
    found: list[tuple[Path, Analysis]] = []
    status, count = 0, len(options.paths)
    for number, path in enumerate(options.paths, 1):
        name = f"{path.name} ({number} of {count})" if count > 1 else path.name
        try:
            found.append((path, _analysed(path, name, options)))
        except VideoError as error:
            status = say(str(error))  # and the others are read
            continue
        if not found[-1][1].complete:
            status = 130
            break
    if found:
        _write_tables([one for _, one in found], options)
        status = max(status, _write_each(found, options))
    return 1 if found and status == 2 else status


def _analysed(path: Path, name: str, options: argparse.Namespace) -> Analysis:
    with _bar(name) as progress:
        from mer.results import report
        from mer.video import analysis

        asked = ("model", "detector", "fps", "every", "measure")
        how = {name: getattr(options, name) for name in asked}
        how |= {"start_s": options.start, "end_s": options.end, "progress": progress}
        with _ctrl_c() as cancelled:
            found = analysis.analyse(path, cancelled=cancelled, **how)
    print(report.summary(found), flush=True)
    return found


def _write_tables(found: Sequence[Analysis], options: argparse.Namespace) -> None:
    import json

    import pandas as pd

    from mer.io import files
    from mer.results import video_tables

    if options.json:
        files.write(options.json, video_tables.json_parts(*found))
    if options.csv:
        kinds = (
            (options.csv.suffix, video_tables.frames_table),
            (".events.csv", video_tables.events_table),
        )
        for ending, table in kinds:
            text = files.csv_text(pd.concat(map(table, found)), bom=options.bom)
            files.write(options.csv.with_suffix(ending), text)
        heads = json.dumps([video_tables.header(one) for one in found], indent=1)
        files.write(options.csv.with_suffix(".header.json"), heads + "\n")


def _write_each(found: Sequence[tuple[Path, Analysis]], options: argparse.Namespace) -> int:
    """Write the reports and then the films, which may fail; return the exit status.

    Of several videos, each has a name of its own.
    """
    from mer.io import files
    from mer.results import drawing, report

    def own(out: Path, number: int) -> Path:
        name = f"{out.stem}-{number}-{found[number - 1][0].stem}{out.suffix}"
        return out.with_name(name) if len(found) > 1 else out

    for number, (path, one) in enumerate(found, 1) if options.html else ():
        files.write(own(options.html, number), report.video_html(one, path))
    status = 0
    for number, (path, one) in enumerate(found, 1) if options.annotated else ():
        out = own(options.annotated, number)
        try:
            with _bar(out.name) as progress, files.atomic(out) as temporary:
                drawing.annotate_video(temporary, path, one, progress)
        except MerError as error:
            status = say(str(error))  # and the other films are written
    return status


@contextlib.contextmanager
def _bar(name: str) -> Iterator[Callable[[float, str], None]]:
    """A progress bar on stderr, where that is a terminal; it shows at once."""
    from tqdm import tqdm

    form = "{percentage:3.0f} % |{bar}| {desc}"
    with tqdm(total=100, desc=name, bar_format=form, disable=None, leave=False) as bar:

        def show(part: float, sentence: str) -> None:
            bar.n = round(100 * part)
            bar.set_description_str(f"{name}: {sentence}")

        yield show


@contextlib.contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed. The second one ends the program, as it does everywhere."""
    pressed: list[object] = []

    def press(*_: object) -> None:
        pressed.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    former = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, former)
