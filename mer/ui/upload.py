"""The Upload tab: pictures in; boxes, a face's figures and why the network said so, files out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import gradio as gr
import numpy as np

from mer.emotions import EMOTIONS
from mer.errors import ImageError, MerError
from mer.faces import detection
from mer.inference import class_activation_map
from mer.inference.predictor import Prediction, Predictor, get_predictor, measured
from mer.io import images
from mer.io.files import csv_text
from mer.results import documents, drawing, tables
from mer.results import report as reports
from mer.ui import parts

MAX_FILES: Final = 30  # keeps what one request holds in memory below 200 MB
MAX_FILE_MB: Final = 40
MEASURE: Final = "Measure faces: head pose, gaze, eyes, mouth, action units"
_EMPTY: Final = parts.lines(
    f"Choose up to {MAX_FILES} pictures of {MAX_FILE_MB} MB each, or paste one with Ctrl+V. "
    "Each face gets a box, and what it looks like."
)
_MANY: Final = (
    f"{{}} pictures are more than the {MAX_FILES} that the page reads at a time. Choose fewer, or "
    "run `python -m mer predict FOLDER`, which has no such limit."
)
_STOPPED: Final = "Cancelled. Change the choice of network to read them again."
_REPORT: Final = (
    '<button type="button" class="save" data-press="#report-pictures">Download report</button>'
)
_SIDE: Final = 240  # pixels of a face kept to be explained: enough to look at; 50 take 9 MB
_KEPT: Final = 50  # such faces
_WHY: Final = "Why? Where the network looks"
_AS_NAMED: Final = "as predicted"
_EXPLAIN: Final = (
    "Bright is what speaks for the class to the network, relative to the rest of this map: what "
    "moved its answer, not whether the answer is right."
)

Face = tuple[str, np.ndarray, str]  # what the face is called, its crop, what it looks like
# Network, detector and faces of a picture, by its path, which no other upload has: another network
# looks at the same faces, and the report asks nobody anew.
Known = dict[str, tuple[str, str, list[Prediction]]]


def build(network: gr.Radio, detector: gr.Radio) -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280, scale=1):
            files = gr.File(file_count="multiple", label="Pictures", elem_id="files", height=190)
            parts.examples(parts.PICTURES, files)
            measure = gr.Checkbox(label=MEASURE, value=False, elem_id="measure")
            stop = gr.Button("Cancel", size="sm", visible=False, elem_id="cancel")
        with gr.Column(min_width=320, scale=3):
            answer = gr.HTML(_EMPTY, elem_id="upload-answer", js_on_load=None)
            reasons = _build_explanation(network)
    report = gr.Button("Report", visible="hidden", elem_id="report-pictures")
    made = gr.HTML(visible="hidden", elem_id="report-made", js_on_load=None)
    known = gr.State({}, time_to_live=600)
    outputs = [answer, *reasons, known, stop]
    inputs = [files, network, detector, known]
    press = report.click(save_report, inputs, made, api_visibility="private")
    parts.hand_over(press, "save('#report-made')", made)
    reading = gr.on(
        [files.change, network.input, detector.input, measure.input],
        read,
        [*inputs, measure],
        outputs,
        api_name="upload",
        api_visibility="undocumented",
        trigger_mode="always_last",
        show_progress_on=[answer],
    )
    stopped = partial(_page, parts.lines(_STOPPED))
    stop.click(stopped, None, outputs, cancels=[reading], api_visibility="private")


def _build_explanation(network: gr.Radio) -> list[gr.Accordion | gr.Dropdown | gr.State]:
    """Lay out the section, hidden until there is a face; return what `_page` fills."""
    with gr.Accordion(_WHY, open=False, visible=False, elem_id="why") as section:
        with gr.Row():
            emotion = gr.Dropdown([_AS_NAMED, *EMOTIONS], label="Class", min_width=140)
            strength = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity", min_width=140)
        maps = gr.HTML(elem_id="maps", js_on_load=None)
        gr.Markdown(_EXPLAIN)
    kept: gr.State = gr.State([], time_to_live=600)
    face = gr.Number(0, visible=False, precision=0, label="Face")
    again = gr.Button(visible="hidden", elem_id="explain")  # pressed when another is selected
    gr.on(
        [section.expand, again.click, emotion.input, strength.input],
        explain,
        [kept, face, emotion, network, strength],
        maps,
        js="(faces, _, ...rest) => [faces, window.mer.face(), ...rest]",
        trigger_mode="always_last",
        api_visibility="private",
    )
    return [section, emotion, kept]


def read(
    files: list[str] | None,
    network: str,
    detector: str,
    known: Known,
    measure: bool = False,
    progress: gr.Progress = gr.Progress(),
) -> Iterator[list[Any]]:
    """Read the pictures at these paths, and yield what `_page` says; a bad one is named."""
    if not files:
        yield _page(_EMPTY)
        return
    try:
        if len(files) > MAX_FILES:
            raise MerError(_MANY.format(len(files)))
        predictor = get_predictor(network, detector)
    except MerError as error:
        yield _page(parts.lines(problems=[str(error)]))
        return
    shots: list[drawing.Picture] = []
    crops: list[np.ndarray] = []
    known = {file: known[file] for file in files if file in known}
    names = [Path(file).name for file in files]
    for done, (file, name) in enumerate(zip(files, names, strict=True)):
        progress((done, len(files)), desc=name, unit="pictures")
        yield [*[gr.skip()] * 5, gr.Button(visible=True)]  # where Cancel takes effect
        told = f"{name} ({before + 1})" if (before := names[:done].count(name)) else name
        shot, faces = read_one(file, told, predictor, known, measure=measure)
        shots.append(shot)
        crops += faces[: _KEPT - len(crops)]
    rows = tables.table([(one.name, one.faces or one.problem) for one in shots], predictor)
    made = dict.fromkeys(("csv", "excel.csv"), csv_text(rows)) | {"json": tables.to_json(rows)}
    links = parts.links(parts.file_name("faces", [one.name for one in shots]), made)
    answer = parts.faces(shots, problems=problems(shots), exports=links + _REPORT)
    yield _page(answer, shots, crops, known)


def _page(
    answer: str,
    shots: Sequence[drawing.Picture] = (),
    crops: Sequence[np.ndarray] = (),
    known: Mapping[str, Any] = MappingProxyType({}),
) -> list[Any]:
    """Updates of the answer, the three parts of what explains it, what is known, and Cancel."""
    named = list(zip(parts.named(shots), crops, strict=False))
    kept = [(name, crop, one.emotion) for (name, one), crop in named]
    classes = named[0][0][1].classes if named else EMOTIONS
    return [
        answer,
        gr.Accordion(visible=bool(kept), open=False),
        gr.Dropdown([_AS_NAMED, *classes], value=_AS_NAMED),
        kept,
        dict(known),
        gr.Button(visible=False),
    ]


def save_report(
    files: list[str] | None,
    network: str,
    detector: str,
    known: Known,
    progress: gr.Progress = gr.Progress(),
) -> str:
    """A link that holds the report on these pictures, for the page's script."""
    shown = progress.tqdm(files or [], desc="Writing the report", unit="pictures")
    text = report(shown, network, detector, known)
    return parts.links(parts.file_name("report", files or []), {"html": text})


