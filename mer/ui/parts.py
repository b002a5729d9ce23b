"""Answers as HTML that several tabs show: sentences, faces, download links; and examples to ask.

All text in it is escaped, since names of files come from strangers. Pictures and downloads lie in
the HTML itself: there is no file to keep or to delete. faces.js moves the selection of a face.
"""

import base64
import itertools
import mimetypes
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Final

import cv2
import gradio as gr
from markupsafe import Markup

from mer.emotions import colors
from mer.inference.predictor import Prediction
from mer.results import documents, wording
from mer.results.drawing import Picture
from mer.ui import visitor_files

_HEAD: Final = ("Picture", "Face", "Looks like", "Second", "Third", "Remarks")
_TOLD: Final = 4  # problems that are told in full; each has its remark in the table
_TRY: Final = (
    "Try a picture with more light, or with the face larger and turned to the camera; or another "
    "face detector under Settings: none, if the picture is a cut-out face."
)
_MORE: Final = "There are more problems: see the remarks in the table."
MEDIA: Final = Path(__file__).parent / "media"
# Eileen Collins, NASA, in the public domain; tools/make_examples.py makes the others from it.
PHOTOGRAPH: Final = MEDIA / "astronaut.jpg"
FOUR: Final = MEDIA / "four.jpg"
PICTURES: Final = {"Example: a photograph": PHOTOGRAPH, "Example: unsure faces": FOUR}
VIDEOS: Final = {
    "Example: expressions": MEDIA / "expressions.webm",
    "Example: blinks and speech": MEDIA / "blinks-and-speech.webm",
}
QUIET: Final[dict[str, Any]] = {"api_visibility": "private", "show_progress": "hidden"}
_HIGH: Final = 112  # pixels of an example's small picture
_SHOWN: Final = {"blinks-and-speech": 115}  # a frame with closed eyes; of others it is the first


def lines(*sentences: str, problems: Sequence[str] = ()) -> str:
    """HTML of one sentence a line; `problems` stand out. Screen readers announce it."""
    marked = "".join(f'<p class="problem">{escape(text)}</p>' for text in problems)
    calm = "".join(f"<p>{escape(text)}</p>" for text in sentences)
    return f'<div class="answer" role="status">{marked}{calm}</div>'


def sentence(number: int, prediction: Prediction) -> str:
    """'Face 1 looks like happiness (93 %).', or why it cannot be judged, or only guessed."""
    share = f"{prediction.emotion} ({wording.percent(prediction.probability)})"
    if prediction.sure:
        return f"Face {number} looks like {share}."
    reasons = f", for it is {' and '.join(prediction.concerns)}" if prediction.concerns else ""
    return f"Unsure about face {number}{reasons}: it looks most like {share}."


def no_face(name: str) -> str:
    """What to say about a picture without a face."""
    return f"No face found in {name}. {_TRY}"


def faces(shots: Sequence[Picture], *, problems: Sequence[str] = (), exports: str = "") -> str:
    """The pictures, the selected face's figures, a row a face; `exports` is HTML of that menu."""
    rows = list(_rows(shots))
    shown = [row for row in rows if "prediction" in row]
    told = [at for at in range(2, len(_HEAD)) if any(row["cells"][at] for row in rows)]
    return documents.render(
        "faces.html",
        problems=problems if len(problems) <= _TOLD else [*problems[: _TOLD - 1], _MORE],
        counts=list(_counts(shots)),
        shots=[one for one in shots if one.content],
        faces=shown,
        first=max(shown, key=lambda one: one["area"], default={"picture": 0, "index": None}),
        head=_HEAD,
        kept=[0, 1, *told] if len(shots) > 1 else [1, *told],  # one name tells nothing
        rows=rows,
        unsure=any(row["unsure"] for row in rows),
        exports=Markup(exports),
    )


def named(shots: Sequence[Picture]) -> list[tuple[str, Prediction]]:
    """What each face is called, and what is said of it, in the order of `data-face`."""
    return [(row["title"], row["prediction"]) for row in _rows(shots) if "prediction" in row]


