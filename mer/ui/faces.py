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
from mer.ui import notes

_HEAD: Final = ("Picture", "Face", "Looks like", "Second", "Third", "Remarks")
_TOLD: Final = 4  # problems that are told in full; each has its remark in the table
_MORE: Final = "There are more problems: see the remarks in the table."


def html(shots: Sequence[Picture], *, problems: Sequence[str] = (), exports: str = "") -> str:
    """The pictures, the selected face's figures, a row a face; the largest is selected at first.

    Args:
        shots: what was read, or could not be.
        problems: sentences that stand out.
        exports: HTML of what the Export menu holds; "" without one.
    """
    shown = [one for one in shots if one.content]
    faces = list(_faces(shown))
    largest = max(faces, key=lambda face: face["area"], default={"picture": 0, "index": None})
    rows = list(_rows(shots, faces))
    return html_document.render(
        "faces.html",
        problems=problems if len(problems) <= _TOLD else [*problems[: _TOLD - 1], _MORE],
        counts=list(_counts(shots)),
        shots=shown,
        faces=faces,
        first=largest,
        head=_HEAD,
        kept=[at for at in range(len(_HEAD)) if at == 1 or _tells(at, rows, len(shots))],
        rows=rows,
        unsure=any(row["unsure"] for row in rows),
        exports=Markup(exports),
    )


def named(shots: Sequence[Picture]) -> list[tuple[str, Prediction]]:
    """What each face is called, and what is said of it, in the order of `data-face`."""
    return [(face["title"], face["prediction"]) for face in _faces([s for s in shots if s.content])]


def _faces(shots: Sequence[Picture]) -> Iterator[dict[str, Any]]:
    """What the template shows of each face, over all pictures."""
    index = 0
    for picture, one in enumerate(shots):
        for number, face in enumerate(one.faces, 1):
            x, y, width, height = face.face.box
            edges = zip((x, y, width, height), one.size * 2, strict=True)
            shares = dict(zip(face.classes, face.probabilities, strict=True))
            likely = [*wording.choices(shares, 3, sure=face.sure), "", ""][:3]
            yield {
                "index": index,
                "picture": picture,
                "prediction": face,
                "title": f"Face {number}" if len(shots) == 1 else f"{one.name}, face {number}",
                "said": wording.told(face.emotion, face.probability, face.sure),
                "sentence": notes.sentence(number, face),
                "place": [round(100 * edge / side, 2) for edge, side in edges],
                "area": width * height,
                "shares": list(shares.items()),
                "unsure": not face.sure,
                "cells": (one.name, str(number), *likely, "; ".join(face.concerns)),
                "colors": colors(face.classes),
                "measured": wording.measured(face.measures.figures) if face.measures else [],
            }
            index += 1


def _rows(shots: Sequence[Picture], faces: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The faces in the order of the pictures, and what stands for a picture without one."""
    left = iter(faces)
    picture = -1
    for one in shots:
        picture += bool(one.content)
        yield from itertools.islice(left, len(one.faces))
        if not one.faces:
            yield {
                "index": None,
                "picture": picture if one.content else "",
                "title": one.name,
                "unsure": False,
                "cells": (one.name, "", "", "", "", one.problem),
            }


def _tells(column: int, rows: Sequence[dict[str, Any]], pictures: int) -> bool:
    """Whether a column says anything: not the one name of one picture, nor nothing at all."""
    return any(row["cells"][column] for row in rows) and (column > 0 or pictures > 1)


def _counts(shots: Sequence[Picture]) -> Iterator[str]:
    """'6 faces in 2 pictures', '3 happiness', '1 unsure', '1 without a face', '1 unreadable'."""
    faces = [face for one in shots for face in one.faces]
    read = sum(bool(one.content) for one in shots)
    if len(shots) < 2 and len(faces) < 2:
        return
    yield f"{wording.counted(len(faces), 'face')} in {wording.counted(read, 'picture')}"
    sure = Counter(face.emotion for face in faces if face.sure)
    yield from (f"{count} {emotion}" for emotion, count in sure.most_common())
    others = {
        "unsure": sum(not face.sure for face in faces),
        "without a face": sum(bool(one.content) and not one.faces for one in shots),
        "unreadable": len(shots) - read,
    }
    yield from (f"{count} {what}" for what, count in others.items() if count)
