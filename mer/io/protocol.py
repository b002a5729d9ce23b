"""What a worker that decodes files and its caller agree upon: limits, words and messages."""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Limits:
    """What a file may cost."""

    pixels: int = 50_000_000  # of a picture, or of a frame
    # Bytes of address space of a worker beyond what it has at rest, the pixels in shared memory
    # included. 50 million pixels take 350 MB by Pillow, 300 MB by OpenCV. With pages of libraries
    # that it touches for the first time, that is at most 400 MB.
    memory: int = 396_000_000
    # Bytes of a file from which on it may take `large_memory`, as 8K video does.
    large: int = 40_000_000
    large_memory: int = 1_000_000_000
    # Processor seconds of a picture, or from one frame of a video to the next. Of what real files
    # take, AVIF of 25 million pixels takes most: 2 s.
    processor_s: int = 8
    wall_s: float = 60.0  # seconds after which a worker is ended that waits for something
    # Bytes of shared memory that a worker keeps for the next picture; to get fresh pages from the
    # system takes as long as a third of decoding.
    kept: int = 64_000_000
    # Bytes of pixels up to which they are copied: a process can hold 65,000 mappings.
    copied: int = 3_000_000

    def memory_for(self, size: int) -> int:
        """Bytes beyond what a worker has at rest, for a file of so many bytes."""
        return self.memory if size <= self.large else self.large_memory


LIMITS: Final = Limits()

CHOOSE_PICTURE: Final = "Choose a JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF picture."


def too_much(name: str) -> str:
    """What to say of a file that ended its worker."""
    return (
        f"{name} takes more memory or time to decode than any good file of its size: it is damaged "
        "or was made to do harm. Save it anew in another format, or choose another."
    )


def too_large(name: str, size: str, most: int = LIMITS.pixels) -> str:
    """What to say of a picture of this size, of whose kind at most so many pixels are read."""
    limit = f"at most {most // 1_000_000} million are read"
    return f"{name} has {size}, and {limit}: make the picture smaller and try again."


class Channel:
    """Messages of JSON between a worker and its caller, a line each, with open files beside them.

    Nothing that a worker sends is ever executed, as a pickle would be.
    """

    def __init__(self, line: socket.socket) -> None:
        self.line, self._rest, self._files = line, b"", list[int]()

    def send(self, message: dict[str, Any], files: Sequence[int] = ()) -> None:
        """Send a message and, with it, descriptors of open files."""
        text = json.dumps(message).encode() + b"\n"
        sent = socket.send_fds(self.line, [text], list(files)) if files else 0
        self.line.sendall(text[sent:])

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """The next message and its files; None where the other side is gone."""
        while b"\n" not in self._rest:
            try:
                content, files, _, _ = socket.recv_fds(self.line, 65536, 4)
            except ConnectionError:
                return None
            if not content:
                return None
            self._rest += content
            self._files += files
        text, _, self._rest = self._rest.partition(b"\n")
        files, self._files = self._files, []
        return json.loads(text), files
