"""The report on pictures: one file, offline, with everything in it."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer.emotions import EMOTIONS
from mer.faces.detection import Face
from mer.inference.predictor import Prediction, Predictor
from mer.results import drawing, report
from mer.version import __version__
from tests.records import record

HAPPY = Prediction(Face((100, 60, 80, 90), 0.91, ()), (0.02, 0, 0, 0.93, 0.05, 0, 0))
UNSURE = Prediction(Face((10, 20, 30, 40), 0.7, ()), (0.3, 0, 0, 0.4, 0.3, 0, 0), False)
DARK = Prediction(
    Face((10, 20, 30, 40), 0.7, ()), (0.3, 0, 0, 0.4, 0.3, 0, 0), False, ("too dark",)
)


class Stub(Predictor):
    """What the report asks of a predictor, without a network."""

    def __init__(self, known: dict[str, object], classes: tuple[str, ...] = EMOTIONS) -> None:
        self.model, self.detector, self.record = "cnn1", "yunet", known
        self.temperature, self.classes = 1.2, classes
        self.thresholds = {"views": dict.fromkeys(classes, 0.5)}


def page(*faces: Prediction, name: str = "a.jpg", known: dict[str, object] | None = None) -> str:
    image = np.full((300, 400, 3), 90, np.uint8)
    shown = [drawing.picture(name, image, faces)]
    return report.html(shown, Stub(record() if known is None else known))


def test_no_picture() -> None:
    assert "Expressions of 0 faces in 0 pictures" in report.html([], Stub(record()))


def test_no_face() -> None:
    assert "No face found." in page()


@pytest.mark.parametrize("known", [{}, {"evaluation": {}}, {"evaluation": {"test": None}}])
def test_a_network_without_figures(known: dict[str, object]) -> None:
    assert "It was not measured" in page(HAPPY, known=known)


def test_everything_is_inside_and_needs_no_script() -> None:
    text = page(HAPPY, UNSURE)
    assert "<script" not in text
    assert "http" not in text
    assert not re.search(r"(?:src|href)=\"(?!data:image/jpeg|#)", text)


def test_the_picture_carries_its_boxes() -> None:
    [data] = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page(HAPPY))
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert np.ptp(pixels.astype(int), axis=(0, 1)).max() > 100  # a plain picture had no contrast


def test_faces_settings_figures_and_limits_are_told() -> None:
    text = page(HAPPY, UNSURE, DARK)
    for words in (
        *("Face 3", "happiness", "93.0 %", "80 x 90 at 100, 60", "too dark", "<td>no</td>"),
        *("cnn1, version 0.1.0", "abab", "1.200", "yunet", "Test accuracy, all 1400"),
        *("Test accuracy, clean 700", "Class by class, clean 700", "lies."),
    ):
        assert words in text, words


def test_names_are_no_html() -> None:
    text = page(HAPPY, name='<b>{x}"')
    assert "<b>" not in text
    assert "&lt;b&gt;{x}" in text


def test_classes_of_ones_own() -> None:
    face = Prediction(HAPPY.face, (0.2, 0.8), True, (), ("bored", "smiling"))
    image = np.full((300, 400, 3), 90, np.uint8)
    text = report.html([drawing.picture("a", image, [face])], Stub({}, ("bored", "smiling")))
    assert "smiling" in text
    assert "anger" not in text


def test_the_summary_comes_first_with_counts_means_and_the_unsure() -> None:
    text = page(HAPPY, UNSURE, DARK)
    assert text.index('<h2 id="summary">') < text.index('<h2 id="pictures">')
    for name in re.findall('href="#([a-z]+)"', text):  # the contents
        assert f'<h2 id="{name}">' in text
    assert "<td>Unsure</td><td>2 (67 %)</td>" in text
    assert "<td>happiness</td><td>1</td><td>57.7 % (23.0\N{EN DASH}92.3)</td>" in text


def test_methods_can_be_pasted() -> None:
    text = page(HAPPY)
    for words in (
        *("its network cnn1, version 0.1.0", "below 50 %", "temperature of 1.20"),
        *("on all 1400 pictures", "on clean 700 pictures", "@software{mer,"),
    ):
        assert words in text, words


def test_what_is_to_be_cited_is_this_version() -> None:
    citation = (Path(__file__).resolve().parents[2] / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {__version__}\n" in citation
