"""Recognition from motion: what it answers, when its files are broken, and how it is trained."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer.emotions import EMOTIONS
from mer.errors import DataError, WeightsError
from mer.video import motion_classifier
from mer.video.types import MOTIONS, Event
from mer.weights import store
from tools.motion import dataset, scores, training


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a recogniser without knowledge."""
    record = {"model": "motion", "options": {"blur": 1.6}}
    weight = np.zeros((3, motion_classifier.INPUTS))
    store.save({"linear.weight": weight, "linear.bias": np.zeros(3)}, "motion", record, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return maps(tmp_path_factory.mktemp("motions"))


def maps(folder: Path) -> Path:
    """A data set of 36 made maps of six subjects: the class is the place that moves up."""
    random = np.random.default_rng(0)
    with (folder / "index.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "subject", "label", "map"])
        for number in range(36):
            name, label = f"{number}.png", number % 3
            cv2.imwrite(str(folder / name), made(label, random)[..., ::-1].astype(np.uint8))
            rows.writerow(["samm" if number < 12 else "smic", f"s{number // 3 % 6}", label, name])
    return folder


def made(label: int, random: np.random.Generator) -> np.ndarray:
    """A map, (28, 28, 3): noise, and something that moves up at the mouth, the cheeks or brows."""
    found = random.uniform(120, 140, (28, 28, 3))
    found[..., 2] = random.uniform(0, 30, (28, 28))
    rows = (slice(22, 26), slice(14, 18), slice(3, 7))[label]
    found[rows, 4:10, 1] = found[rows, 18:24, 1] = 0
    found[rows, 4:24, 2] = 255
    found[0, 0] = 255
    return found


def test_no_maps_give_no_answers() -> None:
    answers = motion_classifier.recognise(np.zeros((0, 28, 28, 3), np.float32))
    assert answers.shape == (0, len(MOTIONS))
    assert answers.dtype == np.float32


@pytest.mark.parametrize("shape", [(28, 28, 3), (2, 28, 28), (1, 32, 32, 3), (1, 28, 28, 2)])
def test_maps_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(n, 28, 28, 3\)"):
        motion_classifier.recognise(np.zeros(shape))


def test_answers_are_probabilities_even_of_a_map_without_motion() -> None:
    answers = motion_classifier.recognise(np.zeros((2, 28, 28, 3)))
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)
    assert (answers >= 0).all()


def test_the_same_map_gives_the_same_answer_alone_and_among_others() -> None:
    given = np.random.default_rng(0).uniform(0, 255, (5, 28, 28, 3)).astype(np.float32)
    together = motion_classifier.recognise(given)
    np.testing.assert_array_equal(motion_classifier.recognise(given), together)
    np.testing.assert_allclose(motion_classifier.recognise(given[3:4])[0], together[3], atol=1e-6)


def test_the_scale_of_a_map_does_not_matter() -> None:
    given = np.random.default_rng(1).uniform(0, 255, (3, 28, 28, 3)).astype(np.float32)
    other = given * (3, 0.5, 2) + (100, -7, 0)
    np.testing.assert_allclose(
        motion_classifier.recognise(other), motion_classifier.recognise(given), atol=1e-4
    )


def test_a_mirrored_face_gives_the_same_answer() -> None:
    given = np.random.default_rng(2).uniform(0, 255, (4, 28, 28, 3)).astype(np.float32)
    mirrored = given[:, :, ::-1].copy()
    mirrored[..., 0] = 255 - mirrored[..., 0]  # what went right goes left
    np.testing.assert_allclose(
        motion_classifier.recognise(mirrored), motion_classifier.recognise(given), atol=1e-5
    )


def test_missing_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "motion.safetensors").unlink()
    monkeypatch.setattr(store, "FOLDER", folder)
    with pytest.raises(WeightsError, match=r"motion\.safetensors is missing\. Restore it with"):
        motion_classifier.recognise(np.zeros((1, 28, 28, 3)))


def test_truncated_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "motion.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    monkeypatch.setattr(store, "FOLDER", folder)
    with pytest.raises(WeightsError, match="checksum"):
        motion_classifier.recognise(np.zeros((1, 28, 28, 3)))