def _rows(shots: Sequence[Picture]) -> Iterator[dict[str, Any]]:
    """What the template shows of each face, and what stands for a picture without one."""
    index, picture = itertools.count(), -1
    alone = sum(bool(one.content) for one in shots) == 1
    for one in shots:
        picture += bool(one.content)
        if not one.faces:
            # A phone shows the first columns only.
            said, remark = (one.problem, "") if one.content else ("not read", one.problem)
            cells = (one.name, "", said, "", "", remark)
            row = {"index": None, "title": one.name, "unsure": False, "cells": cells}
            yield row | {"picture": picture if one.content else ""}
        for number, face in enumerate(one.faces, 1):
            x, y, width, height = face.face.box
            edges = zip((x, y, width, height), one.size * 2, strict=True)
            shares = dict(zip(face.classes, face.probabilities, strict=True))
            likely = [*wording.choices(shares, 3, sure=face.sure), "", ""][:3]
            yield {
                "index": next(index),
                "picture": picture,
                "prediction": face,
                "title": f"Face {number}" if alone else f"{one.name}, face {number}",
                "said": wording.told(face.emotion, face.probability, face.sure),
                "sentence": sentence(number, face),
                "place": [round(100 * edge / side, 2) for edge, side in edges],
                "area": width * height,
                "shares": list(shares.items()),
                "unsure": not face.sure,
                "cells": (one.name, str(number), *likely, "; ".join(face.concerns)),
                "colors": colors(face.classes),
                "measured": wording.measured(face.measures.figures) if face.measures else [],
            }


def _counts(shots: Sequence[Picture]) -> Iterator[str]:
    """'6 faces in 2 pictures', '3 happiness', '1 unsure', '1 without a face', '1 unreadable'."""
    faces = [face for one in shots for face in one.faces]
    if len(shots) < 2 and len(faces) < 2:
        return
    read = sum(bool(one.content) for one in shots)
    yield f"{wording.counted(len(faces), 'face')} in {wording.counted(read, 'picture')}"
    counts = Counter(face.emotion for face in faces if face.sure).most_common()
    counts += [
        ("unsure", sum(not face.sure for face in faces)),
        ("without a face", sum(bool(one.content) and not one.faces for one in shots)),
        ("unreadable", len(shots) - read),
    ]
    yield from (f"{count} {what}" for what, count in counts if count)


def file_name(kind: str, sources: Sequence[str]) -> str:
    """'faces-holiday-2026-05-01': what a file is called that holds results of these sources."""
    source = Path(sources[0]).stem if len(sources) == 1 else f"{len(sources)}-files"
    return f"{kind}-{source}-{datetime.now(UTC):%Y-%m-%d}"


def links(name: str, files: Mapping[str, str], said: str = "") -> str:
    """HTML with one link for each of `files`, text by ending; it says `said` or "Download CSV"."""
    shown = []
    for ending, text in files.items():
        excel = ending == "excel.csv"  # which knows UTF-8 by a mark
        content = base64.b64encode(text.encode("utf-8-sig" if excel else "utf-8")).decode()
        address = f"data:{mimetypes.guess_type(f'_.{ending}')[0]};base64,{content}"
        kind = "CSV for Excel" if excel else ending.upper()
        shown.append(link(f"{name}.{ending}", said or f"Download {kind}", address))
    return "".join(shown)


def link(file: str, said: str, address: str) -> str:
    """HTML of a link under which the browser saves a file."""
    return f'<a class="save" download="{escape(file)}" href="{escape(address)}">{escape(said)}</a>'


def hand_over(press: Any, script: str, made: gr.HTML) -> None:
    """Have the page's script take what was made; then empty it, for Gradio remembers it."""
    press.then(js=f"() => window.mer.{script}").then(lambda: "", None, made, **QUIET)


def examples(paths: Mapping[str, Path], target: gr.File | gr.Video) -> None:
    """Lay out a small picture for each example, which puts it into `target`."""
    shown = []
    for label, path in paths.items():
        film = cv2.VideoCapture(str(path))  # of a picture, too
        film.set(cv2.CAP_PROP_POS_FRAMES, _SHOWN.get(path.stem, 0))
        _, image = film.read()
        size = round(_HIGH * image.shape[1] / image.shape[0]), _HIGH
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)[..., ::-1]
        shown.append((label, path.stem, documents.jpeg(small)))
    gr.HTML(documents.render("examples.html", examples=shown), js_on_load=None)
    given = (lambda path: [served(path)]) if isinstance(target, gr.File) else served
    for path in paths.values():
        gr.Button(visible="hidden", elem_id=f"example-{path.stem}").click(
            partial(given, path), outputs=target, api_visibility="private"
        )


def served(path: Path) -> str:
    """The path of a copy of an example, which the page may serve and sweeps as an upload."""
    return shutil.copy(path, tempfile.mkdtemp(dir=visitor_files.take_folder()))
