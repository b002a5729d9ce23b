"""Faces of pictures as HTML: one is selected, by its box, its row or a small picture.

The page's script (faces.js) moves the selection; all figures are in the HTML already, and so are
the pictures: no file of them is kept or has to be deleted.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from markupsafe import Markup

from mer.emotions import colors
from mer.inference.predictor import Prediction
from mer.results import html_document, wording
from mer.results.report import Picture

_HEAD: Final = ("Picture", "Face", "Looks like", "Second", "Third", "Remarks")
_TOLD: Final = 4  # problems that are told in full; each has its remark in the table
_TRY: Final = (
    "Try a picture with more light, or with the face larger and turned to the camera; or another "
    "face detector under Settings: none, if the picture is a cut-out face."
)
_MORE: Final = "There are more problems: see the remarks in the table."


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


def html(shots: Sequence[Picture], *, problems: Sequence[str] = (), exports: str = "") -> str:
    """The pictures, the selected face's figures, a row a face; the largest is selected at first.

    `problems` are sentences that stand out, `exports` is HTML of what the Export menu holds.
    """
    rows = list(_rows(shots))
    faces = [row for row in rows if "prediction" in row]
    told = [at for at in range(2, len(_HEAD)) if any(row["cells"][at] for row in rows)]
    return html_document.render(
        "faces.html",
        problems=problems if len(problems) <= _TOLD else [*problems[: _TOLD - 1], _MORE],
        counts=list(_counts(shots)),
        shots=[one for one in shots if one.content],
        faces=faces,
        first=max(faces, key=lambda one: one["area"], default={"picture": 0, "index": None}),
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
            cells = (one.name, "", "", "", "", one.problem)
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
