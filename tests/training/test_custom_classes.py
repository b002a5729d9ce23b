"""A network of one's own: its name, its classes, and the three commands of docs/own-faces.md."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from benchmarks.synthetic import clips
from mer import cli, hub, ui
from mer.emotions import COLORS, EMOTIONS, colors
from mer.errors import DataError, MerError, WeightsError
from mer.evaluation.datasets import evaluate_predictor
from mer.inference import predictor
from mer.inference.class_activation_map import layer_cam
from mer.inference.predictor import Predictor
from mer.io.video import write_clip
from mer.live.session import Live
from mer.results import charts, comparison, drawing, report, video_tables
from mer.results.drawing import annotate
from mer.training import config
from mer.ui import parts, video_view
from mer.video.analysis import analyse
from mer.weights import store

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "own-faces.md"
CLASSES = ("bored", "smiling")


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smooth noise of 12 pictures a class in train and 4 in test, a mouth drawn on each."""
    folder = tmp_path_factory.mktemp("own") / "faces"
    random = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for name in CLASSES:
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                _picture(random, name).save(folder / split / name / f"{number}.png")
    return folder


def _picture(random: np.random.Generator, name: str) -> Image.Image:
    noise = Image.fromarray(random.integers(0, 256, (9, 9, 3), dtype=np.uint8))
    image = noise.resize((60, 60), Image.Resampling.BICUBIC)
    arc = (0, 180) if name == "smiling" else (0, 0)
    pen = ImageDraw.Draw(image)
    pen.arc((15, 25, 45, 50), *arc, fill="white", width=4)
    pen.line((15, 40, 45, 40), fill="black" if name == "smiling" else "white", width=4)
    return image


def run(faces: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The document's commands, where `faces` and `weights` lie as it says; a short training."""
    place = folder.parent / "project"
    place.mkdir()
    (place / "faces").symlink_to(faces)
    (place / "weights").symlink_to(folder)
    monkeypatch.chdir(place)
    [block] = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    short = ["--epochs", "1", "--copies", "0", "--batch", "8", "--patience", "1"]
    lines = [shlex.split(line)[3:] for line in block.splitlines()]
    return [cli.main([*line, *(short if line[0] == "train" else [])]) for line in lines]


@pytest.mark.parametrize("name", ["", "Mine", "../mine", "a b", "cnn2", "x" * 41])
def test_a_name_that_does_not_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(MerError, match="A network cannot be called"):
        config.check_names("cnn1", name, EMOTIONS, tmp_path)


@pytest.mark.parametrize(
    "classes", [[], ["one"], ["a", "a"], ["a", "probability"], ["a", "train"], ["a", "<b>"]]
)
def test_classes_that_do_not_do(tmp_path: Path, classes: list[str]) -> None:
    with pytest.raises(MerError, match="Name two classes or more"):
        config.check_names("cnn1", "mine", classes, tmp_path)


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"model": "mine", "architecture": "cnn2"}'])
def test_a_file_of_that_name_is_not_written_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(MerError, match="is something else"):
        config.check_names("cnn1", "mine", CLASSES, tmp_path)


def test_colours_of_other_classes_differ() -> None:
    assert colors(EMOTIONS) == COLORS
    mixed = colors(["bored", "anger", "tired"])
    assert mixed["anger"] == COLORS["anger"]
    assert len(set(mixed.values())) == 3
    assert len(colors([str(n) for n in range(20)])) == 20


