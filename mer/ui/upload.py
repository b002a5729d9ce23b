"""The Upload tab: pictures in; boxes, a table with one row a face, CSV and JSON out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import gradio as gr
import numpy as np
import pandas as pd

from mer.errors import ImageError, MerError
from mer.faces import detection
from mer.inference.predictor import Prediction, Predictor, get_predictor
from mer.io import images
from mer.results import drawing, tables
from mer.results import report as reports
from mer.results.wording import choices
from mer.ui import bars, downloads, examples, explanation, notes
from mer.ui import choices as chosen
from mer.ui.errors import in_words

MAX_FILES: Final = 30  # keeps what one request holds in memory below 200 MB
MAX_FILE_MB: Final = 40
_HEAD: Final = ["Picture", "#", "Looks like", "Second", "Third", "Sure", "Detector"]
_EMPTY: Final = (
    f"Drop pictures here, choose them, or paste one with Ctrl+V. Up to {MAX_FILES} at a time, "
    f"{MAX_FILE_MB} MB each. Without one, take the example."
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
    """What came of a request so far: pictures, faces by file name, and what went wrong."""

    gallery: list[tuple[np.ndarray, str]] = field(default_factory=list)
    faces: list[tuple[str, list[Prediction] | str]] = field(default_factory=list)  # or why none
    crops: list[np.ndarray] = field(default_factory=list)  # of the first faces, one after another
    known: Known = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=2):
            files = gr.File(file_count="multiple", label="Pictures", elem_id="files", height=190)
            examples.build_picture(files)
            network, detector = chosen.build()
            stop = gr.Button("Cancel", size="sm", visible=False, elem_id="cancel")
        with gr.Column(min_width=320, scale=3):
            answer = gr.HTML(notes.lines([_EMPTY]), elem_id="upload-answer", js_on_load=None)
            gallery = gr.Gallery(
                show_label=False,
                format="jpeg",
                interactive=False,
                visible=False,
                preview=True,
                object_fit="contain",
                height="min(460px, 92vw)",
                buttons=["download", "fullscreen"],
                elem_id="gallery",
            )
    table = gr.Dataframe(
        label="Faces, one a row",
        headers=_HEAD,
        interactive=False,
        visible=False,
        wrap=True,
        buttons=["copy", "fullscreen"],
        elem_id="faces",
        show_search="filter",
    )
    known = gr.State({}, time_to_live=600)
    with gr.Row(elem_id="picture-downloads"):
        links = gr.HTML(elem_id="downloads", js_on_load=None)
        report = gr.Button(
            "Download report", visible=False, elem_id="report-pictures", elem_classes="download"
        )
    made = gr.HTML(visible="hidden", elem_id="report-made", js_on_load=None)
    shown = bars.build()
    reasons = explanation.build(network)
    outputs = [answer, gallery, table, links, report, *shown, *reasons, known, stop]
    _handed_over(report, [files, network, detector, known], made)
    reading = gr.on(
        [files.change, network.input, detector.input],
        read,
        [files, network, detector, known],
        outputs,
        api_name="upload",
        api_visibility="undocumented",
        trigger_mode="always_last",
        show_progress_on=[answer],
    )
    stop.click(_stopped, None, outputs, cancels=[reading], api_visibility="private")


def _handed_over(button: gr.Button, inputs: list[gr.components.Component], made: gr.HTML) -> None:
    """Have page.js save the report; then forget it, for Gradio remembers what components hold."""
    press = button.click(save_report, inputs, made, api_visibility="private")
    press.then(js="() => window.mer.save('#report-made')").then(
        lambda: "", None, made, api_visibility="private", show_progress="hidden"
    )


def read(
    files: list[str] | None,
    network: str,
    detector: str,
    known: Known,
    progress: gr.Progress = gr.Progress(),
) -> Iterator[list[Any]]:
    """Read the pictures at these paths; a bad one is named and the others go on.

    Yields updates of: the answer as HTML, the annotated pictures, the table, the links to CSV and
    JSON, the button for the report, what fills the bars, what explains the answer, what is known
    of the pictures, the Cancel button.
    """
    with in_words():
        if not files:
            yield _nothing(notes.lines([_EMPTY]))
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
            yield [*[gr.skip()] * 13, gr.Button(visible=True)]  # where Cancel takes effect
            _read_one(file, name, predictor, known, answers)
        yield _page(answers, predictor)


def save_report(
    files: list[str] | None,
    network: str,
    detector: str,
    known: Known,
    progress: gr.Progress = gr.Progress(),
) -> str:
    """A link that holds the report on these pictures, read once more, for the page's script."""
    with in_words():
        shown = progress.tqdm(files or [], desc="Writing the report", unit="pictures")
        return downloads.links("report", {"html": report(shown, network, detector, known)})


