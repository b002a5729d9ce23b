"""What other sites show of a link to the page: its title, a sentence and a picture."""

import functools
import re
from pathlib import Path
from typing import Final

from gradio import routes
from jinja2 import FunctionLoader

from mer.results import html_document

PICTURE: Final = Path(__file__).parent / "media" / "preview.png"  # also the icon of its tab
TITLE: Final = "Which expression does a face look like?"
_SENTENCE: Final = "Expressions in pictures, videos and before a camera."
_OF_GRADIO: Final = re.compile(r'<meta\s[^>]*"(?:og|twitter):[^>]*>')


@functools.cache
def use() -> None:
    """Put ours in place of what Gradio's template says: crawlers run no script."""
    environment = routes.templates.env
    loader = environment.loader
    assert loader is not None
    ours = html_document.render("preview.html", title=TITLE, sentence=_SENTENCE)

    def source(name: str) -> str:
        text, *_ = loader.get_source(environment, name)
        return _OF_GRADIO.sub("", text).replace("<head>", f"<head>{ours}", 1)

    environment.loader = FunctionLoader(source)
