"""Whatever goes wrong in a handler reaches the visitor as one plain sentence."""

import logging
from typing import Any, Final

import gradio as gr

from mer.errors import MerError

UNEXPECTED: Final = (
    "Something went wrong on our side, not with your picture. Please try again; "
    "if it happens twice, the log of the page says where."
)
FULL: Final = "The page has no room for more files now. Try again in five minutes."
_WRONG: Final = (
    "This call came with too few values, or with some of another kind than the page sends. Load "
    "the page again; programs find what to send in docs/api.md."
)
_log = logging.getLogger(__name__)


class RefusedError(MerError):
    """A request that is not passed on; `status` is HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Page(gr.Blocks):
    """Turns all that goes wrong in handlers, and in what they are called with, into `gr.Error`."""

    async def process_api(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Call a handler. Our errors keep their sentence, others are logged without data."""
        try:
            return await super().process_api(*given, **named)
        except MerError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception:
            _log.exception("a handler failed")
            raise gr.Error(UNEXPECTED, print_exception=False) from None

    async def preprocess_data(self, *given: Any, **named: Any) -> list[Any]:
        """Make a handler's arguments of the values of a call."""
        try:
            arguments: list[Any] = await super().preprocess_data(*given, **named)
        except (gr.Error, OSError, MemoryError):
            raise
        except Exception as error:  # whatever Gradio's components raise for what they do not expect
            raise MerError(_WRONG) from error
        return arguments
