"""The documents say what is so; `make documents` renews what is generated in them."""

import re
from pathlib import Path

import pytest

from tests.cli.test_cli import commands
from tools import make_docs

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TOPS = (ROOT, ROOT / "mer", ROOT / "mer" / "video", ROOT / "mer" / "results", ROOT / "docs")
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
# A name in backquotes that is a path: with a slash, or with the ending of a file of ours.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w.-]+\.(?:py|md|txt|toml))`")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", make_docs.PARTS)
def test_what_is_generated_is_up_to_date(name: str) -> None:
    path, wanted = make_docs.renewed(name)
    assert read(path) == wanted, f"run `make documents` to renew {path.name}"


def test_a_document_without_its_part_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "empty.md"
    path.write_text("", encoding="utf-8")
    monkeypatch.setitem(make_docs.PARTS, "figures", (path, lambda: ""))
    with pytest.raises(ValueError, match="has no part between"):
        make_docs.renewed("figures")


def test_the_readme_shows_every_command() -> None:
    for name in commands():
        assert f"mer {name}" in read(README) or f"make {name}" in read(README), name


def test_front_matter_is_what_a_space_needs() -> None:
    _, front, _ = read(README).split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.splitlines())
    assert fields["sdk"] == "gradio"
    assert f"gradio>={fields['sdk_version'].rsplit('.', 1)[0]}," in read(ROOT / "requirements.txt")
    assert fields["python_version"] == '"3.12"'
    assert (ROOT / fields["app_file"]).is_file()
    assert fields["license"] == "mit"
    assert len(fields["short_description"]) <= 60


def test_names_beside_the_papers_are_in_the_files() -> None:
    rows = re.findall(r"^\| (\d+) \| .* \| (.*) \|$", read(README), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 15))
    ours = " ".join(row for _, row in rows)
    pairs = re.findall(r"((?:`\w+`(?:, | and )?)+) in `(mer/[\w/]+\.py)`", ours)
    assert len(pairs) >= 10
    for names, path in pairs:
        for name in re.findall(r"\w+", names.replace(" and ", " ")):
            assert re.search(rf"^(class|def)? ?{name}\b", read(ROOT / path), re.MULTILINE), name


@pytest.mark.parametrize("path", [README, ARCHITECTURE], ids=lambda path: path.name)
def test_every_path_named_exists(path: Path) -> None:
    named = PATH.findall(read(path))
    assert named
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing


def test_architecture_is_one_screen_true_and_complete() -> None:
    text = read(ARCHITECTURE)
    assert len(text.splitlines()) < 60
    plan = text.split("```")[1]
    named = re.findall(r"(?<![\w/])[\w/]+(?:\.py|/)(?=\W)", plan)
    assert [name for name in named if not any((top / name).exists() for top in TOPS)] == []
    rooms = {path.stem for path in (ROOT / "mer").glob("[!_]*") if path.name != "py.typed"}
    assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", plan)] == []


def test_links_lead_somewhere() -> None:
    for document in (README, ARCHITECTURE, ROOT / "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", read(document)):
            assert target.startswith("https://") or (ROOT / target).exists(), target


def test_changelog_has_this_version() -> None:
    from mer import __version__

    assert f"## {__version__}" in read(ROOT / "CHANGELOG.md")
