"""What visitors leave on the disk and in memory, and how it goes: a private folder, swept often.

Gradio deletes only the files that it remembers. It forgets those of uploads that broke off, and
whatever lay there when the program was killed.
"""

import asyncio
import atexit
import contextlib
import fcntl
import math
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import gradio as gr

from mer.results import markdown

AGE_S: Final = 300.0  # seconds since its last use, after which a file goes
EVERY_S: Final = 20.0  # seconds between two looks at the files
MINUTES: Final = math.ceil((AGE_S + EVERY_S) / 60)  # after which a file is surely gone
REMEMBERED_S: Final = 3600  # seconds that answers, numbers only, wait for questions in memory
MAX_BYTES: Final = 8_000_000_000  # of all files of all visitors together
FREE_BYTES: Final = 500_000_000  # that have to stay free on the disk
_PREFIX: Final = "mer-page-"
_STARTING_S: Final = 60.0  # in which a page that starts has taken its folder

# What is kept, where, and how long: About and SECURITY.md show it.
TABLE: Final = (
    (
        "A captured frame, a frame of the live view",
        "memory",
        "until it is answered; the last captured one until the page is closed, at most "
        f"{REMEMBERED_S // 3600} hour",
    ),
    (
        "An uploaded picture or video, an annotated picture, a map of where a network looks",
        "a temporary folder that only the page's own user can read",
        f"until the page is closed, at most {MINUTES} minutes after its last use",
    ),
    (
        "Cut-out faces of the last answer, to show where a network looks",
        "memory",
        "until the page is closed, at most 10 minutes",
    ),
    (
        "What was found in a video: numbers, no picture",
        "memory",
        f"until the page is closed, at most {REMEMBERED_S // 3600} hour",
    ),
    (
        "CSV, JSON and reports; pictures and clips of an event",
        "your browser only",
        "until you close the page",
    ),
    (
        "What the live view knows of a face: numbers",
        "memory",
        "until you stop it, at most 1 minute",
    ),
    (
        "Errors of the page, without pictures",
        "the log of whoever runs the page",
        "as long as they keep it",
    ),
)


def table() -> str:
    """TABLE as Markdown."""
    return markdown.table(("What", "Where", "How long"), TABLE)


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
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)  # until we end
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def _remove_leftovers(parent: Path) -> None:
    """Remove the folders of processes that were killed: ours, and locked by nobody."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            young = time.time() - found.st_ctime < _STARTING_S
            if young or folder.is_symlink() or found.st_uid != os.getuid():
                continue
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)


def room() -> bool:
    """Whether another upload fits on the disk, and into what all visitors may leave there."""
    folder = take_folder()
    used = sum(found.st_size for _, found in _files(folder))
    return used < MAX_BYTES and shutil.disk_usage(folder).free > FREE_BYTES


@contextlib.asynccontextmanager
async def sweeping(app: Any) -> AsyncIterator[None]:
    """The server's lifespan, in which old files go, and all of them at its end."""
    task = asyncio.create_task(_keep_sweeping(app.get_blocks()))
    try:
        yield
    finally:
        task.cancel()
        sweep(app.get_blocks(), 0.0)


async def _keep_sweeping(page: gr.Blocks) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        await asyncio.to_thread(sweep, page, AGE_S)


def sweep(page: gr.Blocks, age: float) -> None:
    """Delete what has not been used for `age` seconds, and forget sessions without a visitor."""
    limit = time.time() - age
    for path, found in list(_files(take_folder())):
        if found.st_ctime < limit:  # a change of its times, name or content is a use
            path.unlink(missing_ok=True)
    for folder in take_folder().iterdir():
        with contextlib.suppress(OSError):  # it is a file, gone, or not empty
            if folder.lstat().st_ctime < limit:
                folder.rmdir()
    for known in page.temp_file_sets:  # Gradio's lists would grow for ever
        known -= {path for path in list(known) if not Path(path).exists()}
    _forget_idle(page)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if not path.is_dir():
                yield path, path.lstat()


def _forget_idle(page: gr.Blocks) -> None:
    """Callers of the API never say that they go; Gradio would keep what they sent."""
    holder = page.app.state_holder
    now = datetime.now()
    for session, used in list(holder.time_last_used.items()):
        if (now - used).total_seconds() > REMEMBERED_S:
            _drop(holder, session)


def forget(request: gr.Request) -> None:
    """Delete and forget all that the visitor who has just closed the page sent and was shown."""
    holder = request.request.app.state_holder  # type: ignore[union-attr]
    session = str(request.session_hash)
    mine = _shown(holder, session)
    _drop(holder, session)
    others: set[Path] = set()
    for other in list(holder.session_data):
        others |= _shown(holder, other)
    for folder in mine - others:  # the same picture of two visitors is one file
        shutil.rmtree(folder, ignore_errors=True)


def _drop(holder: Any, session: str) -> None:
    holder.session_data.pop(session, None)
    holder.time_last_used.pop(session, None)


def _shown(holder: Any, session: str) -> set[Path]:
    """The folders of the files in a session's components: Gradio gives each file one."""
    state = holder.session_data.get(session)
    root = take_folder().resolve()
    values = [part.get("props", {}).get("value") for part in state.components] if state else []
    paths = {Path(path) for value in values for path in _paths(value)}
    return {path.parent for path in paths if path.parent.parent == root}


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("path"), str):
            yield value["path"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _paths(part)
