"""Files on their way in: each in a folder of its own, no more of them than there is room for.

Gradio's own route gives two visitors with the same picture one file, looks at no limit of the disk
while files arrive, and keeps all text that a form holds in memory.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from gradio.route_utils import GradioMultiPartParser, GradioUploadFile
from gradio.routes import file_upload_statuses
from gradio_client.utils import strip_invalid_filename_characters
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mer.ui import retention

PATH: Final = "/gradio_api/upload"
MAX_FILES: Final = 100  # in one request
MAX_BYTES: Final = 200_000_000  # of one request
_STEP: Final = 8_000_000  # bytes that room is set aside for where nobody says how many come
_NO_FORM: Final = (
    f"What was sent is no form with up to {MAX_FILES} files and nothing else. Load the page "
    "again, and choose the files once more."
)


def routes() -> list[Route]:
    """The route that stands in for Gradio's."""
    return [Route(PATH, _upload, methods=["POST"])]


async def _upload(request: Request) -> Response:
    """Write the files of a form, and answer with their paths, as Gradio's script expects."""
    owner = retention.mark(request.client.host if request.client else "")
    number = request.query_params.get("upload_id")
    folder = _folder(owner)
    if number:
        file_upload_statuses.track(number)
    try:
        parser = GradioMultiPartParser(
            request.headers,
            _with_room(request, folder),
            max_files=MAX_FILES,
            max_fields=0,
            upload_dir=folder,
            upload_id=number,
            upload_progress=file_upload_statuses if number else None,
            max_file_size=MAX_BYTES,
        )
        form = await _parsed(parser)
        with retention.ARRIVALS.settled(folder):
            paths = _moved(form, owner)
    except (MultiPartException, KeyError):  # without a Content-Type
        return PlainTextResponse(_NO_FORM, 400)
    finally:
        if number:
            file_upload_statuses.set_done(number)
        with retention.ARRIVALS.settled(folder):
            retention.remove(folder)
    request.app.get_blocks().upload_file_set.update(paths)
    return JSONResponse(paths)


async def _parsed(parser: GradioMultiPartParser) -> FormData:
    try:
        return await parser.parse()
    finally:
        for file in parser._files_to_close_on_error:
            file.close()


def _moved(form: FormData, owner: str) -> list[str]:
    found = [one for one in form.getlist("files") if isinstance(one, GradioUploadFile)]
    return [_placed(str(one.file.name), one.filename or "", owner) for one in found]


def _placed(path: str, name: str, owner: str) -> str:
    name = strip_invalid_filename_characters(Path(name).name)
    target = _folder(owner) / (name if name.strip(".") else "file")
    return str(Path(path).rename(target))


def _folder(owner: str) -> Path:
    folder = retention.take_folder() / f"{owner}{secrets.token_hex(24)}"
    folder.mkdir(mode=0o700)
    return folder


async def _with_room(request: Request, folder: Path) -> AsyncGenerator[bytes, None]:
    """What is sent, for which room was set aside: for all of it, or as it comes if nobody says."""
    left, step = 0, int(request.headers.get("content-length", _STEP))
    async for part in request.stream():
        if len(part) > left:
            await asyncio.to_thread(retention.ARRIVALS.keep, folder, step)
            left, step = left + step, _STEP
        left -= len(part)
        yield part
