"""Ten visitors of the live view at once, over HTTP: everybody is answered, with what is theirs.

How quickly is printed (`pytest -s`) and not tested: `python -m benchmarks live` measures it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import live
from mer import ui
from mer.live.session_pool import PLACES

SECONDS = 4.0
WALL = np.full((480, 640, 3), 90, np.uint8)


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    page = ui.build()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    yield url
    page.close()


def camera(astronaut: np.ndarray, visitor: int) -> list[bytes]:
    """640 x 480 JPEGs of one face, of two, or of a wall; each visitor's are of another height."""
    picture = (astronaut, np.hstack([astronaut[:, 100:356]] * 2), WALL)[visitor % 3]
    return live.frames(picture, 640, 480 - 2 * visitor)


def numbers(answer: dict[str, Any]) -> list[int]:
    return [one["number"] for one in answer["people"]]


def test_ten_visitors_at_once_and_an_eleventh(
    address: str, astronaut: np.ndarray, tmp_path: Path
) -> None:
    cameras = [camera(astronaut, number) for number in range(PLACES)]
    with ExitStack() as stack, ThreadPoolExecutor(PLACES) as pool:
        visitors = [stack.enter_context(live.Visitor(address)) for _ in range(PLACES)]
        looking = [
            pool.submit(visitor.look, pictures, SECONDS, least=8, query=f"&rest={int(not number)}")
            for number, (visitor, pictures) in enumerate(zip(visitors, cameras, strict=True))
        ]
        with live.Visitor(address) as eleventh:
            eleventh.look(cameras[0], SECONDS)
        for one in looking:
            one.result(timeout=300)
    print(live.table(visitors))

    assert "All 10 places of the live view are taken" in eleventh.problem
    assert eleventh.answers == []
    for number, visitor in enumerate(visitors):
        assert visitor.problem == ""
        assert {tuple(one["size"]) for one in visitor.answers} == {(640, 480 - 2 * number)}
        assert numbers(visitor.answers[-1]) == ([1], [1, 2], [])[number % 3]
        told = [person["resting_ms"] for one in visitor.answers for person in one["people"]]
        assert any(ms is not None for ms in told) == (number == 0)
    with live.Visitor(address) as again:
        assert again.problem == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nobody_is_a_table_too(address: str) -> None:
    with live.Visitor(address) as visitor:
        assert "no answer" in live.table([visitor])
