"""The audit of packages, without a network: what pip-audit may answer, and what is made of it."""

import json
import re
import subprocess
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tools.security import packages, record

ROOT = Path(__file__).resolve().parents[2]
ASKED = [
    {"name": "good", "version": "1.0", "vulns": []},
    {"name": "weak", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
    {"name": "unknown", "skip_reason": "Dependency not found on PyPI"},
]
MIT = {"version": "1.0", "licence": "MIT"}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the record goes when it is written, as in these tests; SECURITY.md is left alone."""
    monkeypatch.setattr(packages, "RECORD", tmp_path / "packages.json")
    monkeypatch.setattr(record, "write", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["packages", "--write"])
    return tmp_path / "packages.json"


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    done: Any = subprocess.CompletedProcess([], 1, stdout=text)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)


@pytest.mark.parametrize("text", ["", "{}", "no network", '{"dependencies": []}'])
def test_without_an_answer_the_list_is_recorded_and_says_what_was_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], written: Path, text: str
) -> None:
    answer(monkeypatch, text)
    assert packages.main() == 0
    assert "Weaknesses were not asked for" in capsys.readouterr().out
    found = json.loads(written.read_text())
    assert found["weaknesses"] is None
    assert found["packages"] == packages.installed()
    assert packages.main() == 0
    assert "nothing has changed" in capsys.readouterr().out


def test_what_changed_since_the_record_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], written: Path
) -> None:
    answer(monkeypatch, "no network")
    old = {**packages.installed(), "gone": MIT, "numpy": MIT}
    del old["gradio"]
    written.write_text(json.dumps({"day": "2026-01-02", "weaknesses": None, "packages": old}))
    assert packages.main() == 0
    told = capsys.readouterr().out
    assert "as of 2026-01-02" in told
    assert "gone 1.0 (MIT) was removed." in told
    assert re.search(r"^gradio \S+ \(.*\) was added\.$", told, re.MULTILINE)
    assert re.search(r"^numpy 1\.0 \(MIT\) is \S+ \(.*\) now\.$", told, re.MULTILINE)
    assert "pandas" not in told


def test_packages_that_were_not_looked_at_do_not_count_as_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, json.dumps({"dependencies": ASKED[2:]}))
    assert packages.weaknesses() is None


def test_a_weakness_is_named_with_its_mend_and_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], written: Path
) -> None:
    answer(monkeypatch, json.dumps({"dependencies": ASKED}))
    assert packages.main() == 1
    told = capsys.readouterr().out
    assert "1 known weaknesses. The index does not know unknown." in told
    assert "- weak 2.0: PYSEC-1, mended in 2.1." in told
    found = json.loads(written.read_text())
    assert [one["id"] for one in found["weaknesses"]["known"]] == ["PYSEC-1"]


def test_what_is_needed_includes_what_that_needs_but_no_tools() -> None:
    found = packages.installed()
    assert {"gradio", "starlette", "numpy", "opencv-python-headless"} <= found.keys()
    assert not {"mer", "pytest", "ruff", "mypy", "playwright"} & found.keys()
    assert all(one["version"] and one["licence"] for one in found.values())
    assert "pytz" not in packages.installed("numpy")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ([], "not named"),
        ([("License", "Copyright " * 99)], "not named"),
        ([("License", "BSD")], "BSD"),
        (
            [("License", "x"), ("Classifier", "License :: OSI Approved :: MIT License")],
            "MIT License",
        ),
        ([("License-Expression", "MIT"), ("Classifier", "License :: OSI Approved :: x")], "MIT"),
    ],
)
def test_a_licence_is_what_the_metadata_names(fields: list[tuple[str, str]], named: str) -> None:
    metadata: Any = Message()
    for key, value in fields:
        metadata[key] = value
    assert packages.licence(metadata) == named


def test_the_document_says_what_is_recorded() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- packages -->")[2].partition("<!-- /packages -->")[0]
    assert shown.strip() == packages.told(json.loads(packages.RECORD.read_text(encoding="utf-8")))
