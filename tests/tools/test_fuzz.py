"""The fuzzer finds what it should; a short run of it finds nothing; and what it once found."""

import subprocess
import sys
import time
import zipfile
from pathlib import Path
from random import Random

import pytest

from mer.data import dataset
from mer.errors import DataError, ImageError
from mer.io import sources
from tools.security import fuzz, record
from tools.security.mutation import damaged


@pytest.mark.parametrize("name", fuzz.READERS)
def test_every_good_file_is_read(name: str, tmp_path: Path) -> None:
    reader = fuzz.READERS[name]
    good = reader.seeds()
    assert len(good) >= 2
    for content in good:
        reader.read(content, tmp_path)


def test_what_the_fuzzer_does() -> None:
    """In a process of its own: the fuzzer forks, which a process with threads must not."""
    alone = Path(__file__).with_name("fuzz_alone.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(alone)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_the_same_seed_gives_the_same_files() -> None:
    def files(seed: int) -> list[bytes]:
        chance = Random(seed)
        return [damaged(chance, [b"abcdefgh" * 20, b"xyz"]) for _ in range(50)]

    assert files(1) == files(1) != files(2)
    assert len(set(files(1))) > 30


def test_the_table_goes_into_the_document(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("before\n<!-- fuzz -->\nold\n<!-- /fuzz -->\nafter <!-- load -->\n")
    text = fuzz.table({"zips": fuzz.Result(files=3, read=1)})
    record.write("fuzz", text, path)
    record.write("fuzz", text, path)
    assert "| zips | 3 | 1 | 2 | 0 |" in path.read_text()
    assert "old" not in path.read_text()
    assert path.read_text().endswith("after <!-- load -->\n")


# What the fuzzer found. A zip whose directory points before its own beginning made OSError, one
# with a damaged stream zlib.error or LZMAError, a name that is no UTF-8 UnicodeDecodeError.
def _packed(path: Path, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("anger/1.png", bytes(range(256)) * 40)
    return path.read_bytes()


def _before_its_beginning(content: bytes) -> bytes:
    at = content.rindex(b"PK\5\6") + 16
    return content[:at] + b"\xff\xff\xff\x7f" + content[at + 4 :]


def _damaged_stream(content: bytes) -> bytes:
    return content[:60] + bytes(20) + content[80:]


def _no_utf8(content: bytes) -> bytes:
    marked = bytearray(content.replace(b"anger", b"\xfb\xff\xfe\xfd\xfc"))
    for sign, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        marked[marked.index(sign) + at + 1] |= 8  # the name is said to be UTF-8
    return bytes(marked)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("harm", [_before_its_beginning, _damaged_stream, _no_utf8])
def test_a_damaged_zip_is_a_sentence(tmp_path: Path, packing: int, harm: object) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(harm(_packed(path, packing)))  # type: ignore[operator]
    with pytest.raises(DataError, match="is no readable zip file"):
        list(dataset.entries(path))
    found = [one for _, one in sources.pictures([str(path)])]
    assert found
    assert all(isinstance(one, ImageError) for one in found)


def test_a_zip_packed_with_lzma_is_refused(tmp_path: Path) -> None:
    """200 bytes of it made the reader set aside 4 GB."""
    _packed(tmp_path / "a.zip", zipfile.ZIP_LZMA)
    with pytest.raises(DataError, match="packed with LZMA. Pack it again without."):
        list(dataset.entries(tmp_path / "a.zip"))
    ((_, told),) = sources.pictures([str(tmp_path / "a.zip")])
    assert "packed with LZMA" in str(told)


def test_a_zip_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mer.io.images.MAX_BYTES", 1_000_000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("anger/1.png", bytes(50_000_000))
    began = time.process_time()
    with pytest.raises(DataError, match=r"anger/1.png in the zip is larger than 1 MB"):
        list(dataset.entries(path))
    assert time.process_time() - began < 1
