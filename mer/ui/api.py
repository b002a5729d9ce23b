"""The page's actions for programs: named endpoints, not shown; docs/api.md is written from them.

Files go in; JSON, text or pictures come out, where the tabs' own handlers give parts of the page.
"""

import functools
import inspect
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, get_origin

import gradio as gr
import numpy as np

from mer.errors import ImageError, MerError
from mer.faces import detection
from mer.faces.detection import DETECTORS
from mer.inference import class_activation_map
from mer.inference.predictor import get_predictor
from mer.io import images
from mer.results import comparison, drawing, tables, video_tables
from mer.results import report as reports
from mer.ui import header, upload
from mer.ui import video as video_tab
from mer.version import __version__
from mer.video import analysis
from mer.video.types import Analysis
from mer.weights import store

WORKERS: Final = 2  # calls in work at once, of all programs; others wait


def build() -> None:
    """Add the endpoints to the page; they are not shown in it."""
    actions: tuple[Callable[..., Any], ...] = (
        *(predict, predict_all, annotate, explain_face, report),
        *(analyse_video, analyse_part, report_video, compare, evaluation, measure, about),
    )
    with gr.Column(visible=False):
        inputs = _inputs()
        image = gr.Image(format="jpeg")
        outputs = {dict: gr.JSON(), np.ndarray: image, str: gr.Textbox(), float: gr.Number()}
        for action in actions:
            signature = inspect.signature(action)
            given = signature.return_annotation
            gr.Button().click(
                _whole(action),
                [inputs[name] for name in signature.parameters],
                outputs[get_origin(given) or given],
                api_name=action.__name__,
                api_visibility="public",
                concurrency_id="api",
                concurrency_limit=WORKERS,
            )


def _inputs() -> dict[str, gr.components.Component]:
    """What each parameter of the actions is given in; its label is what docs/api.md says of it."""
    names = header.networks()
    measured = "also give head pose, gaze, openings and blendshapes, eight times a second"
    kinds = "all test pictures, or the clean ones, without a twin among those learned from"
    return {
        "picture": gr.File(label="a picture: JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF"),
        "pictures": gr.File(file_count="multiple", label=f"up to {upload.MAX_FILES} pictures"),
        "video": gr.File(label=f"a video of up to {video_tab.MAX_FILE_MB} MB"),
        "network": gr.Radio(names, value=header.first(names), label="which network answers"),
        "detector": gr.Radio(list(DETECTORS), value="yunet", label="what finds the faces"),
        "number": gr.Number(1, precision=0, label="which face, from 1, left to right"),
        "emotion": gr.Textbox("", label="the class; empty for the one that the face looks like"),
        "start": gr.Number(0, label="second from which on it is read"),
        "end": gr.Number(0, label="second up to which it is read; 0 for its end"),
        "every": gr.Number(1, precision=0, label="one of so many frames is looked at"),
        "measure": gr.Checkbox(False, label=measured),
        "protocol": gr.Radio(list(comparison.KINDS), value="all", label=kinds),
    }


def _whole(action: Callable[..., Any]) -> Callable[..., Any]:
    """The action, which is called with all its values, and not with too many pictures."""

    @functools.wraps(action)
    def answered(*given: Any) -> Any:
        if any(one is None for one in given):
            raise MerError("A file, a network or another value is missing. Send them all.")
        if isinstance(given[0] if given else None, list) and len(given[0]) > upload.MAX_FILES:
            raise MerError(f"At most {upload.MAX_FILES} pictures go into a call. Send fewer.")
        return action(*given)

    return answered


def predict(picture: str, network: str, detector: str) -> dict[str, Any]:
    """Say what the faces in a picture look like, as the Upload and the Webcam tab do.

    Returns:
        What `predict_all` says of one picture.
    """
    return predict_all([picture], network, detector)


def predict_all(pictures: Sequence[str], network: str, detector: str) -> dict[str, Any]:
    """Say what the faces in several pictures look like.

    Returns:
        network, version, detector, time, classes and faces: of each its box in pixels, the
        likeliest class, whether that is sure, and the probability of every class. without_face
        names the other pictures, and why: no face in them, or they cannot be read.
    """
    predictor = get_predictor(network, detector)
    found: list[tuple[str, tables.Found]] = []
    for picture in pictures:
        try:
            faces: tables.Found = predictor.predict(images.read(picture))
        except ImageError as error:
            faces = str(error)
        found.append((Path(picture).name, faces))
    problems = [faces for _, faces in found if isinstance(faces, str)]
    if len(problems) == len(found):
        raise MerError(" ".join(problems) or "There are no pictures. Send some.")
    answer: dict[str, Any] = json.loads(tables.to_json(tables.table(found, predictor)))
    return answer


