"""The page as a server of tools for assistants, asked by the client of the `mcp` package itself."""

import ast
import base64
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
from PIL import Image

from mer import cli, ui
from mer.errors import MerError
from tools.make_docs import EXAMPLES

REASON = "the package mcp is not installed (pip install '.[mcp]')"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    pytest.importorskip("mcp", reason=REASON)
    page = ui.build()
    settings = ui.settings(mcp=True)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **settings)
    yield address
    page.close()


def asked(url: str, tool: str | None = None, **arguments: Any) -> Any:
    """The server's tools, or what one of them answers."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def ask() -> Any:
        async with (
            streamable_http_client(f"{url}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            if tool is None:
                return (await session.list_tools()).tools
            return await session.call_tool(tool, arguments)

    return anyio.run(ask)


@pytest.fixture
def picture(astronaut: np.ndarray) -> str:
    content = io.BytesIO()
    Image.fromarray(astronaut).save(content, "jpeg")
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def test_without_the_package_there_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["app", "--mcp", "--port", "7999"]) == 2
    assert "--mcp needs another package" in capsys.readouterr().err


def test_not_together_with_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setenv("MER_PASSWORD", "secret")
    with pytest.raises(MerError, match="do not go together"):
        ui.settings(mcp=True)


def test_every_endpoint_is_a_described_tool(url: str) -> None:
    tools = {tool.name: tool for tool in asked(url)}
    assert set(tools) == set(EXAMPLES)
    assert "What the faces in a picture look like" in tools["predict"].description.replace("w", "W")
    told = tools["predict"].inputSchema["properties"]
    assert set(told) == {"picture", "network", "detector"}
    assert told["detector"]["enum"] == ["yunet", "haar", "none"]


def test_a_picture_is_read_and_lies_only_where_it_is_swept(url: str, picture: str) -> None:
    elsewhere = Path(tempfile.gettempdir()) / "gradio"
    before = set(elsewhere.rglob("*"))
    answer = asked(url, "predict", picture=picture, network="cnn1", detector="yunet")
    assert not answer.isError
    [face] = ast.literal_eval(answer.content[0].text)["faces"]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert set(elsewhere.rglob("*")) == before


def test_a_picture_comes_back(url: str, picture: str) -> None:
    answer = asked(url, "annotate", picture=picture, network="cnn1", detector="yunet")
    image = next(part for part in answer.content if part.type == "image")
    assert Image.open(io.BytesIO(base64.b64decode(image.data))).size == (640, 640)


@pytest.mark.parametrize("sent", ["http://127.0.0.1:9/a.jpg", "/etc/passwd", "data:,"])
def test_what_is_no_picture_is_an_error(url: str, sent: str) -> None:
    answer = asked(url, "predict", picture=sent, network="cnn1", detector="yunet")
    assert answer.isError
    assert "root:" not in answer.content[0].text


def test_a_page_without_it_has_no_tools() -> None:
    page = ui.build()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **ui.settings())
    assert httpx.post(f"{address}gradio_api/mcp/", json={}).status_code == 403
    page.close()
