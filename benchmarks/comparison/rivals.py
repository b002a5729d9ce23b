"""What a user would pick instead, installed into a folder of its own and given the same frames."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from mer.errors import MerError

FER: Final = (  # the package's own needs name three frameworks, of which it uses one
    ("--no-deps", "fer==25.10.3"),
    (
        "tensorflow-cpu>=2.20,<2.22",
        "opencv-python-headless>=4.14,<5",
        "pandas",
        "pillow",
        "requests",
        "tqdm",
    ),
)
FACE_API: Final = (
    "@vladmandic/face-api@1.7.15",
    "@tensorflow/tfjs@4.22.0",
    "@tensorflow/tfjs-backend-wasm@4.22.0",  # its native one downloads from elsewhere
)
HERE: Final = Path(__file__).parent
REPEATS: Final = 40  # of which the first ones are not counted
WARM_UP: Final = 5


@dataclass(frozen=True)
class Result:
    """What a program made of a job.

    Attributes:
        times: milliseconds of each repeat, whole way from a frame to expressions, by frame.
        faces: how many it found, by frame.
        answers: what it calls the pictures, in their order; names of EMOTIONS.
    """

    times: dict[str, list[float]]
    faces: dict[str, int]
    answers: list[str]

    def and_again(self, later: "Result") -> "Result":
        """With the times of another run."""
        times = {name: [*self.times[name], *more] for name, more in later.times.items()}
        return replace(self, times=times)


def job(frames: Mapping[str, np.ndarray], pictures: np.ndarray | None, folder: Path) -> str:
    """Write frames and pictures as raw pixels into `folder`; the job as JSON.

    Args:
        frames: by name, RGB uint8 (height, width, 3).
        pictures: RGB uint8 (n, side, side, 3), each all face, to be named.
        folder: is there.
    """
    listed = []
    for name, frame in frames.items():
        file = folder / f"{name}.rgb"
        frame.tofile(file)
        height, width = frame.shape[:2]
        listed.append({"name": name, "file": str(file), "width": width, "height": height})
    asked: dict[str, Any] = {"frames": listed, "repeats": REPEATS + WARM_UP, "pictures": None}
    if pictures is not None:
        pictures.tofile(folder / "pictures.rgb")
        asked["pictures"] = {"file": str(folder / "pictures.rgb"), "side": pictures.shape[1]}
    return json.dumps(asked)


def fer(asked: str, folder: Path) -> Result:
    """Run the package `fer`: Haar cascade and a small network in TensorFlow Lite.

    Raises:
        MerError: it cannot be installed, or does not run here.
    """
    python = folder / "fer" / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder / "fer")])
        for packages in FER:
            _run([str(python), "-m", "pip", "install", "--quiet", *packages])
    return _result(_run([str(python), str(HERE / "fer_rival.py")], asked))


def face_api(asked: str, folder: Path) -> Result:
    """Run `@vladmandic/face-api` in Node: its tiny face detector, on WebAssembly.

    Raises:
        MerError: it cannot be installed, or does not run here.
    """
    place = folder / "face-api"
    if not (place / "node_modules").exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text("{}\n", encoding="utf-8")
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", *FACE_API], cwd=place)
    shutil.copy(HERE / "face_api_rival.cjs", place)
    return _result(_run(["node", "face_api_rival.cjs"], asked, cwd=place))


def _run(command: Sequence[str], given: str = "", cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=True, cwd=cwd
        )
    except FileNotFoundError as error:
        raise MerError(f"There is no program {command[0]} here: install it first.") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise MerError(f"{' '.join(command[:4])} failed: {''.join(last)}") from error
    return done.stdout


def _result(text: str) -> Result:
    said = json.loads(text.strip().splitlines()[-1])
    times = {name: one[WARM_UP:] for name, one in said["times"].items()}
    return Result(times, said["faces"], said["answers"])