def annotate(picture: str, network: str, detector: str) -> np.ndarray:
    """Draw a numbered box around each face of a picture, with what it looks like.

    Returns:
        The picture, its long side 640 to 1600 pixels.
    """
    image = images.read(picture)
    return drawing.annotate(image, get_predictor(network, detector).predict(image))


def explain_face(
    picture: str, network: str, detector: str, number: int, emotion: str
) -> np.ndarray:
    """Show which parts of a face speak for a class, to the network: a class-activation map.

    Returns:
        The face with the map laid over it.
    """
    image = images.read(picture)
    found = get_predictor(network, detector).predict(image)
    if not 1 <= number <= len(found):
        raise MerError(f"There is no face {number}: {len(found)} were found in the picture.")
    one = found[number - 1]
    crop = detection.crop(image, one.face)
    activation = class_activation_map.layer_cam(crop, network, emotion or one.emotion)
    return class_activation_map.overlay(crop, activation)


def report(pictures: Sequence[str], network: str, detector: str) -> str:
    """Write a report on pictures, to hand on: one HTML file that opens offline.

    Returns:
        The file's content: pictures with boxes, charts, tables, settings, figures, limits.
    """
    return upload.report(pictures, network, detector)


def analyse_video(video: str, network: str, detector: str) -> dict[str, Any]:
    """Say who is in a video when, what they look like, and what passes over their faces.

    Returns:
        Settings, frame rate, notes, limits, people, events, and every frame read.
    """
    return analyse_part(video, network, detector, 0.0, 0.0, 1, False)


def analyse_part(
    video: str, network: str, detector: str, start: float, end: float, every: int, measure: bool
) -> dict[str, Any]:
    """Say the same of a part of a video, or of fewer frames, and measure the faces.

    Returns:
        What `analyse_video` says.
    """
    part = {"start_s": start, "end_s": end or math.inf, "every": int(every), "measure": measure}
    found = _analysed(video, network, detector, **part)
    answer: dict[str, Any] = json.loads(video_tables.to_json(found))
    return answer


def report_video(video: str, network: str, detector: str) -> str:
    """Write the report on a video, to hand on: one HTML file that opens offline.

    Returns:
        The file's content: time lines, events, faces of the strongest ones, settings, limits.
    """
    return reports.video_html(_analysed(video, network, detector), video)


def compare() -> dict[str, Any]:
    """Compare the networks, as the Comparison tab does.

    Returns:
        networks, an object each with its figures as numbers; significance, for all and for clean
        pictures which of `networks` is "better" or "worse" than which by more than chance; rows,
        one a figure with a column a network, as text; verdict, the same in sentences;
        label_noise, how far the labels can be trusted; problems with records.
    """
    records, problems = comparison.read_records()
    matrices = {kind: comparison.significance(records, kind) for kind in comparison.KINDS}
    return {
        "networks": comparison.leaderboard(records),
        "significance": {
            kind: {"networks": names, "matrix": matrix}
            for kind, (names, matrix) in matrices.items()
        },
        "rows": comparison.table(records).to_dict(orient="records") if records else [],
        "verdict": comparison.verdict(records),
        "label_noise": comparison.label_noise(records),
        "problems": problems,
    }


def evaluation(network: str, protocol: str) -> dict[str, Any]:
    """Say how far each class of a network can be trusted, as the Report tab does.

    Returns:
        classes in the order of the matrix, accuracy with its 95 % interval, averages, per_class,
        confusion (a row a true class), confidence.
    """
    record = store.read_record(network)
    tests = comparison.protocols(record)
    name = next((name for name in tests if name.startswith(protocol)), None)
    if name is None:
        raise MerError(f"{network} was not measured on {protocol} pictures. Choose the others.")
    scores = {key: value for key, value in tests[name].items() if key not in ("clean", "mistakes")}
    about = {"network": network, "version": record.get("version"), "protocol": name}
    return {**about, "classes": list(scores["per_class"]), **scores}


def measure(network: str) -> float:
    """Measure how long a network takes for one face on the computer that runs this page.

    Returns:
        Milliseconds, the median of thirty runs.
    """
    from mer.inference import speed

    return round(speed.face_milliseconds(network), 3)


def about() -> dict[str, Any]:
    """Say what this page can be asked, and how far its answers reach.

    Returns:
        version, networks with their classes, detectors, limits.
    """
    records = {name: store.read_record(name) for name in store.available()}
    return {
        "version": __version__,
        "networks": {name: list(store.classes(record)) for name, record in records.items()},
        "detectors": list(DETECTORS),
        "limits": [*reports.LIMITS, *video_tables.LIMITS[1:]],
    }


def _analysed(path: str, network: str, detector: str, **part: Any) -> Analysis:
    return analysis.analyse(
        path,
        model=network,
        detector=detector,
        progress=lambda *_: video_tab.renew(path),
        longest_s=60 * video_tab.MAX_MINUTES,
        **part,
    )
