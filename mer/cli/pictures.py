"""`predict`: what the faces in pictures look like."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mer.cli.common import DEFAULT_MODEL, DETECTORS, MODELS, command, say
from mer.errors import MerError

if TYPE_CHECKING:
    import pandas as pd


def add(commands: Any) -> None:
    """Put `predict` among the commands."""
    text = "Say what the faces in pictures look like"
    add = command(commands, "predict", predict, text).add_argument
    add("paths", nargs="+", metavar="PATH", help="a picture, or a folder of pictures")
    add("--model", choices=MODELS, default=DEFAULT_MODEL, help="network (default %(default)s)")
    add("--detector", choices=DETECTORS, default="yunet", help="default %(default)s")
    add("--csv", type=Path, metavar="OUT", help="write a CSV file: one row a face")
    add("--json", type=Path, metavar="OUT", help="write a JSON file: one entry a face")


def predict(options: argparse.Namespace) -> int:
    """Print one line a face; a picture that cannot be read is named and the rest go on."""
    from mer import images, predictor, results

    network = predictor.get_predictor(options.model, options.detector)
    pictures, status = [], 0
    for path in _pictures(options.paths):
        try:
            pictures.append((str(path), network.predict(images.read(path))))
        except MerError as error:
            status = say(str(error))
    table = results.table(
        pictures,
        network=options.model,
        version=str(network.record["version"]),
        detector=options.detector,
    )
    _print_faces(pictures, table)
    if options.csv:
        options.csv.write_text(results.to_csv(table), encoding="utf-8")
    if options.json:
        options.json.write_text(results.to_json(table), encoding="utf-8")
    return status


def _pictures(paths: Sequence[str]) -> list[Path]:
    """Return the files among `paths`, and the pictures that lie directly in the folders."""
    from mer.data import SUFFIXES

    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else []
        pictures = [file for file in inside if file.suffix.lower() in SUFFIXES]
        if path.is_dir() and not pictures:
            raise MerError(f"There are no pictures in the folder {path}. Name another.")
        found += pictures or [path]
    return found


def _print_faces(pictures: Sequence[tuple[str, Sequence[Any]]], table: pd.DataFrame) -> None:
    if len(table):
        columns = ["file", "face", "x", "y", "width", "height", "emotion", "probability"]
        shown = table[columns].rename(columns={"emotion": "looks like"})
        print(shown.to_string(index=False, float_format="{:.2f}".format))
    for name, predictions in pictures:
        if not predictions:
            print(f"{name}: no face found. Try a larger, brighter or more frontal face.")
