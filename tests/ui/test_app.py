"""Tests of the page through its API: what comes back for good, odd and hostile pictures."""

import base64
import codecs
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from mer.emotions import EMOTIONS
from mer.ui import upload
from mer.ui.errors import UNEXPECTED
from mer.weights import store


def _upload(client: Client, *paths: Path, network: str = "cnn1", detector: str = "yunet") -> Any:
    files = [handle_file(path) for path in paths]
    return client.submit(files, network, detector, False, api_name="/upload").result(timeout=120)


def _exported(outputs: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The CSV and the JSON of the Export menu."""
    csv, excel, document = (
        base64.b64decode(part)
        for part in re.findall(
            r'href="data:(?:text/csv|application/json);base64,([^"]+)"', outputs[0]
        )
    )
    assert excel == codecs.BOM_UTF8 + csv
    return pd.read_csv(io.BytesIO(csv)), json.loads(document)


def _rows(outputs: Any) -> list[list[Any]]:
    """File and number of each face."""
    table, _ = _exported(outputs)
    rows: list[list[Any]] = table.dropna(subset=["face"])[["file", "face"]].to_numpy().tolist()
    return rows


def _webcam(client: Client, frame: str) -> Any:
    return client.predict(frame, "cnn1", "yunet", api_name="/webcam")


def _data_url(picture: np.ndarray) -> str:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "jpeg")
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def test_nothing_uploaded(client: Client) -> None:
    assert "Choose up to 30 pictures" in _upload(client)[0]


def _write(name: str, save: Callable[[Path, Image.Image], Any]) -> Any:
    return pytest.param(name, save, id=name)


def _truncated(path: Path, face: Image.Image) -> None:
    face.save(path)
    path.write_bytes(path.read_bytes()[:4000])


def _gray16(path: Path, face: Image.Image) -> None:
    Image.fromarray(np.asarray(face.convert("L")).astype(np.uint16) * 257).save(path)


def _heic(path: Path, face: Image.Image) -> None:
    import pillow_heif

    pillow_heif.from_pillow(face).save(path)


@pytest.mark.parametrize(
    ("name", "save"),
    [
        _write("empty.jpg", lambda path, _: path.write_bytes(b"")),
        _write("truncated.jpg", _truncated),
        _write("text.jpg", lambda path, _: path.write_text("no picture")),
        _write("bomb.png", lambda path, _: Image.new("1", (20_000, 20_000)).save(path)),
    ],
)
def test_bad_file_gets_a_sentence(
    client: Client, tmp_path: Path, name: str, save: Callable[[Path, Image.Image], Any]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    save(tmp_path / name, Image.fromarray(noise))
    outputs = _upload(client, tmp_path / name)
    assert name in outputs[0]
    assert re.search(r"(again|smaller|Choose)", outputs[0])
    assert "Traceback" not in outputs[0]
    assert _rows(outputs) == []


@pytest.mark.parametrize(
    ("name", "save"),
    [
        _write("cmyk.jpg", lambda path, face: face.convert("CMYK").save(path)),
        _write("sixteen.png", _gray16),
        _write("gray.png", lambda path, face: face.convert("L").save(path)),
        _write("alpha.png", lambda path, face: face.convert("RGBA").save(path)),
        _write(
            "animated.gif",
            lambda path, face: face.save(path, save_all=True, append_images=[face.rotate(9)]),
        ),
        _write("photo.heic", _heic),
    ],
)
def test_odd_picture_is_read(
    client: Client,
    tmp_path: Path,
    astronaut: np.ndarray,
    name: str,
    save: Callable[[Path, Image.Image], Any],
) -> None:
    save(tmp_path / name, Image.fromarray(astronaut))
    outputs = _upload(client, tmp_path / name)
    assert "Face 1 " in outputs[0]
    assert _rows(outputs) == [[name, 1]]


@pytest.mark.parametrize("size", [(1, 1), (400, 300)])
def test_no_face_is_said_with_what_to_try(
    client: Client, tmp_path: Path, size: tuple[int, int]
) -> None:
    Image.new("RGB", size, "gray").save(tmp_path / "wall.png")
    outputs = _upload(client, tmp_path / "wall.png")
    assert "No face found in wall.png. Try " in outputs[0]
    assert _rows(outputs) == []


def test_fifty_faces(client: Client, tmp_path: Path, astronaut: np.ndarray) -> None:
    crowd = np.tile(astronaut[:300, 100:400], (5, 10, 1))
    Image.fromarray(crowd).save(tmp_path / "crowd.png")
    outputs = _upload(client, tmp_path / "crowd.png")
    assert len(_rows(outputs)) == 50
    assert "Face 50 " in outputs[0]


def test_good_pictures_are_read_beside_bad_ones(
    client: Client, tmp_path: Path, astronaut: np.ndarray
) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.fromarray(astronaut).save(good)
    bad.write_bytes(b"bad")
    outputs = _upload(client, bad, good, good)
    assert "bad.png" in outputs[0]
    assert "2 faces in 2 pictures" in outputs[0]
    assert "1 unreadable" in outputs[0]
    assert [row[0] for row in _rows(outputs)] == ["good.png", "good.png (2)"]


def test_downloads_hold_the_table(client: Client, tmp_path: Path, astronaut: np.ndarray) -> None:
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    table, document = _exported(
        _upload(client, tmp_path / "a.png", network="cnn2", detector="haar")
    )
    assert table[["file", "network", "detector"]].values.tolist() == [["a.png", "cnn2", "haar"]]
    assert table[list(EMOTIONS)].sum(axis=1)[0] == pytest.approx(1, abs=1e-3)
    assert document["faces"][0]["box"]["width"] == table.loc[0, "width"]


def test_too_many_pictures_say_the_limit(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (9, 9)).save(path)
    answer = _upload(client, *[path] * (upload.MAX_FILES + 1))[0]
    assert f"{upload.MAX_FILES + 1} pictures are more than the {upload.MAX_FILES}" in answer


def test_names_are_no_html(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    path.write_bytes(b"bad")
    assert "<img" not in _upload(client, path)[0]


def test_webcam_frame(client: Client, astronaut: np.ndarray) -> None:
    answer = _webcam(client, _data_url(astronaut))
    assert re.search(r"Face 1 .*\(\d+ %\)", answer)


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("", "There is no camera picture yet"),
        ("data:,", "is empty"),
        ("no base64 !", "did not arrive whole"),
        (base64.b64encode(b"no picture").decode(), "is not a picture"),
    ],
)
def test_bad_frame_gets_a_sentence(client: Client, frame: str, answer: str) -> None:
    assert answer in _webcam(client, frame)


def test_frame_without_face(client: Client) -> None:
    answer = _webcam(client, _data_url(np.full((300, 400, 3), 90, np.uint8)))
    assert "No face found" in answer


def test_unexpected_error_is_one_sentence(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mer.ui.webcam.get_predictor", lambda *_: 1 / 0)
    with pytest.raises(AppError, match=re.escape(UNEXPECTED[:40])):
        _webcam(client, _data_url(np.zeros((9, 9, 3), np.uint8)))
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("name", ["/webcam", "/upload", "/video"])
@pytest.mark.parametrize("values", [(), ("x",) * 9, ({"odd": [1]},) * 9, (-1,) * 9])
def test_values_that_the_page_does_not_send_get_a_sentence(
    client: Client, name: str, values: tuple[object, ...]
) -> None:
    with pytest.raises(AppError, match=r"too few values, or|not in the list of choices"):
        client.submit(*values, api_name=name).result(timeout=60)


def test_too_few_values_get_a_sentence_from_every_handler(client: Client, url: str) -> None:
    for one in client.config["dependencies"]:
        if one["backend_fn"] and one["inputs"]:
            call = {"data": [], "fn_index": one["id"], "session_hash": "few"}
            assert httpx.post(f"{url}gradio_api/queue/join", json=call).status_code == 200
            told = httpx.get(f"{url}gradio_api/queue/data?session_hash=few", timeout=60).text
            assert "This call came with too few values" in told, one["api_name"]


def test_several_visitors_at_once(client: Client, astronaut: np.ndarray) -> None:
    frame = _data_url(astronaut)
    jobs = [client.submit(frame, "cnn1", "yunet", api_name="/webcam") for _ in range(6)]
    assert all("Face 1 " in job.result(timeout=60) for job in jobs)


@pytest.mark.parametrize("path", ["app.py", "weights/cnn1.json", "/etc/passwd", "http://127.0.0.1"])
def test_other_files_are_not_served(url: str, path: str) -> None:
    root = store.FOLDER.parent
    asked = path if path.startswith(("/", "http")) else root / path
    assert httpx.get(f"{url}gradio_api/file={asked}").status_code == 403


def test_one_of_the_faces_is_selected_and_each_can_be(
    client: Client, tmp_path: Path, astronaut: np.ndarray
) -> None:
    Image.fromarray(np.hstack([astronaut, astronaut])).save(tmp_path / "two.png")
    html = _upload(client, tmp_path / "two.png")[0]
    assert html.count('aria-pressed="true"') == 1
    assert html.count('aria-pressed="false"') == 1
    assert re.findall(r'aria-label="(Face \d): ', html) == ["Face 1", "Face 2"]
    assert html.count("<section") - html.count("<section data-face") == 0
