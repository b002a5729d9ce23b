"""Pictures and what their faces look like, as one HTML file to hand on; it opens offline."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final, NamedTuple

import numpy as np

from mer.emotions import colors
from mer.inference.predictor import Prediction, Predictor
from mer.results import comparison, drawing, html_document
from mer.results.charts.style import percent
from mer.version import __version__

LIMITS: Final = (
    "An answer says what a face looks like to a network that learned from posed photographs. It "
    "does not tell what a person feels, and nothing here tells whether somebody lies.",
    "A single picture cannot show a micro-expression, which is a short movement.",
    "Expect more mistakes on everyday faces, on turned, small or covered ones, and on groups of "
    "people whom the data set hardly shows.",
    "Not for decisions about people: not in hiring or at work, not in schools, not in policing or "
    "at borders, not for diagnoses, and not on people who did not agree to it.",
)
_HEAD: Final = ("Face", "Looks like", "Probability", "Sure", "Detector's score", "Box")


class Picture(NamedTuple):
    """A picture as the report shows it, small enough that thousands fit in memory."""

    name: str
    content: bytes  # JPEG of the picture with its boxes
    faces: Sequence[Prediction]


def picture(name: str, image: np.ndarray, faces: Sequence[Prediction]) -> Picture:
    """Keep an RGB uint8 picture and its faces for a report, boxes drawn."""
    return Picture(name, html_document.jpeg(drawing.annotate(image, faces)), faces)


def html(pictures: Sequence[Picture], predictor: Predictor) -> str:
    """The report: each picture with boxes, bars and table; settings, measured figures, limits.

    Args:
        pictures: what is reported, see `picture`.
        predictor: which network and detector said so.
    """
    faces = sum(len(one.faces) for one in pictures)
    title = f"Expressions of {_counted(faces, 'face')} in {_counted(len(pictures), 'picture')}"
    parts = [
        html_document.table((), _settings(predictor)),
        *(_picture(one) for one in pictures),
        f"<h2>How good {escape(predictor.model)} is</h2>",
        *_figures(predictor),
        html_document.limits(LIMITS),
    ]
    return html_document.page(title, "\n".join(parts))


def _counted(count: int, thing: str) -> str:
    return f"1 {thing}" if count == 1 else f"{count} {thing}s"


def _settings(predictor: Predictor) -> list[tuple[str, str]]:
    record = predictor.record
    return [
        ("Network", f"{predictor.model}, version {record.get('version', 'unknown')}"),
        ("Weights, SHA-256", str(record.get("file", {}).get("sha256", "unknown"))),
        ("Tells apart", ", ".join(predictor.classes)),
        ("Face detector", predictor.detector),
        ("Temperature", f"{predictor.temperature:.3f}"),
        ("Sure from", percent(predictor.threshold)),
        ("Program", f"mer {__version__}"),
        ("Made", datetime.now(UTC).isoformat(timespec="seconds")),
    ]


def _picture(one: Picture) -> str:
    if not one.faces:
        found = "<p>No face found.</p>"
    else:
        charts = "".join(_face(number, face) for number, face in enumerate(one.faces, 1))
        found = f'{html_document.table(_HEAD, _rows(one.faces))}<div class="faces">{charts}</div>'
    alt = f"{one.name}, with a numbered box around each face"
    return f"<h2>{escape(one.name)}</h2>{html_document.picture(one.content, alt)}{found}"


def _rows(faces: Sequence[Prediction]) -> Iterator[tuple[str, ...]]:
    for number, face in enumerate(faces, 1):
        x, y, width, height = face.face.box
        sure = "; ".join(face.concerns) or ("yes" if face.sure else "no")
        share, score = percent(face.probability, 1), f"{face.face.score:.2f}"
        yield str(number), face.emotion, share, sure, score, f"{width} x {height} at {x}, {y}"


def _face(number: int, face: Prediction) -> str:
    shown = colors(face.classes)
    shares = zip(face.classes, face.probabilities, strict=True)
    bars = html_document.bars([(name, share, shown[name]) for name, share in shares])
    return f"<section><h3>Face {number}</h3>{bars}</section>"


def _figures(predictor: Predictor) -> Iterator[str]:
    """What the network's record says of it, on all test pictures and on the clean ones."""
    record = predictor.record
    try:
        measured = comparison.alone(predictor.model, record)
        tests = comparison.protocols(record)
    except (KeyError, TypeError, ValueError, AttributeError):
        yield "<p>It was not measured: its record holds no figures.</p>"
        return
    yield (
        "<p>On posed photographs, not on pictures such as yours. <i>All</i> are all test pictures; "
        "<i>clean</i> are those without a twin among the pictures learned from.</p>"
    )
    yield html_document.table(("Figure", predictor.model), measured.to_numpy().tolist())
    for name, scores in tests.items():
        rows = comparison.rows_for_screen(comparison.report(scores)).astype(str)
        yield f"<h3>Class by class, {escape(name)} pictures</h3>"
        yield html_document.table([str(one) for one in rows.columns], rows.to_numpy().tolist())
