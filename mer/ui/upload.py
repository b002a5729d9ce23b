"""The Upload tab: pictures in; boxes, one selected face's figures, and files to export out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import gradio as gr
import numpy as np

from mer.errors import ImageError, MerError
from mer.faces import detection, measures
from mer.inference.predictor import Prediction, Predictor, get_predictor
from mer.io import files, images
from mer.results import report as reports
from mer.results import tables
from mer.ui import downloads, examples, explanation, faces, notes

MAX_FILES: Final = 30  # keeps what one request holds in memory below 200 MB
MAX_FILE_MB: Final = 40
MEASURE: Final = "Measure faces: head pose, gaze, eyes, mouth, action units"
_EMPTY: Final = notes.lines(
    [
        f"Choose up to {MAX_FILES} pictures of {MAX_FILE_MB} MB each, or paste one with Ctrl+V. "
        "Each face gets a box, and what it looks like."
    ]
)
_REPORT: Final = (
    '<button type="button" class="save" data-press="#report-pictures">Download report</button>'
)


@dataclass(frozen=True)
class Answer:
    """What is known of a picture, in numbers: the next network looks at the same faces."""

    network: str
    detector: str
    faces: list[Prediction]


Known = dict[str, Answer]  # by the picture's path, which no other upload has


@dataclass
class Answers:
    """What came of a request so far: pictures with their faces, crops, and what went wrong."""

    shots: list[reports.Picture] = field(default_factory=list)
    crops: list[np.ndarray] = field(default_factory=list)  # of the first faces, one after another
    known: Known = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def build(network: gr.Radio, detector: gr.Radio) -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280, scale=1):
            files = gr.File(file_count="multiple", label="Pictures", elem_id="files", height=190)
            examples.build_picture(files)
            measure = gr.Checkbox(label=MEASURE, value=False, elem_id="measure")
            stop = gr.Button("Cancel", size="sm", visible=False, elem_id="cancel")
        with gr.Column(min_width=320, scale=3):
            answer = gr.HTML(_EMPTY, elem_id="upload-answer", js_on_load=None)
            reasons = explanation.build(network)
    report = gr.Button("Report", visible="hidden", elem_id="report-pictures")
    made = gr.HTML(visible="hidden", elem_id="report-made", js_on_load=None)
    known = gr.State({}, time_to_live=600)
    outputs = [answer, *reasons, known, stop]
    _handed_over(report, [files, network, detector, known], made)
    reading = gr.on(
        [files.change, network.input, detector.input, measure.input],
        read,
        [files, network, detector, known, measure],
        outputs,
        api_name="upload",
        api_visibility="undocumented",
        trigger_mode="always_last",
        show_progress_on=[answer],
    )
    stop.click(_stopped, None, outputs, cancels=[reading], api_visibility="private")


def _handed_over(button: gr.Button, inputs: list[gr.components.Component], made: gr.HTML) -> None:
    """Have the page's script save the report; then the component is emptied."""
    press = button.click(save_report, inputs, made, api_visibility="private")
    press.then(js="() => window.mer.save('#report-made')").then(
        lambda: "", None, made, api_visibility="private", show_progress="hidden"
    )


def read(
    files: list[str] | None,
    network: str,
    detector: str,
    known: Known,
    measure: bool = False,
    progress: gr.Progress = gr.Progress(),
) -> Iterator[list[Any]]:
    """Read the pictures at these paths; a bad one is named and the others go on.

    Yields updates of: the answer as HTML, what explains it, what is known of the pictures, the
    Cancel button.
    """
    if not files:
        yield _nothing(_EMPTY)
        return
    if len(files) > MAX_FILES:
        yield _nothing(notes.lines([], problems=[_too_many(len(files))]))
        return
    try:
        predictor = get_predictor(network, detector)
    except MerError as error:
        yield _nothing(notes.lines([], problems=[str(error)]))
        return
    answers = Answers()
    names = _unique([Path(file).name for file in files])
    for done, (file, name) in enumerate(zip(files, names, strict=True)):
        progress((done, len(files)), desc=name, unit="pictures")
        yield [*[gr.skip()] * 5, gr.Button(visible=True)]  # where Cancel takes effect
        _read_one(file, name, predictor, known, answers, measure=measure)
    yield _page(answers, predictor)


