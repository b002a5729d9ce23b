"""Somebody who visits the page as a program does, and what such a visitor brings."""

import base64
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Self

import httpx
import numpy as np
from PIL import Image

from benchmarks import live
from benchmarks.timing import astronaut
from mer.io.video import Frame, write_clip
from tools.security import hostile
from tools.security.mutation import damaged

PATIENCE_S: Final = 300.0  # for an answer, on a busy machine


class SaidError(Exception):
    """What the page said in place of an answer."""


@dataclass(frozen=True)
class Files:
    """What visitors bring: a picture of a face, a video of it, frames of a camera."""

    face: bytes
    film: bytes
    frames: list[bytes]
    hostile: list[bytes]  # pictures
    hostile_films: list[bytes]
    values: list[bytes]  # of calls

    @classmethod
    def made(cls) -> Self:
        """Of the face of scikit-image.

        Raises:
            MerError: scikit-image is absent.
        """
        face = astronaut()
        content = io.BytesIO()
        Image.fromarray(face).resize((256, 256)).save(content, "jpeg")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.webm"
            small = np.asarray(Image.fromarray(face).resize((160, 160)))
            write_clip(path, (Frame(n, 40.0 * n, np.roll(small, n, 0)) for n in range(6)), 25)
            return cls(
                content.getvalue(),
                path.read_bytes(),
                live.frames(face),
                [made() for made in hostile.PICTURES],
                [hostile.mp4_of_many_samples()],
                [made() for made in hostile.VALUES],
            )


class Visitor:
    """Somebody who calls the page as a program does."""

    def __init__(self, address: str, files: Files, chance: Random) -> None:
        # One of 250 computers: an address may not have all the places.
        own = httpx.HTTPTransport(local_address=f"127.0.1.{chance.randrange(1, 251)}")
        self._line = httpx.Client(base_url=address, timeout=PATIENCE_S, transport=own)
        self._files, self._chance = files, chance

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def picture(self) -> str:
        """A good picture."""
        return self._asked("upload", [self._uploaded("face.jpg", self._files.face)])

    def captured(self) -> str:
        """A frame of a camera."""
        data = base64.b64encode(self._files.face).decode()
        return self._asked("webcam", f"data:image/jpeg;base64,{data}")

    def bad_file(self) -> str:
        """A damaged picture, or none at all."""
        content = self._chance.choice((damaged(self._chance, [self._files.face]), b"", b"text"))
        return self._asked("upload", [self._uploaded("bad.jpg", content)])

    def bad_frame(self) -> str:
        """A frame that did not arrive whole."""
        return self._asked("webcam", self._chance.choice(("", "data:,", "###", "QUJD")))

    def video(self) -> str:
        """A short video."""
        return self._asked("video", self._uploaded("film.webm", self._files.film))

    def bad_video(self) -> str:
        """A damaged one."""
        content = damaged(self._chance, [self._files.film])
        return self._asked("video", self._uploaded("bad.webm", content))

    def hostile_picture(self) -> str:
        """A picture that asks for gigabytes, or for minutes."""
        content = self._chance.choice(self._files.hostile)
        return self._asked("upload", [self._uploaded("hostile.jpg", content)])

    def hostile_frame(self) -> str:
        """The same, as a captured frame."""
        content = min(
            self._files.hostile, key=lambda one: (len(one) > 500_000, self._chance.random())
        )
        data = base64.b64encode(content).decode()
        return self._asked("webcam", f"data:image/jpeg;base64,{data}")

    def hostile_video(self) -> str:
        """The same of a video."""
        content = self._chance.choice(self._files.hostile_films)
        return self._asked("video", self._uploaded("hostile.mp4", content))

    def hostile_values(self) -> str:
        """Values that take long to read."""
        content = self._chance.choice(self._files.values)
        answer = self._line.post("gradio_api/queue/join", content=content)
        raise SaidError(answer.json()["detail"])

    def live(self) -> str:
        """A few frames of the live view."""
        answer = self._line.post("live/start").json()
        if "key" in answer:
            key = {"x-live-key": answer["key"]}
            for frame in self._files.frames[:3]:
                answer = self._line.post("live/frame?time=0", headers=key, content=frame).json()
            self._line.post("live/stop", headers=key)
        return str(answer.get("problem", "People."))

    def leaves(self) -> str:
        """A call whose answer nobody waits for."""
        sent = self._uploaded("face.jpg", self._files.face)
        self._line.post("gradio_api/call/upload", json={"data": _values("upload", [sent])})
        self._line.close()
        return ""

    def breaks_off(self) -> str:
        """An upload that ends in the middle."""

        def half() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nhalf'
            raise ConnectionError

        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        try:
            self._line.post("gradio_api/upload", content=half(), headers=kind)
        except ConnectionError:
            self._line.close()
        return ""

    def _uploaded(self, name: str, content: bytes) -> dict[str, Any]:
        answer = self._line.post("gradio_api/upload", files={"files": (name, content)})
        if answer.status_code != 200:
            raise SaidError(answer.text)
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}, "orig_name": name}

    def _asked(self, what: str, value: Any) -> str:
        call = self._line.post(
            f"gradio_api/call/{what}", json={"data": _values(what, value)}
        ).json()
        if "event_id" not in call:
            raise SaidError(str(call.get("detail")))
        answer = self._line.get(f"gradio_api/call/{what}/{call['event_id']}").text
        kind, _, data = answer.rstrip().rpartition("\n\n")[2].partition("\ndata: ")
        told = json.loads(data)
        if kind != "event: complete":
            raise SaidError(str(told))
        return next(part for part in told if isinstance(part, str))


# What a tab takes beside file, network and detector: measures; of a video its part, too.
_SETTINGS: Final[dict[str, tuple[Any, ...]]] = {"upload": (False,), "video": (0, 0, 1, False)}


def _values(what: str, value: Any) -> list[Any]:
    """What this tab's handler takes, with one file or frame."""
    return [value, "cnn1", "yunet", *_SETTINGS.get(what, ())]


# Each as often as it stands here.
TASKS: Final[tuple[Callable[[Visitor], str], ...]] = (
    *(Visitor.picture, Visitor.picture, Visitor.picture, Visitor.captured, Visitor.captured),
    *(Visitor.bad_file, Visitor.bad_file, Visitor.bad_frame, Visitor.video, Visitor.bad_video),
    *(Visitor.live, Visitor.leaves, Visitor.breaks_off),
    *(Visitor.hostile_picture, Visitor.hostile_frame, Visitor.hostile_video),
    Visitor.hostile_values,
)
