"""What visitors leave on the disk and in memory, and how it goes: a private folder, swept often.

Gradio deletes only the files that it remembers. It forgets those of uploads that broke off, and
whatever lay there when the program was killed.
"""

import asyncio
import atexit
import contextlib
import hashlib
import logging
import math
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio import processing_utils

from mer.io.files import locked
from mer.results import html_document
from mer.ui.errors import FULL, RefusedError

AGE_S: Final = 300.0  # seconds since its last use, after which a file goes
EVERY_S: Final = 20.0  # seconds between two looks at the files
MINUTES: Final = math.ceil((AGE_S + EVERY_S) / 60)  # after which a file is surely gone
REMEMBERED_S: Final = 3600  # seconds that answers, numbers only, wait for questions in memory
MAX_BYTES: Final = 8_000_000_000  # of all files of all visitors together
OWNER_BYTES: Final = 2_000_000_000  # of those that came from one address
FREE_BYTES: Final = 500_000_000  # that have to stay free on the disk
_PREFIX: Final = "mer-page-"
_SECRET: Final = secrets.token_bytes(16)
_MUCH: Final = (
    f"{OWNER_BYTES // 10**9} GB of files from your address lie here already, which is as much as "
    "there may be. Try again in five minutes."
)
_log = logging.getLogger(__name__)


def table() -> str:
    """What is kept, where, and how long, as Markdown: About and SECURITY.md show it."""
    return html_document.render("kept.md", minutes=MINUTES, hours=REMEMBERED_S // 3600)


def take_folder() -> Path:
    """The folder of this process's temporary files, made at the first call; Gradio is told.

    It lies in $GRADIO_TEMP_DIR or the system's folder for such files, belongs to this process
    alone, and goes when it ends. What killed ones left goes now.
    """
    told = os.environ.get("GRADIO_TEMP_DIR")
    if told and Path(told).name.startswith(_PREFIX) and Path(told).is_dir():
        return Path(told)
    parent = Path(told or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(parent)
    made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent))
    locked(os.open(made, os.O_RDONLY))  # until we end
    folder = made.rename(parent / made.name[1:])  # the name that says that it may be a leftover
    atexit.register(remove, folder)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def give_each_their_own() -> None:
    """Have Gradio write each file into a folder of its own, which nobody can guess.

    It names folders after what lies in them, so two visitors with one picture would share it.
    """
    for name in ("hash_bytes", "hash_file", "hash_base64"):
        setattr(processing_utils, name, lambda *_: secrets.token_hex(32))


def remove(folder: Path) -> None:
    """Remove a folder and what lies in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(parent: Path) -> None:
    """Remove the folders of processes that were killed: ours, and locked by nobody."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
                continue
            handle = os.open(folder, os.O_RDONLY)
            try:
                if locked(handle):
                    remove(folder)
            finally:
                os.close(handle)


def mark(address: str) -> str:
    """How the folders of files from this address begin, which tells nobody the address."""
    return hashlib.blake2b(address.encode(), key=_SECRET, digest_size=6).hexdigest()


class Arrivals:
    """Room for files that are on their way in, set aside before they come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Path, int] = {}  # bytes set aside for a folder, whatever it holds yet

    def keep(self, folder: Path, more: int) -> None:
        """Set so many bytes more aside for a folder that somebody's file comes into.

        Raises:
            RefusedError: they fit neither on the disk nor into what may lie there of all, of one.
        """
        with self._lock:
            kept = self._kept.get(folder, 0) + more
            sizes = [(folder.name, kept)]
            sizes += [(one.name, size) for one, size in self._kept.items() if one != folder]
            sizes += [
                (path.parent.name, found.st_size)
                for path, found in _files(take_folder())
                if path.parent not in self._kept
            ]
            owner = folder.name[: len(mark(""))]
            if sum(size for name, size in sizes if name.startswith(owner)) > OWNER_BYTES:
                raise RefusedError(507, _MUCH)
            if sum(size for _, size in sizes) > MAX_BYTES:
                raise RefusedError(507, FULL)
            if shutil.disk_usage(take_folder()).free - more < FREE_BYTES:
                raise RefusedError(507, FULL)
            self._kept[folder] = kept

    @contextlib.contextmanager
    def settled(self, folder: Path) -> Iterator[None]:
        """In the block its files leave a folder, or go: nothing is set aside for it any more."""
        with self._lock:
            self._kept.pop(folder, None)
            yield


ARRIVALS: Final = Arrivals()


async def keep_sweeping(page: gr.Blocks) -> None:
    """Delete old files, and forget who is away, for as long as the page is served."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await asyncio.to_thread(sweep, page, AGE_S)
            forget_idle(page)
        except Exception:
            _log.exception("old files were not looked for; they will be")


def sweep(page: gr.Blocks, age: float) -> None:
    """Delete what has not been used for `age` seconds."""
    limit = time.time() - age
    for path, found in list(_files(take_folder())):
        if found.st_ctime < limit:  # a change of its times, name or content is a use
            with contextlib.suppress(OSError):
                path.unlink()
    for folder, _, _ in os.walk(take_folder(), topdown=False):
        with contextlib.suppress(OSError):  # it is gone, or not empty
            if Path(folder) != take_folder() and Path(folder).lstat().st_ctime < limit:
                Path(folder).rmdir()
    for known in page.temp_file_sets:  # Gradio's lists would grow for ever
        known -= {path for path in list(known) if not Path(path).exists()}


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All files; of those that go meanwhile, some or none."""
    for place, _, names in os.walk(folder):
        for path in (Path(place) / name for name in names):
            with contextlib.suppress(OSError):
                yield path, path.lstat()


def forget_idle(page: gr.Blocks) -> None:
    """Callers of the API never say that they go; Gradio would keep what they sent."""
    holder: Any = page.app.state_holder
    now = datetime.now()
    for session, used in list(holder.time_last_used.items()):
        if (now - used).total_seconds() > REMEMBERED_S:
            holder.drop(session)
    holder.tidy(page._queue)


def forget(request: gr.Request) -> None:
    """Delete and forget all that the visitor who has just closed the page sent and was shown."""
    holder = request.request.app.state_holder  # type: ignore[union-attr]
    session = str(request.session_hash)
    state = holder.session_data.get(session)
    holder.drop(session)
    for folder in state.folders if state else ():
        remove(folder)