def save_report(
    files: list[str] | None,
    network: str,
    detector: str,
    known: Known,
    progress: gr.Progress = gr.Progress(),
) -> str:
    """A link that holds the report on these pictures, read once more, for the page's script."""
    shown = progress.tqdm(files or [], desc="Writing the report", unit="pictures")
    name = downloads.name("report", [Path(file).name for file in files or []])
    return downloads.links(name, {"html": report(shown, network, detector, known)})


def report(files: Iterable[str], network: str, detector: str, known: Known | None = None) -> str:
    """The report on the pictures at these paths, as HTML; what cannot be read is left out.

    Raises:
        MerError: none of them can be read.
    """
    predictor = get_predictor(network, detector)
    answers = Answers()
    for file in files:
        _read_one(file, Path(file).name, predictor, known or {}, answers)
    shown = [one for one in answers.shots if one.content]
    if not shown:
        raise MerError(
            " ".join(answers.problems) or "There are no pictures to report. Choose some."
        )
    return reports.html(shown, predictor)


def _read_one(
    file: str,
    name: str,
    predictor: Predictor,
    known: Known,
    answers: Answers,
    *,
    measure: bool = False,
) -> None:
    try:
        _check(file, name)
        image = images.read(file)
    except ImageError as error:
        answers.problems.append(str(error))
        answers.shots.append(reports.Picture(name, b"", problem=str(error)))
        return
    predictions, crops = _answered(file, image, predictor, known)
    answers.known[file] = Answer(predictor.model, predictor.detector, predictions)
    if measure:
        found = (measures.measure(image, one.face) for one in predictions)
        predictions = [
            replace(one, measures=own) for one, own in zip(predictions, found, strict=True)
        ]
    answers.shots.append(reports.picture(name, image, predictions))
    answers.crops += crops[: explanation.MOST - len(answers.crops)]
    if not predictions:
        answers.problems.append(notes.no_face(name))


def _answered(
    file: str, image: np.ndarray, predictor: Predictor, known: Known
) -> tuple[list[Prediction], list[np.ndarray]]:
    """Predictions and crops of a picture's faces; what is known is neither found nor asked anew."""
    before = known.get(file)
    if before and before.detector == predictor.detector:
        found = [one.face for one in before.faces]
    else:
        before, found = None, predictor.detect(image)
    crops = [detection.crop(image, face) for face in found]
    if before and before.network == predictor.model:
        return before.faces, crops
    return predictor.judge(crops, found), crops


def _check(file: str, name: str) -> None:
    if not Path(file).exists():
        raise ImageError(f"{name} has been deleted, as every upload is. Choose it again.")
    if Path(file).stat().st_size > MAX_FILE_MB * 1_000_000:
        raise ImageError(f"{name} is larger than {MAX_FILE_MB} MB. Save it smaller, as a JPEG.")


def _page(answers: Answers, predictor: Predictor) -> list[Any]:
    named = faces.named(answers.shots)
    shown = zip(named, answers.crops, strict=False)
    links = downloads.links(
        downloads.name("faces", [one.name for one in answers.shots]),
        _files(answers.shots, predictor),
    )
    return [
        faces.html(answers.shots, problems=answers.problems, exports=links + _REPORT),
        *explanation.show([(title, crop, one) for (title, one), crop in shown]),
        answers.known,
        gr.Button(visible=False),
    ]


def _files(shots: Sequence[reports.Picture], predictor: Predictor) -> dict[str, str]:
    rows = tables.table([(one.name, one.faces or one.problem) for one in shots], predictor)
    text = files.csv_text(rows)
    return {"csv": text, "excel.csv": text, "json": tables.to_json(rows)}


def _nothing(text: str) -> list[Any]:
    return [text, *explanation.show([]), {}, gr.Button(visible=False)]


def _stopped() -> list[Any]:
    return _nothing(notes.lines(["Cancelled. Change the choice of network to read them again."]))


def _too_many(count: int) -> str:
    return (
        f"{count} pictures are more than the {MAX_FILES} that the page reads at a time. Choose "
        "fewer, or run `python -m mer predict FOLDER`, which has no such limit."
    )


def _unique(names: Sequence[str]) -> list[str]:
    """The names, with a number in brackets from the second time that one comes."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told
