"""Files that would take a decoder's memory or time, and what becomes of workers and of callers."""

import contextlib
import gc
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mer.errors import ImageError, MerError
from mer.io import decoding, images
from mer.io.decoding import LIMITS
from tools.security.hostile import (
    avif_of_another_size,
    bmp_of_deltas,
    gif_of_comments,
    jpeg_of_segments,
    png_of_overlapping_exif,
    png_of_zeros,
    ppm_of_comments,
    saved,
    tiff_of_one_tile,
    tiff_of_overlapping_tags,
    webp_of_another_size,
)

MB = 1_000_000


def workers() -> list[int]:
    """The processes of this process's workers that wait for work."""
    server = decoding.POOL.server_process()
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if f"\nPPid:\t{server}\n" in status.read_text():
                found.append(int(status.parent.name))
        except OSError:
            continue
    return found


def figure(process: int, name: str) -> int:
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    return 1024 * int(found[1]) if found else 0  # of one that is about to go


def runs(process: int) -> bool:
    """Whether it is there and has not ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def fresh() -> Iterator[None]:
    """No worker that an earlier test left."""
    decoding.POOL.close()
    yield
    decoding.POOL.close()


@pytest.mark.parametrize(
    ("made", "read"),
    [
        (bmp_of_deltas, None),
        (tiff_of_overlapping_tags, None),
        (tiff_of_one_tile, None),
        (png_of_overlapping_exif, (8, 8, 3)),
        (avif_of_another_size, None),
        (ppm_of_comments, None),
        (gif_of_comments, None),
        (jpeg_of_segments, None),
        (webp_of_another_size, None),
        (png_of_zeros, (7070, 7070, 3)),
    ],
)
def test_hostile_pictures_take_bounded_memory_and_time(
    made: Callable[[], bytes], read: tuple[int, ...] | None, fresh: None
) -> None:
    images.read(saved("PNG"))  # so that a worker is there
    (worker,) = workers()
    before, content = figure(worker, "VmRSS"), made()
    began = time.thread_time()
    if read:
        assert images.read(content).shape == read
    else:
        with pytest.raises(ImageError, match=r"[a-z].*[.]$"):
            images.read(content)
    assert time.thread_time() - began < 1  # of the caller
    with contextlib.suppress(OSError):  # it may have ended of it
        assert figure(worker, "VmHWM") - before <= 400 * MB
        used = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        assert int(used[11]) + int(used[12]) < 100 * (LIMITS.processor_s + 2)
    assert images.read(saved("PNG")).shape == (8, 8, 3)  # a worker stands ready


def test_a_worker_that_works_for_too_long_is_ended(
    fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The fork server of this test decodes GIFs in an endless loop."""
    endless = tmp_path / "sitecustomize.py"
    endless.write_text(
        "import sys\n"
        "if 'decoder.main' in ' '.join(sys.orig_argv):\n"
        "    import dataclasses\n"
        "    from mer.io import decoder, picture_formats\n"
        "    decoder.LIMITS = dataclasses.replace(decoder.LIMITS, processor_s=1)\n"
        "    def loop(content):\n"
        "        while True: pass\n"
        "    picture_formats._gif_comments = loop\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    began = time.monotonic()
    with pytest.raises(ImageError, match="takes more memory or time to decode"):
        images.read(saved("GIF"))
    assert time.monotonic() - began < 30
    assert images.read(saved("PNG")).shape == (8, 8, 3)


def test_a_worker_that_was_killed_is_replaced(fresh: None) -> None:
    images.read(saved("PNG"))
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    while worker in workers():
        time.sleep(0.01)
    assert images.read(saved("PNG")).shape == (8, 8, 3)


def test_the_fork_server_that_was_killed_is_replaced(fresh: None) -> None:
    images.read(saved("PNG"))
    (worker,) = workers()
    server = decoding.POOL.server_process()
    os.kill(worker, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)
    while runs(worker) or runs(server):
        time.sleep(0.01)
    assert images.read(saved("PNG")).shape == (8, 8, 3)


def test_pictures_do_not_share_memory_while_somebody_looks_at_them(fresh: None) -> None:
    noise = [saved("PNG", side) for side in (1100, 1200)]
    first = images.read(noise[0])
    kept = first[500:].copy()
    view = first[500:]
    del first
    gc.collect()
    second = images.read(noise[1])
    assert (view == kept).all()
    assert not np.shares_memory(view, second)


def test_memory_is_used_again_when_nobody_looks_at_it(fresh: None) -> None:
    content = saved("PNG", 1100)
    first = images.read(content)
    place = first.__array_interface__["data"]
    del first
    assert images.read(content).__array_interface__["data"] == place


def test_a_refused_picture_does_not_harm_the_next(fresh: None) -> None:
    good, bad = saved("PNG", 1100), saved("JPEG", 1100)[:5000]
    wanted = images.read(good).copy()
    for _ in range(3):
        with pytest.raises(ImageError):
            images.read(bad)
        assert (images.read(good) == wanted).all()


def test_many_threads_share_the_workers(fresh: None) -> None:
    content = [saved("PNG", side) for side in range(8, 40)]
    with ThreadPoolExecutor(16) as pool:
        shapes = [image.shape[0] for image in pool.map(images.read, content * 4)]
    assert shapes == list(range(8, 40)) * 4
    assert len(workers()) <= decoding.WORKERS


def _shape(content: bytes) -> tuple[int, ...]:
    return images.read(content).shape


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_children_by_fork_read_as_well(fresh: None) -> None:
    large = images.read(saved("PNG", 1100))
    before = large.copy()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        waiting = pool.map_async(_shape, [saved("JPEG"), saved("PNG", 1200)] * 4)
        assert waiting.get(timeout=60) == [(8, 8, 3), (1200, 1200, 3)] * 4
    assert images.read(saved("PNG", 1300)).shape == (1300, 1300, 3)
    assert (large == before).all()


ALONE = "from mer.io import images\nprint(images.read({content!r}).shape, flush=True)\n"


@pytest.mark.parametrize("ending", ["", "import os; os.kill(os.getpid(), 9)\n"])
def test_workers_end_with_their_caller(ending: str) -> None:
    program = ALONE.format(content=saved("PNG"))
    told = "from mer.io import decoding; print(decoding.POOL.server_process(), flush=True)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program + told + ending],
        capture_output=True,
        text=True,
        check=False,
    )
    shape, server = done.stdout.splitlines()
    assert shape == "(8, 8, 3)"
    assert done.stderr == ""
    for _ in range(100):
        if not Path(f"/proc/{server}").exists():
            return
        time.sleep(0.05)
    pytest.fail("the fork server outlived its caller")


def test_nothing_is_started_before_the_first_picture() -> None:
    program = "import mer, mer.io.images as i; print(i.decoding.POOL.server_process())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"0"


def test_a_decoder_that_cannot_start_is_a_sentence(
    fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(MerError, match="The decoder cannot be started"):
        images.read(saved("PNG"))
