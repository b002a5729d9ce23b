"""`python -m benchmarks COMMAND`: how long things take, and how well events are found."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mer.cli.common import command, say
from mer.errors import MerError
from mer.models.registry import DEFAULT_MODEL, NETWORKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one benchmark and return its exit status: 0, or 2 with one sentence on stderr."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except MerError as error:
        return say(str(error))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of every benchmark."""
    root = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures mer.")
    commands = root.add_subparsers(title="commands", required=True, metavar="COMMAND")
    groups = (
        *(_stages, _picture, _video, _spotting, _live, _batch),
        *(_comparison, _runtimes, _travel, _robustness, _pose, _blendshapes),
    )
    for group in groups:
        group(commands)
    return root


def _reported(module: str, report: str = "report") -> Callable[[argparse.Namespace], None]:
    """A command that prints what `report` of a module returns, which takes the command's options.

    The module is imported when the command runs.
    """

    def run(options: argparse.Namespace) -> None:
        told = {name: value for name, value in vars(options).items() if name != "command"}
        print(getattr(importlib.import_module(f"benchmarks.{module}"), report)(**told))

    return run


def _model(add: Any) -> None:
    add("--model", choices=NETWORKS, default=DEFAULT_MODEL, help="network (default %(default)s)")


def _face(add: Any) -> None:
    text = "a picture of a face to use (default: scikit-image's astronaut)"
    add("--picture", type=Path, metavar="FILE", help=text)


def _stages(commands: Any) -> None:
    text = "Time every stage from a file to a drawn picture"
    add = command(commands, "stages", _reported("timing"), text).add_argument
    _model(add)
    _face(add)
    add("--repeats", type=int, default=20, help="runs to take medians of (default %(default)s)")


def _picture(commands: Any) -> None:
    text = "Time the default way of a picture in this tree and in another revision, in turn"
    add = command(commands, "picture", _reported("picture"), text).add_argument
    text = "what git calls the other one (default: %(default)s, version 0.1.0)"
    add("--against", dest="revision", default="c3bb20c", metavar="REVISION", help=text)
    text = "runs to take medians of (default %(default)s)"
    add("--repeats", dest="runs", type=int, default=40, metavar="N", help=text)


def _video(commands: Any) -> None:
    text = "Time every stage of a video, over its length and the number of faces, on made clips"
    add = command(commands, "video", video, text).add_argument
    _model(add)
    _face(add)
    add("--quick", action="store_true", help="short clips only")


def video(options: argparse.Namespace) -> None:
    """Print where the time of an analysis goes."""
    from benchmarks import video_profile

    sizes = {"seconds": (2, 4), "crowds": (1, 2)} if options.quick else {}
    print(video_profile.report(options.model, picture=options.picture, **sizes))


def _spotting(commands: Any) -> None:
    text = "Score the spotting of expressions on made clips, over motion and frame rate"
    add = command(commands, "spotting", spotting, text).add_argument
    text = "a picture or a video of a face to make the clips of (default: scikit-image's astronaut)"
    add("--face", type=Path, metavar="PICTURE_OR_VIDEO", help=text)
    text = "of all chance in the clips: another one makes other clips (default %(default)s)"
    add("--seed", type=int, default=0, metavar="N", help=text)
    add("--quick", action="store_true", help="a few short clips only")
    text = "score real recordings instead: a folder that holds casme2 and flashes"
    add("--real", type=Path, metavar="DIR", help=text)
    text = "frames a second at which the recordings between stills are shown (default 30 60)"
    add("--fps", type=float, nargs="+", metavar="N", help=text)
    text = "only every Nth recording between stills, and in --stable (default %(default)s)"
    add("--every", type=int, default=1, metavar="N", help=text)
    text = "also compare the events of clips with those of smaller, coarser, mirrored ones"
    add("--stable", action="store_true", help=text)
    add("--json", type=Path, metavar="OUT", help="also write all scores to this file")
    add("--save", action="store_true", help="keep the figures beside the weights, for documents")


def spotting(options: argparse.Namespace) -> None:
    """Print F1, errors in time and false alarms, as Markdown."""
    from benchmarks import spotting, spotting_record
    from mer.io import files

    if options.real:
        from benchmarks.real import spotting as real

        rates = options.fps or real.RATES
        found = real.measure(options.real, rates=rates, every=options.every, stable=options.stable)
        kept = {name: found[name] for name in ("sets", "every", "stability")}
        text = spotting_record.real(found)
    else:
        found = spotting.measure(options.face, quick=options.quick, seed=options.seed)
        kept, text = found["figures"], found["text"]
    if options.json:
        files.write_json(options.json, {name: found[name] for name in found if name != "text"})
    if options.save:
        spotting_record.save("real" if options.real else "made", kept)
    print(text)


def _live(commands: Any) -> None:
    text = "Send ten visitors to the live view of a page of its own, and time its answers"
    add = command(commands, "live", _reported("live"), text).add_argument
    _model(add)
    add("--seconds", type=float, default=15, help="of their visits (default %(default)s)")


def _batch(commands: Any) -> None:
    text = "Time `batch` with one worker and with two, and say what great numbers cost on paper"
    add = command(commands, "batch", _reported("batch"), text).add_argument
    _model(add)
    _face(add)
    text = "small pictures to score; of large ones it is a quarter (default %(default)s)"
    add("--count", type=int, default=400, help=text)


