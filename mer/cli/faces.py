"""`predict`, `video` and `batch`: what faces look like in pictures and videos."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mer.cli.common import BOM, OUT, check_folders, command, nobody_listens, reading, say
from mer.errors import MerError, VideoError

if TYPE_CHECKING:
    import pandas as pd

    from mer.video.types import Analysis

NO_FACE: Final = (
    "no face found. Try a larger, brighter or more frontal face. If the picture is a cut-out face, "
    "say --detector none."
)
_EACH: Final = "of several videos, one beside OUT for each, with the video's name in its own"


def add_predict(commands: Any) -> None:
    """Put `predict` among the commands."""
    add = command(commands, "predict", predict).add_argument
    text = (
        "a picture, a folder, a quoted pattern such as 'album/**/*.jpg', a zip, or - for stdin; "
        "one that cannot be read is named, exit code 1 (2 where none can)"
    )
    add("paths", nargs="+", metavar="PATH", help=text)
    reading(add)
    text = "upright faces only, the small ones beside large ones not surely: a third of the time"
    add("--quick", action="store_true", help=text)
    text = "measure each face: head pose, gaze, openings, 52 blendshapes (columns of CSV and JSON)"
    add("--measure", action="store_true", help=text)
    text = "of what is printed, a line a face as it is found (default %(default)s)"
    add("--format", choices=("table", "csv", "jsonl"), default="table", help=text)
    text = "write a CSV file: one row a face, and one with the reason where there is none"
    add("--csv", help=text, **OUT)
    add("--bom", action="store_true", help=BOM)
    add("--json", help="write a JSON file: one entry a face", **OUT)
    text = "write a report that opens offline: pictures, charts, figures, limits"
    add("--html", help=text, **OUT)


def predict(options: argparse.Namespace) -> int:
    """Say what the faces in pictures look like.

    A picture that cannot be read is named and the rest go on.
    Exit status: 0; 1 where a picture of several could not be read, 2 where none could.
    """
    check_folders(options.csv, options.json, options.html)
    from tqdm import tqdm

    from mer.inference import predictor
    from mer.io import decoding, files, sources
    from mer.results import drawing, report, tables

    decoding.POOL.prepare()  # it starts while the network is read
    asked = predictor.get_predictor(options.model, options.detector)
    faces: list[tuple[str, tables.Found]] = []
    shown: list[drawing.Picture] = []
    read = unread = 0
    head = True
    hidden = sys.stdout.isatty() or None  # None: where stderr is no terminal
    pictures = sources.pictures(options.paths)
    for name, image in tqdm(pictures, unit=" pictures", leave=False, disable=hidden):
        if isinstance(image, MerError):
            unread += 1
            say(str(image))
            faces.append((name, str(image)))
        else:
            read += 1
            found = asked.predict(image, quick=options.quick, measure=options.measure)
            faces.append((name, found))
            if options.html:
                shown.append(drawing.picture(name, image, found))
        if options.format != "table" or not isinstance(image, MerError):
            _show(tables.table(faces[-1:], asked), options, head=head)
            head = False
        if not (options.csv or options.json):
            faces.clear()
    table = tables.table(faces, asked)
    if options.csv:
        files.write(options.csv, files.csv_text(table, bom=options.bom))
    if options.json:
        files.write(options.json, tables.to_json(table))
    if options.html:
        files.write(options.html, report.html(shown, asked))
    return (1 if read else 2) if unread else 0


def _show(faces: pd.DataFrame, options: argparse.Namespace, *, head: bool) -> None:
    """Print what was found in a picture; files are written although the reader has left."""
    from mer.results import tables

    try:
        print(_text(faces, options.format, head=head), end="", flush=True)
    except BrokenPipeError:
        if not (options.csv or options.json or options.html):
            raise
        nobody_listens()
    if options.format != "table":
        for name in faces.loc[faces["reason"] == tables.NO_FACE, "file"]:
            say(f"{name}: {NO_FACE}")


def _text(faces: pd.DataFrame, form: str, *, head: bool) -> str:
    from mer.io import files
    from mer.results import tables

    if form == "jsonl":
        return tables.to_json_lines(faces)
    if form == "csv":
        text = files.csv_text(faces)
        return text if head else text.partition("\n")[2]
    line = "{:>4} {:>6} {:>6} {:>6} {:>6}  {:<14} {:>11}  {:<6}  {}\n".format
    names = ("face", "x", "y", "width", "height", "looks like", "probability", "", "file")
    text = line(*names) if head else ""
    for row in faces.itertuples():
        if row.reason:
            text += f"{row.file}: {NO_FACE}\n"
            continue
        answer = row.emotion, f"{row.probability:.2f}", "" if row.sure else "unsure", row.file
        text += line(row.face, row.x, row.y, row.width, row.height, *answer)
    return text


def add_video(commands: Any) -> None:
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
    import pandas as pd

    from mer.io import files
    from mer.results.video_tables import events_table, frames_table, header, json_parts

    if options.json:
        files.write(options.json, json_parts(*found))
    if options.csv:
        tables = {options.csv.suffix: frames_table, ".events.csv": events_table}
        for ending, table in tables.items():
            text = files.csv_text(pd.concat(map(table, found)), bom=options.bom)
            files.write(options.csv.with_suffix(ending), text)
        heads = json.dumps([header(one) for one in found], indent=1)
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

    status, numbered = 0, list(enumerate(found, 1))
    for number, (path, one) in numbered if options.html else []:
        files.write(own(options.html, number), report.video_html(one, path))
    for number, (path, one) in numbered if options.annotated else []:
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


def add_batch(commands: Any) -> None:
    """Put `batch` among the commands."""
    text = (
        "Score a great many pictures and videos, on all cores or on a cluster, to Parquet "
        "(needs pip install 'mer[scale]')"
    )
    add = command(commands, "batch", batch, text).add_argument
    text = "a folder, a zip, a pattern, or a list of paths (.txt; .csv with a column file or path)"
    add("source", metavar="SOURCE", help=text)
    text = "folder of the results; a run that was cut off goes on there"
    add("--out", type=Path, required=True, metavar="DIR", help=text)
    reading(add)
    text = "processes that each hold the network (default: one a core)"
    add("--workers", type=_count, metavar="N", help=text)
    text = "a Ray cluster to work on, such as auto or HOST:6379 (default: this machine alone)"
    add("--address", metavar="ADDRESS", help=text)


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers, from 1")
    return int(text)


def batch(options: argparse.Namespace) -> int:
    """Print how many rows each table has. Ctrl-C stops, and the same command goes on."""
    from tqdm import tqdm

    try:
        import mer.batch.scoring as scoring
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("ray", "pyarrow"):
            raise
        raise MerError("This needs Ray, which is an extra: pip install 'mer[scale]'.") from error
    with tqdm(unit=" items", disable=None) as bar:

        def show(step: Any) -> None:
            bar.total = step.items
            # What is of an earlier run is no part of this one's speed.
            bar.n, bar.initial = step.done, bar.initial if step.worker else step.done
            bar.refresh()

        names = ("model", "detector", "workers", "address")
        asked = {name: getattr(options, name) for name in names}
        try:
            rows = scoring.score(options.source, options.out, progress=show, **asked)
        except KeyboardInterrupt:
            text = f"stopped after {bar.n} of {bar.total} items; the same command goes on"
            print(f"mer: {text}", file=sys.stderr)
            return 130
    for table, count in rows.items():
        print(f"{table:8}{count:10}")
    return 0
