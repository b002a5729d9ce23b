"""A page served to strangers, whose temporary folder lies where a test can look into it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import pytest

from mer import ui
from mer.ui import visitor_files


class Served(NamedTuple):
    """A page that runs."""

    url: str  # ends in a slash
    folder: Path  # where its visitors' files lie
    page: gr.Blocks


def serve() -> Iterator[Served]:
    page = ui.build()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    yield Served(url, visitor_files.take_folder(), page)
    page.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """A page of this test alone."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "temporary"))
    yield from serve()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page that the tests of a module share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("temporary")))
        yield from serve()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