def report(files: Iterable[str], network: str, detector: str, known: Known | None = None) -> str:
    """The report on the pictures at these paths, as HTML; what cannot be read is left out.

    Args:
        files: where the pictures lie.
        network: which network answers.
        detector: which face detector finds the faces.
        known: what is known of them already.

    Raises:
        MerError: none of them can be read.
    """
    predictor = get_predictor(network, detector)
    shown: list[reports.Picture] = []
    problems: list[str] = []
    for file in files:
        try:
            image = images.read(file)
        except ImageError as error:
            problems.append(str(error))
            continue
        found, _ = _answered(file, image, predictor, known or {})
        shown.append(reports.picture(Path(file).name, image, found))
    if not shown:
        raise MerError(" ".join(problems) or "There are no pictures to report. Choose some.")
    return reports.html(shown, predictor)


def _read_one(file: str, name: str, predictor: Predictor, known: Known, answers: Answers) -> None:
    try:
        _check_size(file, name)
        image = images.read(file)
    except ImageError as error:
        answers.problems.append(str(error))
        answers.faces.append((name, str(error)))
        return
    predictions, crops = _answered(file, image, predictor, known)
    answers.known[file] = Answer(predictor.model, predictor.detector, predictions)
    answers.gallery.append((drawing.annotate(image, predictions), name))
    answers.faces.append((name, predictions))
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


def _check_size(file: str, name: str) -> None:
    if not Path(file).exists():
        raise ImageError(f"{name} has been deleted, as every upload is. Choose it again.")
    if Path(file).stat().st_size > MAX_FILE_MB * 1_000_000:
        raise ImageError(f"{name} is larger than {MAX_FILE_MB} MB. Save it smaller, as a JPEG.")


def _page(answers: Answers, predictor: Predictor) -> list[Any]:
    read = [(name, faces) for name, faces in answers.faces if not isinstance(faces, str)]
    found = [(name, n, one) for name, faces in read for n, one in enumerate(faces, 1)]
    single = len(read) == 1
    named = [(f"Face {n}" if single else f"{name}, face {n}", one) for name, n, one in found]
    rows = tables.of(answers.faces, predictor)
    return [
        notes.lines(_summary(found, len(read)), problems=answers.problems),
        gr.Gallery(answers.gallery, visible=bool(answers.gallery), selected_index=0),
        gr.Dataframe(_rows(found), visible=bool(found)),
        downloads.links("faces", _files(rows)),
        gr.Button(visible=bool(found)),
        *bars.show(named),
        *explanation.show(
            [(name, cut, one) for (name, one), cut in zip(named, answers.crops, strict=False)]
        ),
        answers.known,
        gr.Button(visible=False),
    ]


def _summary(found: Sequence[tuple[str, int, Prediction]], pictures: int) -> list[str]:
    if pictures == 1:
        return [notes.sentence(n, one) for _, n, one in found]
    faces = "1 face" if len(found) == 1 else f"{len(found)} faces"
    unsure = sum(not one.sure for *_, one in found)
    doubt = f" Unsure: {unsure}." if unsure else ""
    return [f"{faces} in {pictures} pictures.{doubt}"] if found else []


def _rows(found: Sequence[tuple[str, int, Prediction]]) -> pd.DataFrame:
    rows = [(name, number, *_cells(one)) for name, number, one in found]
    return pd.DataFrame(rows, columns=_HEAD)


def _cells(one: Prediction) -> tuple[str, ...]:
    shares = dict(zip(one.classes, one.probabilities, strict=True))
    sure = "; ".join(one.concerns) or ("yes" if one.sure else "no")
    return *choices(shares, 3, sure=one.sure), sure, f"{one.face.score:.2f}"


def _files(faces: pd.DataFrame) -> dict[str, str]:
    return {"csv": tables.to_csv(faces), "json": tables.to_json(faces)}


def _nothing(text: str) -> list[Any]:
    hidden = [gr.Gallery([], visible=False), gr.Dataframe(visible=False), ""]
    hidden.append(gr.Button(visible=False))
    return [text, *hidden, *bars.show([]), *explanation.show([]), {}, gr.Button(visible=False)]


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
