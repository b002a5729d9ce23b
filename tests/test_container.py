"""The Dockerfile, as far as it can be tried without Docker: its parts, and its commands here.

What its lines install, and the image itself, are not tried: that needs Docker and the network.
"""

import fnmatch
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mer import cli

ROOT = Path(__file__).resolve().parent.parent


def instructions() -> list[tuple[str, str]]:
    """Name and text of each instruction, its lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.split("\n"))]


def texts(name: str) -> list[str]:
    return [text for told, text in instructions() if told == name]


def copied() -> list[str]:
    return [part for text in texts("COPY") for part in text.split()[:-1]]


def command(text: str) -> list[str]:
    """A command in Docker's JSON form, with this Python."""
    name, *arguments = json.loads(text)
    assert name == "python"
    return [sys.executable, *arguments]


def test_every_instruction_is_one_of_dockers() -> None:
    known = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    names = [name for name, _ in instructions()]
    assert set(names) <= known
    assert names[0] == "FROM"
    assert names[-1] == "CMD"


def test_python_is_the_spaces_and_the_packages_allow_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    version = re.findall(r'python_version: "([\d.]+)"', readme)[0]
    assert texts("FROM") == [f"python:{version}-slim"]


def test_it_runs_as_a_user_without_rights() -> None:
    [made] = [text for text in texts("RUN") if text.startswith("useradd")]
    [user] = texts("USER")
    assert made.split()[-1] == user
    names = [name for name, _ in instructions()]
    last_write = max(n for n, name in enumerate(names) if name in ("RUN", "COPY"))
    assert names.index("USER") > last_write  # so the program cannot change itself


def test_what_is_copied_is_there_and_not_ignored() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    let_in = [rule[1:] for rule in rules if rule.startswith("!")]
    assert sorted(copied()) == sorted(let_in)
    assert all((ROOT / name).exists() for name in copied())
    for name in (".git", "tests", "runs", ".venv"):
        assert not any(fnmatch.fnmatch(name, rule) for rule in let_in)


def test_the_command_is_one_of_ours() -> None:
    [text] = texts("CMD")
    words = json.loads(text)
    assert words[:3] == ["python", "-m", "mer"]
    options = cli.parser().parse_args(words[3:])
    assert (options.host, options.port) == ("0.0.0.0", None)  # which is 7860, see mer.ui.launch
    assert texts("EXPOSE") == ["7860"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The image's command, in a folder that holds nothing but what is copied."""
    folder = tmp_path_factory.mktemp("image")
    ignored = shutil.ignore_patterns("__pycache__", "*.checkpoint")
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copyfile(ROOT / name, folder / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [*command(texts("CMD")[0]), "--port", str(port)]
    settings = {"MER_USER": "ana", "MER_PASSWORD": "secret", "HOME": str(folder)}
    with subprocess.Popen(
        arguments, cwd=folder, env={**os.environ, **settings}, stdout=subprocess.DEVNULL
    ) as process:
        yield port, folder
        process.terminate()
        process.wait(timeout=60)


def test_it_serves_and_is_healthy_also_with_a_password(running: tuple[int, Path]) -> None:
    port, folder = running
    _, _, text = texts("HEALTHCHECK")[0].partition("CMD ")
    check = [one.replace(":7860", f":{port}") for one in command(text)]
    deadline = time.monotonic() + 300
    while subprocess.run(check, cwd=folder, stderr=subprocess.DEVNULL).returncode:
        assert time.monotonic() < deadline, "the page does not become healthy"
        time.sleep(2)


def test_nothing_there_is_not_healthy(tmp_path: Path) -> None:
    _, _, text = texts("HEALTHCHECK")[0].partition("CMD ")
    check = [one.replace(":7860", ":9") for one in command(text)]
    done = subprocess.run(check, cwd=tmp_path, stderr=subprocess.DEVNULL)
    assert done.returncode != 0
