"""Folders, zips and FER+ in; twins on one side of a split."""

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mer.data import dataset, near_duplicates
from mer.data.dataset import Pictures, gather
from mer.emotions import EMOTIONS
from mer.errors import DataError


def png(value: int, size: int = 8) -> bytes:
    """A picture with a gradient, told from others by `value`."""
    pixels = (np.add.outer(np.arange(size) * value, np.arange(size) * 3) % 256).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder or zip file"):
        dataset.load(tmp_path / "nowhere", 16)


def test_an_empty_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable pictures.*anger, disgust"):
        dataset.load(tmp_path, 16)


def test_a_damaged_zip_is_a_sentence(tmp_path: Path) -> None:
    put(tmp_path / "bad.zip", b"PK\3\4 but no zip")
    with pytest.raises(DataError, match="no readable zip"):
        dataset.load(tmp_path / "bad.zip", 16)


def test_unreadable_pictures_and_other_folders_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "anger" / "good.png", png(5))
    put(tmp_path / "anger" / "bad.png", b"no picture")
    put(tmp_path / "boredom" / "one.png", png(7))
    pictures = dataset.load(tmp_path, 16)
    assert pictures.names == ("anger/good.png",)
    assert "anger/bad.png" in caplog.text
    assert "boredom" in caplog.text


