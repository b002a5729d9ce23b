"""Damaged files for every reader: each is read, or refused with a sentence, soon and in bounds.

Run by `make fuzz`. Inputs come from `tools.security.mutation`, and those that a reader answers in a
new way are damaged further. Each reader works in a process of its own, so that a crash, a second
without an end or memory beyond the bound is found, named, kept as a file, and the rest goes on.
Pictures and videos are decoded by workers (`mer.io.decoding`), whose memory and time count as well,
but for workers of videos that end with the refusal: there the kernel holds the bound. A file that
ended its worker is no finding, since it was refused with a sentence, but is told.
"""

import argparse
import hashlib
import mmap
import os
import re
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.timing import machine
from mer.data import dataset
from mer.errors import MerError
from mer.io import decoding, images, sources
from mer.io.decoding import too_much
from mer.io.video import Video
from mer.results import documents
from mer.weights import store as mer_weights
from tools.security import hostile, process, record, seeds
from tools.security.mutation import MOST, damaged

SECONDS: Final = 1.0  # of one core, in which a file is read or refused, but for what workers do
WORKER_S: Final = 10.0  # of one core, in which a worker decodes a file or is ended
_ODD: Final = 2000  # files that are damaged further
_MB: Final = 1_000_000
_SHORT: Final = re.compile(r"MemoryError|annot allocate|nsufficient memory|bad_alloc|ENOMEM")
_COUNTS: Final = ("Files", "Read", "Refused", "Ended their worker", "Findings")
_ENDED: Final = too_much("")
_COSTS: Final = ("Seconds", "Slowest", "Peak", "Bound")

Read = Callable[[bytes, Path], object]  # content, and a folder to put it into; -> what was read


@dataclass(frozen=True)
class Reader:
    """What is tried.

    Attributes:
        seeds: makes the good files.
        read: raises MerError, or returns.
        files: how many are tried.
        bound_mb: MB that it may take for one file, beyond what the process has.
        by_worker: whether a worker decodes it, which ends where it meets the bound.
    """

    seeds: Callable[[], list[bytes]]
    read: Read
    files: int
    bound_mb: int
    by_worker: bool = False


_kept: list[Video] = []  # the last one that was read: its worker is looked at before it ends


def _read_video(content: bytes, folder: Path) -> object:
    path = folder / "clip"
    path.write_bytes(content)
    video = Video(path)
    _kept.append(video)
    return video.size, sum(1 for _ in video), len(video.notes)


def _read_picture(content: bytes, _: Path) -> object:
    return images.read(content).shape


def _read_zip(content: bytes, folder: Path) -> object:
    path = folder / "set.zip"
    path.write_bytes(content)
    named = [str(one) for _, one in sources.pictures([str(path)]) if isinstance(one, MerError)]
    return len(named), len(list(dataset.entries(path)))


def _read_weights(content: bytes, folder: Path) -> object:
    """Whoever changes weights may change the checksum with them."""
    tensors, _, text = content.partition(b"\0RECORD\0")
    (folder / "tiny.safetensors").write_bytes(tensors)
    digest = hashlib.sha256(tensors).hexdigest().encode()
    text = text.replace(b'"file": {}', b'"file": {"sha256": "' + digest + b'"}')
    (folder / "tiny.json").write_bytes(text)
    model, _ = mer_weights.load_as(seeds.Tiny, "tiny", folder=folder)
    return model.layer.weight.shape


READERS: Final = {
    "pictures": Reader(seeds.pictures, _read_picture, 20_000, 400, True),
    "videos": Reader(seeds.videos, _read_video, 3_000, 400, True),
    "zips": Reader(seeds.zips, _read_zip, 10_000, 400),
    "weights": Reader(seeds.weights, _read_weights, 10_000, 100),
}


@dataclass
class Result:
    """What came of one reader's files; `peak` in bytes, `slowest` and `seconds` of one core."""

    files: int = 0
    read: int = 0
    ended: int = 0  # that ended their worker
    seconds: float = 0.0
    slowest: float = 0.0
    peak: int = 0
    findings: list[tuple[str, bytes]] = field(default_factory=list)  # what happened, the file


def fuzz(name: str, files: int, seed: int = 0) -> Result:
    """Try one of READERS with so many damaged files."""
    result, reader = Result(), READERS[name]
    good = reader.seeds()
    shared = mmap.mmap(-1, MOST + 8)  # the file in work, for when the process dies of it
    with tempfile.TemporaryDirectory(prefix="mer-fuzz-") as folder:
        while result.files < files:
            for line in _worker(reader, good, result.files, files, seed, shared, Path(folder)):
                _count(result, line, shared)
    return result


def _count(result: Result, line: str, shared: mmap.mmap) -> None:
    kind, _, rest = line.partition(" ")
    if kind == "ok":
        read, ended, seconds, peak = rest.split()
        result.read += int(read)
        result.ended += int(ended)
        result.seconds += float(seconds)
        result.slowest = max(result.slowest, float(seconds))
        result.peak = max(result.peak, int(peak))
    else:
        (length,) = struct.unpack("<Q", shared[:8])
        result.findings.append((line, bytes(shared[8 : 8 + length])))
    result.files += 1


