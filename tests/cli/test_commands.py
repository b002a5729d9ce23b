"""Every command that a document shows is understood, and the README's do what they say.

Each shell command of README.md and of the guides goes through the parser with its arguments, so
that a renamed option fails here. Those of the README's list are run as they stand there, with the
names that they use; the few that take too long say below which other test runs them.
"""

import ast
import importlib.util
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import __main__ as benchmarks
from benchmarks.synthetic import clips
from mer import cli
from mer.inference.predictor import get_predictor
from mer.io.video import write_clip
from mer.models.registry import NETWORKS
from mer.weights import store
from tests import test_documents
from tests.cli import test_cli
from tests.cli.test_cli import commands
from tools.training import __main__ as training

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if path.name != "CHANGELOG.md"  # it names what was, too
]
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
MAKE = re.compile(r"^(?:[A-Z]+=\S+ )?make ")


def shown(path: Path) -> list[str]:
    """The lines of a document's shell blocks, and what it has in backquotes in its text."""
    text = path.read_text(encoding="utf-8")
    blocks = [block.replace("\\\n", " ") for kind, block in BLOCK.findall(text) if kind == "sh"]
    inline = re.findall(r"`([^`]+)`", BLOCK.sub("", text))
    return [
        *(line for block in blocks for line in block.splitlines()),
        *(" ".join(part.split()) for part in inline),
    ]


SHOWN = sorted({(path.name, line) for path in DOCUMENTS for line in shown(path)})


def calls(wanted: str) -> list[list[str]]:
    """The words behind `-m` of all that the documents show, where these begin so."""
    lines = {line.partition("-m ")[2] for _, line in SHOWN if f"-m {wanted}" in line}
    return [shlex.split(line, comments=True) for line in sorted(lines)]


@pytest.mark.parametrize("words", calls("mer "), ids=" ".join)
def test_the_parser_takes_it(words: list[str]) -> None:
    if " ".join(words[1:]) in commands():
        return  # a text speaks of the command
    assert callable(cli.parser().parse_args(words[1:]).command)


@pytest.mark.parametrize("words", calls("benchmarks "), ids=" ".join)
def test_the_parser_of_the_benchmarks_takes_it(words: list[str]) -> None:
    if " ".join(words[1:]) in commands(benchmarks.parser()):
        return  # a text speaks of the command
    assert callable(benchmarks.parser().parse_args(words[1:]).command)


@pytest.mark.parametrize("words", calls("tools.training "), ids=" ".join)
def test_the_parser_of_the_trainings_takes_it(words: list[str]) -> None:
    assert training.parser().parse_args(words[1:]).model in NETWORKS


@pytest.mark.parametrize("words", [*calls("mer."), *calls("tools.")], ids=" ".join)
def test_the_module_is_there(words: list[str]) -> None:
    assert importlib.util.find_spec(words[0])


