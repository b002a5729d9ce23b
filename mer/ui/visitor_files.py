"""What visitors send to the disk: how it comes in, how long it lies there, and how it goes.

Gradio gives two visitors with the same picture one file, looks at no limit of the disk, and deletes
only files that it remembers: not those of uploads that broke off, nor what a killed program left.
Here each file comes into a folder of its own inside a private one, which is swept often.
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
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio import processing_utils
from gradio.route_utils import GradioMultiPartParser, GradioUploadFile
from gradio.routes import file_upload_statuses
from gradio_client.utils import strip_invalid_filename_characters
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mer.io.files import locked
from mer.results import documents
from mer.ui.errors import FULL, RefusedError

AGE_S: Final = 300.0  # seconds since its last use, after which a file goes
EVERY_S: Final = 20.0  # seconds between two looks at the files
MINUTES: Final = math.ceil((AGE_S + EVERY_S) / 60)  # after which a file is surely gone
REMEMBERED_S: Final = 3600  # seconds that answers, numbers only, wait for questions in memory
MAX_BYTES: Final = 8_000_000_000  # of all files of all visitors together
OWNER_BYTES: Final = 2_000_000_000  # of those that came from one address
FREE_BYTES: Final = 500_000_000  # that have to stay free on the disk
UPLOAD: Final = "/gradio_api/upload"
UPLOAD_FILES: Final = 100  # in one request
UPLOAD_BYTES: Final = 200_000_000  # of one request
_STEP: Final = 8_000_000  # bytes that room is set aside for where nobody says how many come
_PREFIX: Final = "mer-page-"
_SECRET: Final = secrets.token_bytes(16)
_OWNER: Final = 12  # characters by which names of folders begin alike that have one owner
_MUCH: Final = (
    f"{OWNER_BYTES // 10**9} GB of files from your address lie here already, which is as much as "
    "there may be. Try again in five minutes."
)
_NO_FORM: Final = (
    f"What was sent is no form with up to {UPLOAD_FILES} files and nothing else. Load the page "
    "again, and choose the files once more."
)
remove: Final = partial(shutil.rmtree, ignore_errors=True)  # a folder and what lies in it
_log = logging.getLogger(__name__)
_room: dict[Path, int] = {}  # bytes set aside for a folder on their way in, whatever it holds yet
_room_lock: Final = threading.Lock()


def table() -> str:
    """What is kept, where, and how long, as Markdown: About and SECURITY.md show it."""
    return documents.render("kept.md", minutes=MINUTES, hours=REMEMBERED_S // 3600)


def take_folder() -> Path:
    """The folder of this process's temporary files, made at the first call; Gradio is told.

    It lies in $GRADIO_TEMP_DIR or the system's folder for such files, belongs to this process alone
    and goes when it ends. What killed ones left, and nobody locks, goes now.
    """
    told = os.environ.get("GRADIO_TEMP_DIR")
    if told and Path(told).name.startswith(_PREFIX) and Path(told).is_dir():
        return Path(told)
    parent = Path(told or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if not left.is_symlink() and left.lstat().st_uid == os.getuid():
                handle = os.open(left, os.O_RDONLY)
                try:
                    if locked(handle):
                        remove(left)
                finally:
                    os.close(handle)
    made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent))
    locked(os.open(made, os.O_RDONLY))  # until we end
    folder = made.rename(parent / made.name[1:])  # the name that says that it may be a leftover
    atexit.register(remove, folder)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def give_each_their_own() -> None:
    """Have Gradio name folders so that nobody can guess it, and not after what lies in them."""
    for name in ("hash_bytes", "hash_file", "hash_base64"):
        setattr(processing_utils, name, lambda *_: secrets.token_hex(32))


async def keep_sweeping(page: gr.Blocks) -> None:
    """Delete old files, and forget who is away, for as long as the page is served."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await asyncio.to_thread(sweep, page, AGE_S)
            holder: Any = page.app.state_holder
            holder.tidy(page._queue)
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
        for name in names:
            with contextlib.suppress(OSError):
                path = Path(place, name)
                yield path, path.lstat()


def forget(request: gr.Request) -> None:
    """Delete and forget all that the visitor who has just closed the page sent and was shown."""
    holder = request.request.app.state_holder  # type: ignore[union-attr]
    for folder in holder.drop(str(request.session_hash)):
        remove(folder)


def set_aside(folder: Path, more: int) -> None:
    """Set bytes aside for a folder that somebody's file comes into; RefusedError for no room."""
    with _room_lock:
        room = _room | {folder: _room.get(folder, 0) + more}
        sizes = [(one.name, size) for one, size in room.items()]
        lying = ((path.parent, found.st_size) for path, found in _files(take_folder()))
        sizes += [(one.name, size) for one, size in lying if one not in _room]
        if sum(size for name, size in sizes if name[:_OWNER] == folder.name[:_OWNER]) > OWNER_BYTES:
            raise RefusedError(507, _MUCH)
        free = shutil.disk_usage(take_folder()).free
        if sum(size for _, size in sizes) > MAX_BYTES or free - more < FREE_BYTES:
            raise RefusedError(507, FULL)
        _room.update(room)


async def _upload(request: Request) -> Response:
    """Write the files of a form, and answer with their paths, as Gradio's script expects."""
    address = request.client.host if request.client else ""
    number = request.query_params.get("upload_id")
    folder = _folder(address)
    if number:
        file_upload_statuses.track(number)
    parser = GradioMultiPartParser(
        request.headers,
        _with_room(request, folder),
        max_files=UPLOAD_FILES,
        max_fields=0,
        upload_dir=folder,
        upload_id=number,
        upload_progress=file_upload_statuses if number else None,
        max_file_size=UPLOAD_BYTES,
    )
    try:
        form = await parser.parse()
        with _room_lock:  # nothing is set aside any more for files that leave their folder, or go
            _room.pop(folder, None)
            files = [one for one in form.getlist("files") if isinstance(one, GradioUploadFile)]
            paths = [_placed(one, address) for one in files]
    except (MultiPartException, KeyError):  # without a Content-Type
        return PlainTextResponse(_NO_FORM, 400)
    finally:
        if number:
            file_upload_statuses.set_done(number)
        with _room_lock:
            _room.pop(folder, None)
            remove(folder)
        for file in parser._files_to_close_on_error:  # last: on a full disk it fails
            file.close()
    request.app.get_blocks().upload_file_set.update(paths)
    return JSONResponse(paths)


def _folder(address: str) -> Path:
    """A folder for somebody's files; its name tells which have one owner, and not whom."""
    owner = hashlib.blake2b(address.encode(), key=_SECRET, digest_size=_OWNER // 2).hexdigest()
    folder = take_folder() / f"{owner}{secrets.token_hex(24)}"
    folder.mkdir(mode=0o700)
    return folder


def _placed(file: GradioUploadFile, address: str) -> str:
    """Move a file that has arrived into a folder of its own; return where it lies."""
    name = strip_invalid_filename_characters(Path(file.filename or "").name)
    target = _folder(address) / (name if name.strip(".") else "file")
    return str(Path(str(file.file.name)).rename(target))


async def _with_room(request: Request, folder: Path) -> AsyncGenerator[bytes, None]:
    """What is sent, for which room was set aside: for all of it, or as it comes if nobody says."""
    left, step = 0, int(request.headers.get("content-length", _STEP))
    async for part in request.stream():
        if len(part) > left:
            await asyncio.to_thread(set_aside, folder, step)
            left, step = left + step, _STEP
        left -= len(part)
        yield part


ROUTE: Final = Route(UPLOAD, _upload, methods=["POST"])  # which stands in for Gradio's