def report(files: Iterable[str], network: str, detector: str, known: Known | None = None) -> str:
    """The report on the pictures that can be read, as HTML; MerError where there is none."""
    predictor = get_predictor(network, detector)
    known = dict(known or {})
    shots = [read_one(file, Path(file).name, predictor, known)[0] for file in files]
    shown = [one for one in shots if one.content]
    if not shown:
        raise MerError(" ".join(problems(shots)) or "There are no pictures to report. Choose some.")
    return reports.html(shown, predictor)


def problems(shots: Iterable[drawing.Picture]) -> list[str]:
    """What is wrong with those that show no face."""
    without = (one for one in shots if not one.faces)
    return [parts.no_face(one.name) if one.content else one.problem for one in without]


def read_one(
    file: str, name: str, predictor: Predictor, known: Known, *, measure: bool = False
) -> tuple[drawing.Picture, list[np.ndarray]]:
    """What the picture at this path shows, and the first of its faces, cut out and made small.

    What is `known` of it is neither found nor asked anew; what was not is put there.
    """
    try:
        if not Path(file).exists():
            raise ImageError(f"{name} has been deleted, as every upload is. Choose it again.")
        if Path(file).stat().st_size > MAX_FILE_MB * 1_000_000:
            raise ImageError(f"{name} is larger than {MAX_FILE_MB} MB. Save it smaller, as a JPEG.")
        image = images.read(file)
    except ImageError as error:
        return drawing.Picture(name, b"", problem=str(error)), []
    network, detector, faces = known.get(file, ("", "", []))
    detected = detector == predictor.detector
    found = [one.face for one in faces] if detected else predictor.detect(image)
    crops = [detection.crop(image, face) for face in found]
    if not detected or network != predictor.model:
        faces = predictor.judge(crops, found)
    known[file] = predictor.model, predictor.detector, faces
    if measure:
        faces = measured(image, faces)
    small = [images.resize(crop, _SIDE) for crop in crops[:_KEPT]]
    return drawing.picture(name, image, faces), small


def explain(
    kept: Sequence[Face], index: int | None, emotion: str, network: str, strength: float
) -> str:
    """HTML of the network's class-activation map over one of the kept faces."""
    if not 0 <= (index or 0) < len(kept):
        return ""
    name, crop, named = kept[index or 0]
    wanted = named if emotion == _AS_NAMED else emotion
    activation = class_activation_map.layer_cam(crop, network, wanted)
    image = documents.jpeg(class_activation_map.overlay(crop, activation, strength))
    return documents.render("map.html", name=name, jpeg=image, said=f"{wanted}, to {network}")