@pytest.mark.parametrize("line", [line for _, line in SHOWN if MAKE.match(line)])
def test_make_has_the_target_and_the_variables(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    words = shlex.split(line, comments=True)
    targets = [word for word in words if "=" not in word and word != "make"]
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for name in [word.partition("=")[0] for word in words if "=" in word]:
        assert f"$({name})" in makefile or f"$(if $({name})" in makefile, name


def test_options_named_alone_are_there() -> None:
    benched = commands(benchmarks.parser())
    parsers = [*commands().values(), *benched.values(), training.parser()]
    known = {option for parser in parsers for option in parser._option_string_actions}
    named = {word for _, line in SHOWN if line.startswith("--") for word in line.split()[:1]}
    assert len(named) > 5
    assert sorted(named - known) == []
    for words in [line.split() for _, line in SHOWN]:
        if words and words[0] in commands():  # such as `evaluate --save`
            options = {word for word in words if word.startswith("--")}
            assert options <= commands()[words[0]]._option_string_actions.keys(), words


def programs() -> list[str]:
    """What the documents give to Python: in blocks of its own and behind `python -` or `-c`."""
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    blocks = [block for text in texts for block in BLOCK.findall(text)]
    given = r"<<'PYTHON'\n(.*?)\nPYTHON|python -c \"(.*?)\""
    inside = [re.findall(given, block, re.DOTALL) for kind, block in blocks if kind == "sh"]
    return [
        *(block for kind, block in blocks if kind == "python"),
        *("".join(parts) for found in inside for parts in found),
    ]


@pytest.mark.parametrize("program", programs())
def test_what_a_program_imports_is_there(program: str) -> None:
    tree = ast.parse(program)
    tree.body = [line for line in tree.body if isinstance(line, ast.Import | ast.ImportFrom)]
    exec(compile(tree, "document", "exec"), {})


@pytest.mark.parametrize("program", ["app.py", ".ci/run"])
def test_files_that_are_run_are_there(program: str) -> None:
    assert any(program in line.split() for _, line in SHOWN)
    assert (ROOT / program).is_file()


# The README's list: what runs alone, and what in turn on one network.
ALONE = ("predict", "video", "batch", "audit")
IN_TURN = ("train", "calibrate", "evaluate")
# What is added to make it short.
SHORT = {
    "train": "--epochs 1 --copies 0 --batch 16 --patience 1",
    "batch": "--workers 1",
}
WRITTEN = ("--csv", "--html", "--out")


def listed() -> dict[str, list[str]]:
    """The commands of the README's list by their names; each with its arguments."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = [block for kind, block in BLOCK.findall(text) if "mer predict" in block]
    lines = [shlex.split(line, comments=True)[3:] for line in block.splitlines()]
    names = sorted(commands(), key=len, reverse=True)
    return {
        next(name for name in names if words[: len(name.split())] == name.split()): words
        for words in lines
    }


@pytest.mark.parametrize("words", [one for one in calls("mer publish") if "--dry-run" in one])
def test_what_would_be_pushed(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(words[1:]) == 0
    assert Path(words[-1], "README.md").is_file()


# What is run by tests of its own, since it needs more, or takes long.
ELSEWHERE: dict[str, Callable[..., None]] = {
    "app": test_cli.test_app_serves_and_stops_at_ctrl_c,
    "publish": test_what_would_be_pushed,
    "compare": test_documents.test_what_is_generated_is_up_to_date,
}


def test_every_command_of_the_list_is_run() -> None:
    names = {*ALONE, *IN_TURN, *ELSEWHERE}
    assert listed().keys() == names
    assert commands().keys() == names


@pytest.fixture
def project(
    stand_in_weights: Path,
    tiny_data: Path,
    astronaut: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder that has what the README's list names; what is trained there is used from then."""
    place = tmp_path / "project"
    shutil.copytree(tiny_data, place / "DIR")
    Image.fromarray(astronaut).save(place / "photo.jpg")
    write_clip(place / "clip.mp4", clips.Clip(astronaut, fps=30, seconds=1, size=(320, 240)), 30)
    (place / "runs").symlink_to(stand_in_weights)
    monkeypatch.chdir(place)
    return place


def run(name: str) -> None:
    """A command as the README has it, but short; Ray's in a process of its own."""
    words = [*listed()[name], *SHORT.get(name, "").split()]
    if name == "batch":
        subprocess.run([*test_cli.PROGRAM, *words], check=True, timeout=600)
    else:
        assert cli.main(words) == 0
    for option in set(WRITTEN) & set(words):
        assert Path(words[words.index(option) + 1]).exists()


@pytest.mark.parametrize("name", ALONE)
def test_a_command_of_the_list(name: str, project: Path) -> None:
    run(name)


def test_the_commands_around_a_network(project: Path, stand_in_weights: Path) -> None:
    for path in stand_in_weights.glob("*.safetensors"):
        path.unlink()
    for name in IN_TURN:
        get_predictor.cache_clear()
        run(name)
    assert store.available() == ["cnn1"]


def test_two_trainings_of_the_readme(
    project: Path, tiny_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ferplus", "micro-expressions"):
        (project / name).symlink_to(tiny_data)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = [block for kind, block in BLOCK.findall(text) if "runs/second" in block]
    (project / "runs").unlink()
    for line in block.splitlines():
        words = shlex.split(line)
        if words[0].startswith("MER_WEIGHTS="):
            monkeypatch.setattr(store, "FOLDER", Path(words.pop(0).partition("=")[2]))
            get_predictor.cache_clear()
        assert cli.main([*words[3:], *SHORT.get(words[3], "").split()]) == 0
    assert "evaluation" in store.read_record("cnn1")
