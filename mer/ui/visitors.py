"""Visitors: what is remembered of them, and the queue of their calls; nobody takes it all.

Gradio keeps every value that a component ever held, for links that store a visitor's answers; here
only states are kept, and the names of files. In its queue one visitor could take all places.
"""

import sys
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, Final

import gradio as gr
from gradio.queueing import Queue
from gradio.routes import file_upload_statuses
from gradio.state_holder import SessionState, StateHolder
from gradio_client.utils import is_file_obj, traverse

from mer.ui import visitor_files

MOST: Final = 256  # visitors of whom anything is known
MAX_BYTES: Final = 500_000_000  # of all that is known of them
UNREAD_BYTES: Final = 200_000_000  # of answers that nobody has fetched yet
CALLS: Final = 64  # that wait
CALLS_OF_ADDRESS: Final = 24  # that wait or are in work; a school may share an address
CALLS_OF_VISITOR: Final = 8
CALL_BYTES: Final = 400_000_000  # of the values of calls that wait
CALL_BYTES_OF_ADDRESS: Final = 100_000_000  # and of those of one address
SIZE: Final = "mer.size"  # where a request's scope tells them
WORKERS: Final = 2  # calls in work at once, of each kind: they fill two cores

_FULL: Final = f"{CALLS} calls wait for an answer already. Try again in a minute."
_LARGE: Final = "Calls that wait hold too much already. Try again when some are answered."
_ADDRESS: Final = (
    f"{CALLS_OF_ADDRESS} calls from your address wait for an answer already. Try again when some "
    "have been answered."
)
_VISITOR: Final = (
    f"{CALLS_OF_VISITOR} of your calls wait already. Try again when some are answered."
)


class Session(SessionState):
    """What is known of one visitor."""

    def __init__(self, blocks: gr.Blocks) -> None:
        # Gradio would write down all components for each visitor, which takes longer than a call.
        seen: Any = SimpleNamespace(default_config=blocks.default_config, blocks=())
        super().__init__(seen)
        self.folders: set[Path] = set()  # of files that were sent or shown; each has one
        self.weights: dict[int, int] = {}  # bytes of each state

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()
        if key in self.state_data:
            self.weights[key] = weight(value)

    def _update_config(self, key: int) -> None:
        """Gradio's, for links that this page has not."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        def note(file: dict[str, Any]) -> None:
            folder = Path(file["path"]).parent
            if folder.parent == visitor_files.take_folder().resolve():
                self.folders.add(folder)

        traverse(value, note, is_file_obj)

    @property
    def bytes(self) -> int:
        """Of all states."""
        return sum(self.weights[key] for key in self.weights.keys() & self.state_data.keys())


class Sessions(StateHolder):
    """What is known of all visitors. Where it is too much, whoever has most of it loses first."""

    session_data: OrderedDict[str, Session]  # type: ignore[assignment]

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(blocks)
        self.capacity = 10 * MOST  # Gradio's own bound, which looks at nobody's share
        self.owners: dict[str, str] = {}  # addresses, by session
        self.here: Counter[str] = Counter()  # sessions whose page is open, by its connections

    def __getitem__(self, session: str) -> SessionState:
        if session not in self.session_data:
            self.session_data[session] = Session(self.blocks)
        found = super().__getitem__(session)
        sizes = {name: one.bytes for name, one in self.session_data.items()}
        while len(sizes) > MOST or (sum(sizes.values()) > MAX_BYTES and len(sizes) > 1):
            shares = dict.fromkeys(sizes, 1) if len(sizes) > MOST else sizes
            del sizes[self._drop_one(shares, session)]
        return found

    def _drop_one(self, sizes: dict[str, int], current: str) -> str:
        """Forget one of the address with the most: who is not here, or is away for longest."""
        owners, here, used = self.owners, self.here, self.time_last_used
        shares: Counter[str] = Counter()
        for session, size in sizes.items():
            shares[owners.get(session, "")] += size
        (greediest, _), *_ = shares.most_common(1)
        dropped = min(
            (one for one in sizes if one != current),
            key=lambda s: (owners.get(s, "") != greediest, here[s] > 0, used.get(s, datetime.min)),
        )
        self.drop(dropped)
        return dropped

    def drop(self, session: str) -> set[Path]:
        """Forget a visitor; return the folders of what they sent and were shown."""
        self.time_last_used.pop(session, None)
        self.owners.pop(session, None)
        state = self.session_data.pop(session, None)
        return state.folders if state else set()

    def tidy(self, queue: Any) -> None:
        """Forget who is away, owners of nothing, answers that nobody fetches, ended uploads."""
        now = datetime.now()
        for session, used in list(self.time_last_used.items()):
            if (now - used).total_seconds() > visitor_files.REMEMBERED_S:
                self.drop(session)
        unread = queue.pending_messages_per_session
        known = self.session_data.keys() | unread.keys()
        self.owners = {session: owner for session, owner in self.owners.items() if session in known}
        sizes = {session: weight(list(one._queue)) for session, one in list(unread.items())}
        while sum(sizes.values()) > UNREAD_BYTES:
            largest = max(sizes, key=lambda one: sizes[one])
            unread.pop(largest, None)
            del sizes[largest]
        uploads = file_upload_statuses
        for number, one in list(uploads._statuses.items()):  # whose bar nobody saw
            if one.is_done:
                uploads.stop_tracking(number)
        for number in uploads._signals.keys() - uploads._statuses.keys():
            del uploads._signals[number]


def weight(value: Any) -> int:
    """Bytes that a value takes in memory, with all that it holds."""
    total, waiting, seen = 0, [value], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        seen.add(id(one))
        total += max(sys.getsizeof(one, 0), getattr(one, "nbytes", 0))
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += one
        elif not hasattr(one, "memory_usage"):  # of a table, which counts its columns itself
            waiting += getattr(one, "__dict__", {}).values()
    return total


def queue(page: gr.Blocks) -> None:
    """Give the page its queue. Nobody gets past it: Gradio would start other calls at once."""
    page.queue(default_concurrency_limit=WORKERS, api_open=False)
    page._queue.__class__ = FairQueue
    page._queue.ANALYTICS_MAX_EVENTS = 100  # it goes through all of them after each call


class FairQueue(Queue):
    """Gradio's queue, with places by visitor and address; of those that wait, in turns."""

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Take a call, or say why not."""
        address, session = _address(request), body.session_hash
        waiting = (one.queue for one in self.event_queue_per_concurrency_id.values())
        calls = [*chain(*waiting, *filter(None, self.active_jobs))]
        there = [one.request for one in calls]
        theirs = [one for one in there if _address(one) == address]
        own = session and sum(one.session_hash == session for one in calls)
        large = _bytes(theirs, request) > CALL_BYTES_OF_ADDRESS
        problems = {
            _FULL: len(self) >= CALLS,
            _ADDRESS: len(theirs) >= CALLS_OF_ADDRESS,
            _LARGE: large or _bytes(there, request) > CALL_BYTES,
            _VISITOR: own and own >= CALLS_OF_VISITOR,
        }
        if refused := [sentence for sentence, is_so in problems.items() if is_so]:
            return False, refused[0], "queue_full"
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


def _bytes(there: Iterable[Any], request: Any) -> int:
    return sum(one.scope.get(SIZE, 0) for one in (*there, request))


def _address(request: Any) -> str:
    return request.client.host if request.client else ""
