"""Tests of the way from a picture to predictions, with untrained networks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.errors import WeightsError
from mer.faces.detection import Face
from mer.inference.predictor import BATCH, Prediction, Predictor, get_predictor, predict_image
from mer.models.registry import MODELS


@pytest.fixture
def predictor(stand_in_weights: Path) -> Predictor:
    return Predictor("cnn1")


def _crops(count: int, size: int = 60) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return list(random.integers(0, 256, (count, size, size, 3), dtype=np.uint8))


def test_no_crops_give_no_rows(predictor: Predictor) -> None:
    assert predictor.classify([]).shape == (0, len(EMOTIONS))


def test_picture_without_face_gives_nothing(predictor: Predictor) -> None:
    assert predictor.predict(np.full((200, 300, 3), 128, np.uint8)) == []


@pytest.mark.parametrize("model", MODELS)
def test_probabilities_of_every_network(stand_in_weights: Path, model: str) -> None:
    crops = [*_crops(2), *_crops(1, size=7), *_crops(1, size=300)]
    rows = Predictor(model).classify(crops)
    assert rows.shape == (4, 7)
    assert rows.min() >= 0
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-9)


def test_a_mirrored_face_gets_the_same_answer(predictor: Predictor) -> None:
    crops = _crops(3, size=48)
    mirrored = predictor.classify([crop[:, ::-1] for crop in crops])
    np.testing.assert_allclose(predictor.classify(crops), mirrored, atol=1e-6)


def test_more_crops_than_a_batch_come_in_order(predictor: Predictor) -> None:
    crops = _crops(BATCH + 2)
    rows = predictor.classify(crops)
    assert rows.shape == (BATCH + 2, 7)
    np.testing.assert_allclose(rows[-1], predictor.classify(crops[-1:])[0], atol=1e-5)


def test_real_face(predictor: Predictor, astronaut: np.ndarray) -> None:
    (prediction,) = predictor.predict(astronaut)
    x, y, width, height = prediction.face.box
    assert x < 225 < x + width  # where the nose is
    assert y < 120 < y + height
    assert prediction.emotion == EMOTIONS[int(np.argmax(prediction.probabilities))]
    assert prediction.probability == max(prediction.probabilities)
    assert sum(prediction.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_picture_held_sideways_gets_the_answer_of_the_upright_one(
    predictor: Predictor, astronaut: np.ndarray, quarters: int
) -> None:
    (upright,) = predictor.predict(astronaut)
    (face,) = predictor.predict(np.ascontiguousarray(np.rot90(astronaut, quarters)))
    assert (face.face.roll + 90 * quarters + 180) % 360 - 180 == pytest.approx(0, abs=10)
    assert face.concerns == upright.concerns
    assert face.probabilities == pytest.approx(upright.probabilities, abs=0.2)


def test_faces_from_left_to_right_each_with_its_own_row(
    predictor: Predictor, astronaut: np.ndarray
) -> None:
    dim = (astronaut * 0.6).astype(np.uint8)
    both = predictor.predict(np.hstack([astronaut, dim]))
    assert len(both) == 2
    assert both[0].face.box[0] < 512 < both[1].face.box[0]
    alone = predictor.predict(astronaut)[0]
    np.testing.assert_allclose(both[0].probabilities, alone.probabilities, atol=0.1)


def test_threads_agree(predictor: Predictor, astronaut: np.ndarray) -> None:
    first = predictor.predict(astronaut)
    with ThreadPoolExecutor(4) as threads:
        others = list(threads.map(predictor.predict, [astronaut] * 8))
    for other in others:
        assert [one.face for one in other] == [one.face for one in first]
        np.testing.assert_allclose(other[0].probabilities, first[0].probabilities, atol=1e-5)


def test_a_quick_answer_is_about_the_same(predictor: Predictor, astronaut: np.ndarray) -> None:
    assert predictor.predict(np.full((48, 64, 3), 90, np.uint8), quick=True) == []
    assert predictor.classify([], quick=True).shape == (0, 7)
    (careful,), (quick,) = predictor.predict(astronaut), predictor.predict(astronaut, quick=True)
    np.testing.assert_allclose(quick.face.box, careful.face.box, atol=12)
    np.testing.assert_allclose(quick.probabilities, careful.probabilities, atol=0.2)
    crop = astronaut[60:180, 165:285]
    alone, mirrored = (predictor.classify([one], quick=True) for one in (crop, crop[:, ::-1]))
    assert np.abs(alone - mirrored).max() > 1e-6  # each is one view


def test_equal_probabilities_take_the_first_class() -> None:
    assert Prediction(Face((0, 0, 9, 9), 0.9, ()), (1 / 7,) * 7).emotion == EMOTIONS[0]


def test_one_predictor_a_process(stand_in_weights: Path) -> None:
    assert get_predictor("cnn2", "haar") is get_predictor("cnn2", "haar")


def test_predict_image_names_a_class(
    stand_in_weights: Path, predictor: Predictor, astronaut: np.ndarray
) -> None:
    face = astronaut[60:180, 165:285]
    assert predict_image(face, "cnn1") == EMOTIONS[int(predictor.classify([face])[0].argmax())]


def test_missing_weights_name_the_file(stand_in_weights: Path) -> None:
    (stand_in_weights / "cnn1.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"cnn1\.safetensors is missing\. .*git checkout"):
        Predictor("cnn1")
