"""The command `predict`: what the faces in pictures look like."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mer.cli.common import bom, check_folders, command, detector, network, nobody_listens, say
from mer.errors import MerError
from mer.models.registry import DEFAULT_MODEL

if TYPE_CHECKING:
    import pandas as pd

    from mer.inference.predictor import Predictor
    from mer.results.report import Picture

FORMATS: Final = ("table", "csv", "jsonl")
NO_FACE: Final = (
    "no face found. Try a larger, brighter or more frontal face. If the picture is a cut-out face, "
    "say --detector none."
)


def add(commands: Any) -> None:
    """Add `predict` to the commands."""
    text = "Say what the faces in pictures look like"
    add = command(commands, "predict", predict, text).add_argument
    text = (
        "a picture, a folder, a quoted pattern such as 'album/**/*.jpg', a zip, or - for stdin; "
        "one that cannot be read is named, exit code 1 (2 where none can)"
    )
    add("paths", nargs="+", metavar="PATH", help=text)
    network(add, DEFAULT_MODEL)
    detector(add)
    text = "upright faces only, the small ones beside large ones not surely: a third of the time"
    add("--quick", action="store_true", help=text)
    text = "measure each face: head pose, gaze, openings, 52 blendshapes (columns of CSV and JSON)"
    add("--measure", action="store_true", help=text)
    text = "of what is printed, a line a face as it is found (default %(default)s)"
    add("--format", choices=FORMATS, default="table", help=text)
    text = "write a CSV file: one row a face, and one with the reason where there is none"
    add("--csv", type=Path, metavar="OUT", help=text)
    bom(add)
    add("--json", type=Path, metavar="OUT", help="write a JSON file: one entry a face")
    text = "write a report that opens offline: pictures, charts, figures, limits"
    add("--html", type=Path, metavar="OUT", help=text)


def predict(options: argparse.Namespace) -> int:
    """Print one line a face; a picture that cannot be read is named and the rest go on.

    Exit status: 0; 1 where a picture of several could not be read, 2 where none could.
    """
    check_folders(options.csv, options.json, options.html)
    from mer.inference import predictor
    from mer.io import decoding, sources
    from mer.results import report, tables

    decoding.POOL.prepare()  # it starts while the network is read
    asked = predictor.get_predictor(options.model, options.detector)
    faces: list[tuple[str, tables.Found]] = []
    shown: list[Picture] = []
    read = unread = answers = 0
    for name, image in _progress(sources.pictures(options.paths)):
        found: tables.Found
        if isinstance(image, MerError):
            unread += 1
            found = str(image)
            say(found)
        else:
            read += 1
            found = asked.predict(image, quick=options.quick, measure=options.measure)
            if options.html:
                shown.append(report.picture(name, image, found))
        if options.csv or options.json:
            faces.append((name, found))
        if options.format == "table" and isinstance(found, str):
            continue
        try:
            _show(name, tables.table([(name, found)], asked), options.format, first=not answers)
        except BrokenPipeError:  # files are written although the reader has left
            if not (options.csv or options.json or options.html):
                raise
            nobody_listens()
        answers += 1
    _write(options, tables.table(faces, asked), shown, asked)
    return (1 if read else 2) if unread else 0


def _write(
    options: argparse.Namespace, faces: pd.DataFrame, shown: Sequence[Picture], asked: Predictor
) -> None:
    from mer.io import files
    from mer.results import report, tables

    if options.csv:
        files.write(options.csv, files.csv_text(faces, bom=options.bom))
    if options.json:
        files.write(options.json, tables.to_json(faces))
    if options.html:
        files.write(options.html, report.html(shown, asked))


def _progress(items: Iterator[Any]) -> Iterator[Any]:
    """Show a count on stderr, if that is a terminal and stdout is not."""
    from tqdm import tqdm

    hidden = True if sys.stdout.isatty() else None
    yield from tqdm(items, unit=" pictures", leave=False, disable=hidden)


def _show(name: str, faces: pd.DataFrame, shape: str, *, first: bool) -> None:
    """Print what was found in a picture, after a head where it is the first."""
    from mer.io import files
    from mer.results import tables

    if shape == "table":
        _show_lines(name, faces, first=first)
        return
    if shape == "csv":
        text = files.csv_text(faces)
        print(text if first else text.partition("\n")[2], end="", flush=True)
    else:
        print(tables.to_json_lines(faces), end="", flush=True)
    if (faces["reason"] == tables.NO_FACE).any():
        say(f"{name}: {NO_FACE}")


def _show_lines(name: str, faces: pd.DataFrame, *, first: bool) -> None:
    line = "{:>4} {:>6} {:>6} {:>6} {:>6}  {:<14} {:>11}  {:<6}  {}".format
    if first:
        print(line("face", "x", "y", "width", "height", "looks like", "probability", "", "file"))
    for row in faces.itertuples():
        if row.reason:
            print(f"{name}: {NO_FACE}", flush=True)
            continue
        sure = "" if row.sure else "unsure"
        box = (row.face, row.x, row.y, row.width, row.height)
        print(line(*box, row.emotion, f"{row.probability:.2f}", sure, name), flush=True)
