"""Whatever goes wrong in a handler reaches the visitor as one plain sentence."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import gradio as gr

from mer.errors import MerError

UNEXPECTED: Final = (
    "Something went wrong on our side, not with your picture. Please try again; "
    "if it happens twice, the log of the page says where."
)
FULL: Final = "The page has no room for more files now. Try again in five minutes."
_log = logging.getLogger(__name__)


class RefusedError(MerError):
    """A request that is not passed on; `status` is HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@contextmanager
def in_words() -> Iterator[None]:
    """Turn errors into `gr.Error`: ours keep their sentence, others are logged without data."""
    try:
        yield
    except MerError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except gr.Error:
        raise
    except Exception:
        _log.exception("a handler failed")
        raise gr.Error(UNEXPECTED, print_exception=False) from None