def test_the_three_commands_give_a_network_of_its_own(
    faces: Path,
    stand_in_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    astronaut: np.ndarray,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(faces, stand_in_weights, monkeypatch) == [0, 0, 0]
    assert store.available()[-1] == "mine"
    record = store.read_record("mine")
    assert (record["architecture"], record["classes"]) == ("cnn1", list(CLASSES))

    records, _ = comparison.read_records()
    assert list(records) == ["mine"]  # the untrained ones beside it have no figures
    assert "Test accuracy, all 8" in " ".join(comparison.table(records)["figure"])
    assert "which of 2 classes a face looks like: bored, smiling" in hub.card("mine")
    scores = records["mine"]["evaluation"]["test"]
    assert list(comparison.report(scores)["class"][:2]) == list(CLASSES)
    assert list(charts.confusion(scores["confusion"], list(scores["per_class"])).data[0].x) == [
        *CLASSES
    ]
    told = [str(getattr(one, "value", "")) for one in ui.build().blocks.values()]
    assert any("Our networks, figure by figure" in text and "mine" in text for text in told)
    assert any(text.startswith("### mine, all 8 pictures") for text in told)

    photo = tmp_path / "photo.png"
    Image.fromarray(astronaut).save(photo)
    capsys.readouterr()
    assert cli.main(["predict", str(photo), "--model", "mine", "--format", "jsonl"]) == 0
    assert set(json.loads(capsys.readouterr().out)["probabilities"]) == set(CLASSES)

    known = predictor.get_predictor("mine")
    [found] = known.predict(astronaut)
    assert found.emotion in CLASSES
    assert annotate(astronaut, [found]).shape == (640, 640, 3)
    view = parts.faces([drawing.picture("a.png", astronaut, [found])])
    assert all(f"<td>{name}</td>" in view for name in CLASSES)
    assert layer_cam(astronaut, "mine", "bored").shape == (48, 48)
    with pytest.raises(MerError, match="mine knows no class 'anger': choose bored, smiling"):
        layer_cam(astronaut, "mine", "anger")
    with pytest.raises(MerError, match="tells other classes apart"):
        Live().choose("mine", "yunet")

    write_clip(tmp_path / "clip.webm", iter(clips.Clip(astronaut, seconds=1.5, fps=25)), 25)
    analysis = analyse(tmp_path / "clip.webm", model="mine")
    assert analysis.people[0].probabilities.shape[1] == len(CLASSES)
    assert set(CLASSES) < set(video_tables.frames_table(analysis).columns)
    assert not set(EMOTIONS) & set(video_tables.frames_table(analysis).columns)
    page = report.video_html(analysis)
    assert "bored" in page
    assert "anger" not in re.sub(r"<script.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert "bored" in video_view.player("clip.webm", analysis)


def test_what_it_learned_from_is_no_test(
    faces: Path, stand_in_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["train", "--model", "cnn1", "--name", "mine", "--out", str(stand_in_weights)]
    data = ["--data", str(faces / "train"), "--classes", *CLASSES]
    short = ["--epochs", "1", "--copies", "0", "--batch", "8"]
    assert cli.main([*arguments, *data, *short]) == 0
    with pytest.raises(DataError, match="mine learned from these very pictures"):
        evaluate_predictor(Predictor("mine"), faces / "train")


def test_folders_of_other_names_say_how_to_train_them(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--model", "cnn1", "--data", str(faces), "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == 2
    assert "told other classes with --classes" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../cnn1", "cover", "motion", "mine", "", "cnn1.json"])
def test_a_name_of_no_network(stand_in_weights: Path, name: str) -> None:
    with pytest.raises(WeightsError, match="There is no network called"):
        predictor.get_predictor(name)


def test_a_record_of_other_classes_than_the_weights(stand_in_weights: Path) -> None:
    known = store.read_record("cnn1")
    store.write_record("cnn1", known | {"classes": ["a", "b"]})
    with pytest.raises(WeightsError, match="A record names 2 classes, not those it has"):
        store.load("cnn1")
    with pytest.raises(WeightsError, match="A record names 2 classes, not those it has"):
        predictor.Predictor("cnn1")


def test_a_start_of_another_kind(faces: Path, stand_in_weights: Path, tmp_path: Path) -> None:
    start = str(stand_in_weights / "cnn2.safetensors")
    arguments = ["train", "--model", "cnn1", "--data", str(faces), "--start", start]
    with pytest.raises(WeightsError, match="another kind of network"):
        store.read_start(store.load("cnn1")[0], stand_in_weights / "cnn2.safetensors")
    assert cli.main([*arguments, "--classes", *CLASSES, "--out", str(tmp_path / "out")]) == 2