def test_a_zip_reads_as_its_folder(tiny_data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for name, content in dataset.entries(tiny_data):
            out.writestr(f"wrapped/{name}", content)
    folder, packed = (dataset.load(source, 16, "train") for source in (tiny_data, archive))
    assert dataset.has_split(archive, "train")
    assert not dataset.has_split(archive, "validation")
    assert (folder.pixels == packed.pixels).all()
    assert (folder.labels == packed.labels).all()


def test_classes_may_be_missing(tmp_path: Path) -> None:
    put(tmp_path / "surprise" / "a.png", png(3))
    pictures = dataset.load(tmp_path, 16)
    assert pictures.counts() == dict.fromkeys(EMOTIONS, 0) | {"surprise": 1}
    assert pictures.targets.tolist() == [[0, 0, 0, 0, 0, 0, 1]]


def test_other_words_for_the_classes_are_understood(tmp_path: Path) -> None:
    for number, folder in enumerate(("angry", "Happy", "sad", "surprised")):
        put(tmp_path / folder / "a.png", png(number + 3))
    named = {emotion for emotion, n in dataset.load(tmp_path, 16).counts().items() if n}
    assert named == {"anger", "happiness", "sadness", "surprise"}


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    put(tmp_path / "fear" / "a.png", png(3))
    before = dataset.load(tmp_path, 16).fingerprint
    assert dataset.load(tmp_path, 16).fingerprint == before
    put(tmp_path / "fear" / "a.png", png(4))
    assert dataset.load(tmp_path, 16).fingerprint != before


def ferplus(folder: Path) -> Path:
    """Three pictures in FER+'s layout: fear by its own label, contempt, and not a face."""
    header = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    votes = {"fer0.png": "4,0,2,0,0,0,2,0,2,0", "fer1.png": "1,0,0,0,0,0,0,9,0,0"}
    rows = [f"Training,{name},{counts}" for name, counts in votes.items()]
    rows.append("Training,,0,0,0,0,0,0,0,0,0,10")
    put(
        folder / "fer2013new.csv",
        "\n".join([f"Usage,Image name,{header}", *rows]).encode(),
    )
    own = ["split,image,fer2013_class", "FER2013Train,fer0.png,fear|surprise"]
    put(folder / "fer2013_labels.csv", "\n".join([*own, "FER2013Train,fer1.png,happy"]).encode())
    for number, name in enumerate(votes):
        put(folder / "FER2013Train" / name, png(number + 3, size=48))
    return folder


def test_ferplus_targets_mix_the_votes_with_fer2013s_own_label(tmp_path: Path) -> None:
    pictures = dataset.load(ferplus(tmp_path), 48, "train")
    assert pictures.names == ("FER2013Train/fer0.png",)  # most said contempt of the other
    target = dict(zip(EMOTIONS, pictures.targets[0].tolist(), strict=True))
    expected = {"neutral": 0.7 * 0.5, "surprise": 0.7 * 0.25 + 0.15, "fear": 0.7 * 0.25 + 0.15}
    assert {k: v for k, v in target.items() if v} == pytest.approx(expected)


def test_ferplus_is_judged_by_what_more_than_half_of_its_annotators_say(tmp_path: Path) -> None:
    rows = {
        "most": "2,6,0,0,1,0,1,0,0,0",
        "half": "5,5,0,0,0,0,0,0,0,0",
        "other": "0,0,0,0,0,0,0,9,1,0",
    }
    text = (ferplus(tmp_path) / "fer2013new.csv").read_text().splitlines()[0]
    votes = [f"PublicTest,{name}.png,{counts}" for name, counts in rows.items()]
    (tmp_path / "fer2013new.csv").write_text("\n".join([text, *votes]))
    own = [f"FER2013Valid,{name}.png,fear" for name in rows]
    (tmp_path / "fer2013_labels.csv").write_text("\n".join(["split,image,fer2013_class", *own]))
    for number, name in enumerate(rows):
        put(tmp_path / "FER2013Valid" / f"{name}.png", png(number + 9, size=48))
    pictures = dataset.load(tmp_path, 48, "test")
    assert pictures.names == ("FER2013Valid/most.png",)
    assert pictures.targets.tolist() == [[float(name == "happiness") for name in EMOTIONS]]


def test_a_damaged_ferplus_list_is_a_sentence(tmp_path: Path) -> None:
    ferplus(tmp_path)
    (tmp_path / "fer2013new.csv").write_text("Usage,Image name\nTraining,fer0.png\n")
    with pytest.raises(DataError, match=r"fer2013new\.csv"):
        dataset.load(tmp_path, 48, "train")


def random_pictures(n: int, seed: int) -> Pictures:
    """Pictures of noise in pairs: row 2k and 2k+1 are twins, their classes drawn by chance."""
    rng = np.random.default_rng(seed)
    thumbnails = np.repeat(rng.normal(size=(n // 2, 1024)), 2, axis=0)
    thumbnails += rng.normal(scale=0.05, size=thumbnails.shape)
    thumbnails /= np.linalg.norm(thumbnails, axis=1, keepdims=True)
    labels = rng.integers(0, 7, n)
    return Pictures(
        tuple(map(str, range(n))),
        labels,
        np.eye(7, dtype=np.float32)[labels],
        np.zeros((n, 4, 4, 3), np.uint8),
        thumbnails.astype(np.float32),
        "",
    )


def test_a_split_keeps_twins_together_and_holds_out_the_fraction() -> None:
    pictures = random_pictures(700, seed=1)
    train, held = dataset.split(pictures, 0.2, seed=0)
    assert sorted([*train, *held]) == list(range(700))
    assert not {row // 2 for row in train} & {row // 2 for row in held}
    assert 0.15 < len(held) / 700 < 0.25
    again = dataset.split(pictures, 0.2, seed=0)
    assert (again[1] == held).all()
    assert (dataset.split(pictures, 0.2, seed=1)[1].tolist()) != held.tolist()


def test_twins_across_data_sets_never_stand_on_both_sides(tiny_data: Path) -> None:
    corpus = gather([tiny_data, tiny_data / "train"], 16, fraction=0.3, seed=0)
    thumbnails = corpus.pictures.thumbnails
    found = near_duplicates.pairs(thumbnails[corpus.train], thumbnails[corpus.validation])
    assert len(corpus.train)
    assert len(corpus.validation)
    assert not len(found.first)


def test_the_papers_set_has_its_counts(mer_data: Path) -> None:
    pictures = dataset.load(mer_data / "micro-expressions", 48, "test")
    assert list(pictures.counts().values()) == [350, 160, 120, 480, 160, 330, 260]


def test_folders_of_blends_have_two_targets(tmp_path: Path, tiny_data: Path) -> None:
    picture = (tiny_data / "train" / "fear" / "fear1.jpg").read_bytes()
    for folder in ("sadly_fearful", "awed", "happily_bored"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(picture)
    pictures = dataset.load(tmp_path, 16)
    assert pictures.names == ("awed/a.jpg", "sadly_fearful/a.jpg")
    wanted = np.zeros((2, 7))
    wanted[0, [EMOTIONS.index("surprise"), EMOTIONS.index("fear")]] = 0.6, 0.4
    wanted[1, [EMOTIONS.index("fear"), EMOTIONS.index("sadness")]] = 0.6, 0.4
    np.testing.assert_allclose(pictures.targets, wanted, atol=1e-6)
    corpus = gather([tiny_data], 16, fraction=0.3, seed=0, cut=[tmp_path])
    assert corpus.description[1]["validation"] == dict.fromkeys(EMOTIONS, 0)


def test_a_person_stays_on_one_side(tmp_path: Path, tiny_data: Path) -> None:
    folder = tmp_path / "lab"
    shutil.copytree(tiny_data / "train", folder)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    rows = [f"{name},{name[-5]}" for name in files]  # anger1, fear1, ... show one person
    (folder / "labels.csv").write_text("\n".join(["file,subject", *rows]))
    pictures = dataset.load(folder, 16)
    train, held = dataset.split(pictures, 0.34, seed=0)
    seen = {pictures.people[row] for row in train}, {pictures.people[row] for row in held}
    assert seen[1]
    assert not seen[0] & seen[1]


def test_a_face_is_cut_out_and_its_lack_is_known(tmp_path: Path, astronaut: np.ndarray) -> None:
    flat = np.full((90, 90, 3), 99, np.uint8)
    for name, picture in {"a": astronaut, "b": flat, "c": np.full((200, 90, 3), 9)}.items():
        (tmp_path / "fear").mkdir(exist_ok=True)
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "fear" / f"{name}.png")
    pictures = dataset.load(tmp_path, 48, cut=True)
    assert pictures.missed == {2}  # b is as small and square as a crop
    whole = dataset.load(tmp_path, 48)
    assert whole.missed == frozenset()
    assert not (pictures.pixels[0] == whole.pixels[0]).all()
    assert (pictures.pixels[1] == whole.pixels[1]).all()