def _comparison(commands: Any) -> None:
    text = "Measure all beside other programs and the machine's limit, and write it down"
    run = _reported("comparison.report", "write")
    add = command(commands, "comparison", run, text).add_argument
    text = "the paper's data set, for the accuracies; without it they are left out"
    add("--data", dest="source", type=Path, metavar="DIR", help=text)
    text = "folder for benchmarks.md and benchmarks.svg (default %(default)s)"
    add("--out", type=Path, default=Path("docs/lab"), help=text)
    text = "folder where other programs are installed (default %(default)s)"
    add(
        "--rivals", dest="folder", type=Path, default=Path("build/rivals"), metavar="DIR", help=text
    )


def _runtimes(commands: Any) -> None:
    text = "Time each network in torch, ONNX Runtime and OpenVINO"
    command(commands, "runtimes", _reported("comparison.runtimes"), text)


def _travel(commands: Any) -> None:
    text = "Train without some data sets, and judge on those: how a network does on other faces"
    add = command(commands, "travel", travel, text).add_argument
    _model(add)
    add("--start", type=Path, required=True, metavar="FILE", help="weights to begin from")
    text = "data sets of face crops"
    add("--data", type=Path, nargs="+", required=True, metavar="DIR", help=text)
    text = "data sets of pictures that show more than a face"
    add("--cut", type=Path, nargs="+", default=[], metavar="DIR", help=text)
    text = "names of sets to leave out together, joined by +; one training each"
    add("--leave", nargs="+", required=True, metavar="SET[+SET]", help=text)
    text = "folder for weights and checkpoints (default %(default)s)"
    add("--out", type=Path, default=Path("runs/travel"), metavar="DIR", help=text)
    text = (
        "of the trained weights in the mean with --start that is judged; 0 trains nothing, for a"
        " start that learned from none of the left-out sets (default %(default)s)"
    )
    add("--share", type=float, default=1.0, metavar="PART", help=text)
    text = "of 20,000 pictures each, that are learned (default 2)"
    add("--epochs", type=int, metavar="N", help=text)
    text = "networks whose answers are half of the targets of AffectNet, with its doubtful labels"
    add("--teachers", type=Path, nargs="+", default=(), metavar="FILE", help=text)
    text = "trainings with different seeds; the mean of their weights is judged (default 1)"
    add("--seeds", type=int, default=1, metavar="N", help=text)
    add("--save", action="store_true", help="keep temperature and threshold in the record")


def travel(options: argparse.Namespace) -> None:
    """Print the table of sets that were not learned from."""
    from benchmarks import travel
    from mer.evaluation import calibration
    from mer.training import devices

    devices.keep_freed_memory()
    groups = [group.split("+") for group in options.leave]
    table, fitted = travel.report(
        options.model,
        options.start,
        options.data,
        options.cut,
        groups,
        options.out,
        options.share,
        options.epochs,
        options.teachers,
        options.seeds,
    )
    print(table)
    if options.save:
        calibration.save(options.model, fitted)


def _robustness(commands: Any) -> None:
    text = "Measure detector and networks on smaller, leaning, blurred, dark and covered faces"
    add = command(commands, "robustness", robustness, text).add_argument
    where = "photographs with dlib's XML lists of their boxed faces, for the detector"
    add("--faces", type=Path, required=True, metavar="DIR", help=where)
    text = "what the networks were trained on last; they get pictures that it held out"
    add("--data", type=Path, required=True, metavar="DIR", help=text)
    add("--model", choices=NETWORKS, nargs="+", help="networks (default: all that have weights)")
    add("--pictures", type=int, default=210, help="for the networks (default %(default)s)")
    add("--save", action="store_true", help="keep the figures beside the weights, for the page")


def robustness(options: argparse.Namespace) -> None:
    """Print a table for each way of getting worse, and how far away a face may be."""
    from benchmarks import robustness as measurement
    from benchmarks import robustness_report
    from mer.weights import store

    names = options.model or [name for name in NETWORKS if name in store.available()]
    result = measurement.measure(names, options.faces, options.data, pictures=options.pictures)
    print("\n\n".join(robustness_report.text(result)))
    if options.save:
        print(f"\nwritten: {measurement.save(result)}")


def _pose(commands: Any) -> None:
    text = "Turn frontal faces to the side by known angles, and see what angle is told"
    add = command(commands, "pose", _reported("pose"), text).add_argument
    text = "folders of pictures with one frontal face each"
    add("--data", type=Path, nargs="+", required=True, metavar="DIR", help=text)
    add("--faces", type=int, default=40, help="pictures, evenly spread (default %(default)s)")


def _blendshapes(commands: Any) -> None:
    text = "Compare blendshapes with those of MediaPipe, which another interpreter runs"
    add = command(commands, "blendshapes", _reported("blendshapes"), text).add_argument
    text = "folders of pictures with one face each"
    add("--data", type=Path, nargs="+", required=True, metavar="DIR", help=text)
    text = "an interpreter that can import mediapipe"
    add("--python", type=Path, required=True, metavar="FILE", help=text)
    text = "MediaPipe's face_landmarker.task"
    add("--task", type=Path, required=True, metavar="FILE", help=text)
    add("--faces", type=int, default=100, help="pictures, evenly spread (default %(default)s)")


if __name__ == "__main__":
    sys.exit(main())
