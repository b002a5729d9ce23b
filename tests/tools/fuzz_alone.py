"""The fuzzer at work, for test_fuzz.py: it finds what it should; a short run finds nothing."""

import os
import signal
from pathlib import Path

import pytest

from mer.errors import MerError
from tools.security import fuzz


@pytest.mark.parametrize("name", fuzz.READERS)
def test_a_short_run_finds_nothing(name: str) -> None:
    result = fuzz.fuzz(name, 200)
    assert result.findings == []
    assert result.files == 200
    assert 0 < result.read < 200


def _dies(content: bytes, _: Path) -> None:
    if content[0] % 4 == 0:
        os.kill(os.getpid(), signal.SIGSEGV)


def _hangs(content: bytes, _: Path) -> None:
    while content[0] % 4 == 0:
        pass


def _grows(content: bytes, _: Path) -> None:
    if content[0] % 4 == 0:
        try:
            bytearray(500_000_000)
        except MemoryError as error:
            raise MerError("The file is damaged.") from error


def _raises(content: bytes, _: Path) -> None:
    if content[0] % 4 == 0:
        raise KeyError("unexpected")


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (_dies, "died SIGSEGV"),
        (_hangs, "died more than 0.1 s"),
        (_grows, "took more memory than the bound"),
        (_raises, "raised KeyError"),
    ],
)
def test_what_is_wrong_is_found_kept_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, read: fuzz.Read, what: str
) -> None:
    reader = fuzz.Reader(lambda: [bytes([n]) * 4 for n in range(8)], read, 20, 100)
    monkeypatch.setitem(fuzz.READERS, "pictures", reader)
    monkeypatch.setattr(fuzz, "SECONDS", 0.1)
    monkeypatch.setattr("tools.security.fuzz.damaged", lambda chance, good, _: chance.choice(good))
    result = fuzz.fuzz("pictures", 20)
    assert result.files == 20
    assert result.findings
    for told, content in result.findings:
        assert told.startswith(what)
        assert content[0] % 4 == 0
