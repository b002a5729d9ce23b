"""What the tests of the video share."""

import shutil
from pathlib import Path

import pytest

import mer


@pytest.fixture
def shipped_cover(stand_in_weights: Path) -> None:
    """What tells covered faces, as it ships, among the stand-in weights."""
    for path in (Path(mer.__file__).parent.parent / "weights").glob("cover.*"):
        shutil.copy(path, stand_in_weights)
