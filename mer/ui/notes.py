"""What the page says about faces, in sentences. File names come from strangers: all is escaped."""

import html
from collections.abc import Iterable, Sequence
from typing import Final

from mer.inference.predictor import Prediction
from mer.results.wording import percent

NO_FACE: Final = (
    "Try a picture with more light, or with the face larger and turned to the camera; "
    "or another face detector under Settings: none, if the picture is a cut-out face."
)


def sentence(number: int, prediction: Prediction) -> str:
    """'Face 1 looks like happiness (93 %).', or why it cannot be judged, or only guessed."""
    share = f"{prediction.emotion} ({percent(prediction.probability)})"
    if prediction.sure:
        return f"Face {number} looks like {share}."
    reasons = f", for it is {' and '.join(prediction.concerns)}" if prediction.concerns else ""
    return f"Unsure about face {number}{reasons}: it looks most like {share}."


def no_face(name: str) -> str:
    """What to say about a picture without a face."""
    return f"No face found in {name}. {NO_FACE}"


def lines(sentences: Iterable[str], *, problems: Sequence[str] = ()) -> str:
    """HTML of one sentence a line; `problems` stand out. Screen readers announce it."""
    calm = "".join(f"<p>{html.escape(text)}</p>" for text in sentences)
    marked = "".join(f'<p class="problem">{html.escape(text)}</p>' for text in problems)
    return f'<div class="answer" role="status">{marked}{calm}</div>'
