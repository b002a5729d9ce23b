"""Pictures and what their faces look like, as one HTML file to hand on; it opens offline."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from mer.inference.predictor import Prediction, Predictor
from mer.results import comparison, documents, drawing, methods, tables
from mer.results.wording import counted, limits, mean, percent, told
from mer.version import __version__

LIMITS: Final = (
    "An answer says what a face looks like to a network. It does not tell what a person feels, and "
    "nothing here tells whether somebody lies.",
    "A single picture cannot show a micro-expression, which is a short movement.",
    "Expect more mistakes on turned, small or covered faces, and on groups of people whom the data "
    "sets hardly show.",
    "Not for decisions about people: not in hiring or at work, not in schools, not in policing or "
    "at borders, not for diagnoses, and not on people who did not agree to it.",
)
_SAID: Final = 3  # faces that are told below a picture; its details have all


class Picture(NamedTuple):
    """A picture as page and report show it, small enough that many fit in memory."""

    name: str
    content: bytes  # JPEG of the picture with its boxes; b"" where it cannot be read
    faces: Sequence[Prediction] = ()
    size: tuple[int, int] = (1, 1)  # width and height in which the faces' boxes are given
    problem: str = ""  # why there is no face


def picture(name: str, image: np.ndarray, faces: Sequence[Prediction]) -> Picture:
    """Keep an RGB uint8 picture and its faces, boxes drawn."""
    content = documents.jpeg(drawing.annotate(image, faces))
    size = image.shape[1], image.shape[0]
    return Picture(name, content, faces, size, "" if faces else tables.NO_FACE)


def html(pictures: Sequence[Picture], predictor: Predictor) -> str:
    """The report: each picture with boxes, bars and table; settings, measured figures, limits."""
    faces = [face for one in pictures for face in one.faces]
    title = f"Expressions of {counted(len(faces), 'face')} in {counted(len(pictures), 'picture')}"
    unsure = sum(not face.sure for face in faces)
    share = f" ({percent(unsure / len(faces))})" if faces else ""
    return documents.render(
        "report.html",
        title=title,
        counts=[
            ("Pictures", len(pictures)),
            ("Without a face", sum(not one.faces for one in pictures)),
            ("Faces", len(faces)),
            ("Unsure", f"{unsure}{share}"),
        ],
        means=_means(faces),
        methods=methods.paragraph(predictor),
        bibtex=methods.BIBTEX,
        settings=_settings(predictor),
        pictures=pictures,
        head=("Face", "Looks like", "Probability", "Sure", "Detector's score", "Box"),
        rows=_rows,
        said=_said,
        network=predictor.model,
        measured=_measured(predictor),
        limits=LIMITS,
    )


def _means(faces: Sequence[Prediction]) -> list[tuple[str, int, str]]:
    """Of each class the faces that look so and are sure, and the mean probability over all."""
    if not faces:
        return []
    shares = np.array([face.probabilities for face in faces])
    seen = [face.emotion for face in faces if face.sure]
    means = zip(faces[0].classes, mean(shares, shares), strict=True)
    return [(name, seen.count(name), told) for name, told in means]


def _said(faces: Sequence[Prediction]) -> str:
    """'1 happiness 97 %; 2 unsure: disgust 38 %', of the first faces."""
    more = len(faces) - _SAID
    answers = (told(face.emotion, face.probability, face.sure) for face in faces[:_SAID])
    shown = [f"{number} {answer}" for number, answer in enumerate(answers, 1)]
    return "; ".join(shown + [f"{more} more"] * (more > 0))


def _settings(predictor: Predictor) -> list[tuple[str, str]]:
    record = predictor.record
    return [
        ("Network", f"{predictor.model}, version {record.get('version', 'unknown')}"),
        ("Weights, SHA-256", str(record.get("file", {}).get("sha256", "unknown"))),
        ("Tells apart", ", ".join(predictor.classes)),
        ("Face detector", predictor.detector),
        ("Temperature", f"{predictor.temperature:.3f}"),
        ("Sure from", limits(predictor.thresholds["views"])),
        ("Program", f"mer {__version__}"),
        ("Made", datetime.now(UTC).isoformat(timespec="seconds")),
    ]


def _rows(faces: Sequence[Prediction]) -> Iterator[tuple[object, ...]]:
    for number, face in enumerate(faces, 1):
        x, y, width, height = face.face.box
        sure = "; ".join(face.concerns) or ("yes" if face.sure else "no")
        share, score = percent(face.probability, 1), f"{face.face.score:.2f}"
        named = face.emotion if face.sure else f"unsure: {face.emotion}"
        yield number, named, share, sure, score, f"{width} x {height} at {x}, {y}"


def _measured(predictor: Predictor) -> list[tuple[str, pd.DataFrame]]:
    """Titled tables of what the network's record says of it; none where it was not measured."""
    try:
        figures = comparison.table({predictor.model: predictor.record}, ranked=False)
        tests = comparison.protocols(predictor.record)
    except (KeyError, TypeError, ValueError, AttributeError):
        return []
    return [("", figures)] + [
        (f"Class by class, {name} pictures", comparison.rows_for_screen(comparison.report(scores)))
        for name, scores in tests.items()
    ]
