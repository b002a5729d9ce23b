"""The queue of calls, in which nobody takes all the places, and addresses take turns."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import gradio as gr
from gradio.queueing import Event, Queue

MOST: Final = 64  # calls that wait
OF_ADDRESS: Final = 24  # calls of one address that wait or are in work; a school may share one
OF_VISITOR: Final = 8  # of one visitor
MAX_BYTES: Final = 400_000_000  # of the values of calls that wait
BYTES_OF_ADDRESS: Final = 100_000_000  # and of those of one address
SIZE: Final = "mer.size"  # where a request's scope tells them
WORKERS: Final = 2  # calls in work at once, of each kind: they fill two cores

_FULL: Final = f"{MOST} calls wait for an answer already. Try again in a minute."
_LARGE: Final = "Calls that wait hold too much already. Try again when some are answered."
_ADDRESS: Final = (
    f"{OF_ADDRESS} calls from your address wait for an answer already. Try again when some have "
    "been answered."
)
_VISITOR: Final = f"{OF_VISITOR} of your calls wait already. Try again when some are answered."


def use(page: gr.Blocks) -> None:
    """Give the page this queue. Nobody gets past it: Gradio would start other calls at once."""
    page.queue(default_concurrency_limit=WORKERS, api_open=False)
    page._queue.__class__ = FairQueue
    page._queue.ANALYTICS_MAX_EVENTS = 100  # it goes through all of them after each call


class FairQueue(Queue):
    """Gradio's queue, with places by visitor and address; of those that wait, in turns."""

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Take a call, or say why not."""
        address, session = _address(request), body.session_hash
        there = [one.request for one in self._there()]
        theirs = [one for one in there if _address(one) == address]
        refused = None
        if len(self) >= MOST:
            refused = _FULL
        elif len(theirs) >= OF_ADDRESS:
            refused = _ADDRESS
        elif _bytes([*theirs, request]) > BYTES_OF_ADDRESS or _bytes([*there, request]) > MAX_BYTES:
            refused = _LARGE
        elif session and sum(one.session_hash == session for one in self._there()) >= OF_VISITOR:
            refused = _VISITOR
        if refused:
            return False, refused, "queue_full"
        owners: dict[str, str] = self.blocks.app.state_holder.owners  # type: ignore[attr-defined]
        if session:
            owners.setdefault(session, address)
        told = await super().push(body, request, username)
        owners.setdefault(str(body.session_hash), address)
        return told

    def get_events(self) -> Any:
        """The next call: of the address that has fewest in work, the one that came first."""
        busy = Counter(_address(one.request) for job in self.active_jobs for one in job or ())
        for waiting in self.event_queue_per_concurrency_id.values():
            waiting.queue.sort(key=lambda one: busy[_address(one.request)])
        return super().get_events()

    def _there(self) -> Iterator[Event]:
        for waiting in self.event_queue_per_concurrency_id.values():
            yield from waiting.queue
        for job in self.active_jobs:
            yield from job or ()


def _bytes(requests: Iterable[Any]) -> int:
    return sum(one.scope.get(SIZE, 0) for one in requests)


def _address(request: Any) -> str:
    return request.client.host if request.client else ""