def _worker(
    reader: Reader,
    good: list[bytes],
    start: int,
    end: int,
    seed: int,
    shared: mmap.mmap,
    folder: Path,
) -> Iterator[str]:
    """A line about each file, from a process that may die of one."""
    source, sink = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(source)
            _work(reader, good, range(start, end), seed, shared, folder, sink)
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(sink)
    with os.fdopen(source) as lines:
        yield from (line.strip() for line in lines)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        slow = f"more than {SECONDS} s" if number == signal.SIGPROF else ""
        yield f"died {slow or signal.Signals(number).name}"
    elif status:
        raise RuntimeError("the fuzzer itself failed, see above")


def _work(
    reader: Reader,
    good: list[bytes],
    numbers: range,
    seed: int,
    shared: mmap.mmap,
    folder: Path,
    sink: int,
) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, also in a decoder's loop
    process.silence()
    decoding.POOL.prepare()  # workers have bounds of their own
    process.bound(reader.bound_mb * _MB)
    chance = Random(f"{seed} {numbers.start}")
    answers: Counter[str] = Counter()
    odd: list[bytes] = []
    for _ in numbers:
        content = damaged(chance, good, odd)
        shared[:8], shared[8 : 8 + len(content)] = struct.pack("<Q", len(content)), content
        answer, line = _tried(reader, content, folder)
        answers[answer] += 1
        if answers[answer] == 1 and len(odd) < _ODD:
            odd.append(content)
        os.write(sink, f"{line}\n".encode())
        if not line.startswith("ok"):
            return  # the file has to stay where it is until it was looked at


def _tried(reader: Reader, content: bytes, folder: Path) -> tuple[str, str]:
    """How the reader answered, digits left out, and the line that reports it."""
    while _kept:
        _kept.pop().__exit__()
    cost, began = process.Cost(), time.monotonic()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    problem = ""
    try:
        answer, read = f"read {reader.read(content, folder)}", 1
    except MerError as error:
        answer, read = _causes(error), 0
        # The bound was met, and the error taken for damage.
        if _SHORT.search(answer) and not reader.by_worker:
            problem = "took more memory than the bound"
    except BaseException as error:
        answer, read, problem = repr(error), 0, f"raised {type(error).__name__}: {error}"
    signal.setitimer(signal.ITIMER_PROF, 0)
    ended = int(_ENDED in answer or bool(reader.by_worker and _SHORT.search(answer)))
    seconds = time.monotonic() - began if ended else cost.seconds()  # it took its count along
    peak = cost.peak()
    if peak > reader.bound_mb * _MB:
        problem = f"took {peak // _MB} MB"
    if seconds > WORKER_S and not ended:
        problem = f"took {seconds:.1f} s"
    line = problem.replace("\n", " ") or f"ok {read} {ended} {seconds:.4f} {max(peak, 0)}"
    return re.sub(r"\d+|'.*?'", "", answer), line


def _causes(error: BaseException | None) -> str:
    """An error and what it came from, as one line."""
    said = []
    while error is not None:
        said.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return "; ".join(said)


def table(results: dict[str, Result]) -> str:
    """A row a reader, as Markdown."""
    rows = [
        (
            *(name, one.files, one.read, one.files - one.read - one.ended - len(one.findings)),
            *(one.ended, len(one.findings), f"{one.seconds:.0f}", f"{1000 * one.slowest:.0f} ms"),
            *(f"{one.peak // _MB} MB", f"{READERS[name].bound_mb} MB"),
        )
        for name, one in results.items()
    ]
    return documents.markdown(("Reader", *_COUNTS, *_COSTS), rows)


def hostile_table() -> str:
    """A row for each kind of hostile picture and video, as Markdown: what it was, what it took."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for made in (*hostile.PICTURES, hostile.jpeg_of_segments, hostile.mp4_of_many_samples):
            images.read(hostile.saved("PNG"))  # so that a worker is there
            content, cost, began = made(), process.Cost(), time.monotonic()
            try:
                if made is hostile.mp4_of_many_samples:
                    _read_video(content, Path(folder))
                else:
                    images.read(content)
                told = "read"
            except MerError:
                told = "refused"
            seconds = time.monotonic() - began
            name = made.__name__.replace("_", " ")
            size = f"{len(content) / 1000:,.1f} kB"
            rows.append((name, size, told, f"{max(cost.peak(), 0) // _MB} MB", f"{seconds:.1f} s"))
    return documents.markdown(("File", "Size", "It was", "Took", "In"), rows)


def main() -> int:
    """Try all readers, or one; 1 where something was found, and the files lie in `--out`."""
    parser = argparse.ArgumentParser(prog="python -m tools.security.fuzz", description=__doc__)
    parser.add_argument("--reader", choices=READERS, help="only this one")
    parser.add_argument("--files", type=int, help="how many, in place of each reader's own number")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other files")
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"), help="for what is found")
    parser.add_argument("--write", action="store_true", help="put the table into SECURITY.md")
    options = parser.parse_args()
    results = {}
    for name in [options.reader] if options.reader else READERS:
        results[name] = fuzz(name, options.files or READERS[name].files, options.seed)
        print(table({name: results[name]}).splitlines()[-1], flush=True)
        for number, (what, content) in enumerate(results[name].findings):
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"{name}-{number}").write_bytes(content)
            print(f"  {options.out / name}-{number}: {what}", flush=True)
    if not options.reader:
        kinds = hostile_table()
        print(kinds, flush=True)
        if options.write:
            record.write("hostile", f"{kinds}\n\n{machine()}.")
    if options.write:
        record.write("fuzz", f"{table(results)}\n\n{machine()}; seed {options.seed}.")
    return int(any(one.findings for one in results.values()))


if __name__ == "__main__":
    sys.exit(main())
