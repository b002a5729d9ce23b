"""The audit of packages, without a network: what pip-audit may answer, and what is made of it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mer.trust import packages

ASKED = [
    {"name": "good", "version": "1.0", "vulns": []},
    {"name": "weak", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
    {"name": "unknown", "skip_reason": "Dependency not found on PyPI"},
]


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(packages, "RECORD", tmp_path / "packages.json")
    monkeypatch.setattr("sys.argv", ["packages", "--write"])
    return tmp_path / "packages.json"


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    done: Any = subprocess.CompletedProcess([], 1, stdout=text)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)


@pytest.mark.parametrize("text", ["", "{}", "no network", '{"dependencies": []}'])
def test_without_an_answer_the_record_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], record: Path, text: str
) -> None:
    answer(monkeypatch, text)
    assert packages.main() == 0
    assert "can be reached" in capsys.readouterr().out
    old = {"day": "2026-01-02", "weaknesses": [], "packages": {"good": "1.0"}}
    record.write_text(json.dumps(old))
    assert packages.main() == 0
    assert "1 packages looked at on 2026-01-02: 0 known" in capsys.readouterr().out


def test_packages_that_were_not_looked_at_do_not_count_as_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, json.dumps({"dependencies": ASKED[2:]}))
    assert packages.audit() is None


def test_a_weakness_is_named_with_its_mend_and_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], record: Path
) -> None:
    answer(monkeypatch, json.dumps({"dependencies": ASKED}))
    assert packages.main() == 1
    told = capsys.readouterr().out
    assert "2 packages looked at" in told
    assert "- weak 2.0: PYSEC-1, mended in 2.1." in told
    assert json.loads(record.read_text())["packages"] == {"good": "1.0", "weak": "2.0"}