@pytest.mark.parametrize("options", [{}, {"blur": 1.6, "sharp": 1}])
def test_a_record_with_other_options(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    record = json.loads((folder / "motion.json").read_text())
    (folder / "motion.json").write_text(json.dumps(record | {"options": options}))
    monkeypatch.setattr(store, "FOLDER", folder)
    with pytest.raises(WeightsError, match="does not hold the weights of motion"):
        motion_classifier.recognise(np.zeros((1, 28, 28, 3)))


def test_no_folder_of_maps(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no motion maps .* Expected are index\.csv"):
        dataset.read(tmp_path)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("a,b\n1,2\n", "holds no motion maps"),
        ("dataset,subject,label,map\nsmic,s1,0,gone.png\n", "gone.png"),
        ("dataset,subject,label,map\nsmic,s1,zero,0.png\n", "zero"),
        ("dataset,subject,label,map\nsmic,s1,0,0.png\n", "lacks maps of a class"),
        ("dataset,subject,label,map\n", "lacks maps of a class"),
    ],
)
def test_a_broken_list(small: Path, tmp_path: Path, broken: str, message: str) -> None:
    (tmp_path / "0.png").write_bytes((small / "0.png").read_bytes())
    (tmp_path / "index.csv").write_text(broken)
    with pytest.raises(DataError, match=message):
        dataset.read(tmp_path)


def test_a_map_of_another_size(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "index.csv").write_text("dataset,subject,label,map\nsmic,s1,0,0.png\n")
    with pytest.raises(DataError, match=r"0\.png has 30x20 pixels"):
        dataset.read(tmp_path)


def test_scores_are_those_of_the_definitions() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    answers = np.array([0, 0, 1, 1, 1, 0])
    found = scores.score(labels, answers, np.array(list("abcabc")))
    assert found.confusion == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert found.uf1 == pytest.approx((4 / 6 + 4 / 5 + 0) / 3)
    assert found.uar == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found.uf1_interval[0] <= found.uf1 <= found.uf1_interval[1]


def test_scores_of_nothing() -> None:
    nothing = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="no map"):
        scores.score(nothing, nothing, np.array([], str))


def test_training_writes_what_recognition_reads(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "BLURS", (1.6,))  # to be quick
    scores = training.fit(small, tmp_path, seeds=(0,))
    assert scores.uf1 > 0.9
    assert "seed 0" in str(scores)
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    motions = dataset.read(small)
    answers = motion_classifier.recognise(motions.maps)
    assert (answers.argmax(1) == motions.labels).mean() > 0.9
    record = store.read_record("motion")
    assert record["evaluation"]["seeds"][0]["uf1"] == scores.uf1
    assert record["training"]["data"]["subjects"] == 10
    assert str(training.cross_validate(small, seeds=(0,))) == str(scores)


def test_a_subject_is_never_among_those_a_setting_is_chosen_on(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is written over a subject's labels, its answers stay the same."""
    motions = dataset.read(small)
    held = motions.subjects == motions.subjects[0]
    inputs = {blur: motion_classifier.features(motions.maps, blur) for blur in training.BLURS}
    chosen = training.chosen(inputs, motions, ~held, 0)
    motions.labels[held] = (motions.labels[held] + 1) % 3
    for seen in inputs.values():
        seen[held] = 0
    assert training.chosen(inputs, motions, ~held, 0) == chosen


def test_the_shipped_record_is_that_of_the_data_and_reaches_its_goal(mer_data: Path) -> None:
    record = store.read_record("motion")
    motions = dataset.read(mer_data / "optical-flow")
    assert record["training"]["data"]["fingerprint"] == motions.fingerprint
    assert len(record["evaluation"]["seeds"]) == 3
    assert record["evaluation"]["uf1"] >= 0.75
    assert record["evaluation"]["uar"] >= 0.77
    answers = motion_classifier.recognise(motions.maps).argmax(1)
    assert (answers == motions.labels).mean() > 0.8  # it learned on these very maps


def test_a_face_that_stays_as_it_was_has_come_to_look_like_nothing_more() -> None:
    resting = [0.1, 0.6, 0.3]
    assert motion_classifier.change(resting, resting) == pytest.approx([1 / 3] * 3)
    risen = motion_classifier.change(resting, [0.2, 0.5, 0.3])
    assert risen.argmax() == 0
    assert risen.sum() == pytest.approx(1)


def test_motion_and_change_give_one_answer_or_say_unsure() -> None:
    event = Event(1, "micro", 0, 100, 200, "lips", "up", 1.0, 9.0)
    assert motion_classifier.answer(event) is None
    smile = tuple(float(name == "happiness") for name in EMOTIONS)
    told = replace(event, motion=(0.2, 0.5, 0.3), still=smile)
    assert (known := motion_classifier.answer(told)) is not None
    assert (known[0], known[2]) == ("positive", True)
    assert (known := motion_classifier.answer(replace(told, concerns=("too dark",)))) is not None
    assert not known[2]
    assert motion_classifier.answer(replace(told, still=())) == ("positive", 0.5, False)
    named = replace(told, still=(0.5, 0.5), classes=("yawn", "rest"))
    assert motion_classifier.answer(named) == ("positive", 0.5, False)
