"""The documents say what is so. `make documents` rewrites the parts that are generated."""

import os
import re
from pathlib import Path

import pytest

from mer import cli
from mer.evaluation import robustness, seed_study
from mer.hub import card
from mer.models.registry import NETWORKS
from mer.results import markdown, robustness_report
from tests.cli.test_cli import commands

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
COMMANDS = ROOT / "docs" / "commands.md"
TOPS = (ROOT, ROOT / "mer", ROOT / "mer" / "video", ROOT / "mer" / "results", ROOT / "docs")
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
ROBUSTNESS = ROOT / "docs" / "robustness.md"
EXPERIMENTS = ROOT / "docs" / "experiments.md"
SEEDS = re.compile(r"(<!-- seeds: .* -->\n)(.*?)(<!-- /seeds -->)", re.DOTALL)
MEASURED = re.compile(r"(<!-- robustness: .* -->\n)(.*?)(<!-- /robustness -->)", re.DOTALL)
FIGURES = re.compile(r"(<!-- figures: .* -->\n)(.*?)(<!-- /figures -->)", re.DOTALL)
# A name in backquotes that is a path: with a slash, or with the ending of a file of ours.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w.-]+\.(?:py|md|txt|toml))`")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def same(path: Path, wanted: str) -> None:
    """Compare but for white space, in which versions of argparse differ; or write."""
    if os.environ.get("MER_UPDATE") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted, encoding="utf-8")
    assert read(path).split() == wanted.split(), f"run `make documents` to renew {path.name}"


def test_figures_in_the_readme_are_the_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare"]) == 0
    table = capsys.readouterr().out
    wanted, count = FIGURES.subn(lambda found: f"{found[1]}\n{table}\n{found[3]}", read(README))
    assert count == 1
    same(README, wanted)


def test_figures_on_worse_pictures_are_the_measured_ones() -> None:
    result = robustness.read()
    if not result:
        pytest.skip("the networks in weights/ were not measured on worse pictures yet")
    text = "\n\n".join(robustness_report.text(result))
    wanted, count = MEASURED.subn(lambda part: f"{part[1]}\n{text}\n\n{part[3]}", read(ROBUSTNESS))
    assert count == 1
    same(ROBUSTNESS, wanted)


def test_figures_by_three_seeds_are_the_measured_ones() -> None:
    result = seed_study.read()
    assert result
    text = f"{seed_study.verdict(result)}\n\n{markdown.frame(seed_study.table(result))}"
    text += f"\n\nMeasured on {result['machine']}, {result['measured']}."
    wanted, count = SEEDS.subn(lambda part: f"{part[1]}\n{text}\n\n{part[3]}", read(EXPERIMENTS))
    assert count == 1
    same(EXPERIMENTS, wanted)


def test_every_command_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    parts = ["# Commands\n\nWritten by `make documents` from what each command says of itself.\n"]
    for name, parser in {"": cli.parser(), **commands()}.items():
        title = f"python -m mer {name}".strip()
        parts.append(f"## {title}\n\n```\n{parser.format_help()}```\n")
    same(COMMANDS, "\n".join(parts))


@pytest.mark.parametrize("name", NETWORKS)
def test_model_cards_are_the_records(name: str) -> None:
    same(ROOT / "docs" / "models" / f"{name}.md", card.text(name))


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
