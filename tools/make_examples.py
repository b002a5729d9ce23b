"""Makes the two example videos of the Video tab: `python -m tools.make_examples`.

They show the photograph that ships with the page, warped: NASA's works are in the public domain.
"""

from pathlib import Path
from typing import Any, Final

from benchmarks.synthetic import clips
from benchmarks.synthetic.timeline import plan
from mer.io import images, webm
from mer.ui import examples

SIZE: Final = (480, 360)  # pixels
VIDEOS: Final[dict[str, dict[str, Any]]] = {
    "expressions.webm": {
        "fps": 60,
        "seconds": 9,
        "events": plan(9, 3.0),
        "size": (480, 360),
        "noise": 1.0,
    },
    "blinks-and-speech.webm": {
        "fps": 30,
        "seconds": 12,
        "speech": 15,
        "size": (480, 360),
        "noise": 1.0,
    },
}


def make(folder: Path = examples.FOLDER) -> list[Path]:
    """Write the videos into `folder` and return their paths."""
    picture = images.read(examples.PHOTOGRAPH)
    paths = [folder / name for name in VIDEOS]
    for path, options in zip(paths, VIDEOS.values(), strict=True):
        clip = clips.Clip(picture, **options)
        webm.write(path, clip, clip.fps, bitrate="700k")
    return paths


if __name__ == "__main__":
    for written in make():
        print(written, written.stat().st_size, "bytes")
