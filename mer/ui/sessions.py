"""What the page remembers of its visitors, bounded by bytes and shared out by address.

Gradio keeps every value that a component ever held, for links that store a visitor's answers. This
page has none such, so only states are kept, and the names of the visitor's files.
"""

import sys
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, Final

import gradio as gr
from gradio.routes import file_upload_statuses
from gradio.state_holder import SessionState, StateHolder

from mer.ui import retention

MOST: Final = 256  # visitors of whom anything is known
MAX_BYTES: Final = 500_000_000  # of all that is known of them
UNREAD_BYTES: Final = 200_000_000  # of answers that nobody has fetched yet


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
        root = retention.take_folder().resolve()
        paths = map(Path, _paths(value))
        self.folders |= {path.parent for path in paths if path.parent.parent == root}

    @property
    def bytes(self) -> int:
        """Of all states."""
        return sum(self.weights[key] for key in self.weights.keys() & self.state_data.keys())


class Sessions(StateHolder):
    """What is known of all visitors. Where it is too much, whoever has most of it loses first."""

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(blocks)
        self.capacity = 10 * MOST  # Gradio's own bound, which looks at nobody's share
        self.owners: dict[str, str] = {}  # addresses, by session
        self.here: Counter[str] = Counter()  # sessions whose page is open, by its connections

    session_data: OrderedDict[str, Session]  # type: ignore[assignment]

    def __getitem__(self, session: str) -> SessionState:
        if session not in self.session_data:
            self.session_data[session] = Session(self.blocks)
        found = super().__getitem__(session)
        self._make_room(session)
        return found

    def drop(self, session: str) -> None:
        """Forget a visitor."""
        self.session_data.pop(session, None)
        self.time_last_used.pop(session, None)
        self.owners.pop(session, None)

    def tidy(self, queue: Any) -> None:
        """Forget owners without a session, answers that nobody fetches, and uploads that ended."""
        unread = queue.pending_messages_per_session
        known = self.session_data.keys() | unread.keys()
        self.owners = {session: owner for session, owner in self.owners.items() if session in known}
        sizes = {session: weight(list(one._queue)) for session, one in list(unread.items())}
        left = sum(sizes.values())
        for session in sorted(sizes, key=lambda one: -sizes[one]):
            if left <= UNREAD_BYTES:
                break
            left -= sizes[session]
            unread.pop(session, None)

        for number, one in list(file_upload_statuses._statuses.items()):  # whose bar nobody saw
            if one.is_done:
                file_upload_statuses.stop_tracking(number)
        for number in file_upload_statuses._signals.keys() - file_upload_statuses._statuses.keys():
            del file_upload_statuses._signals[number]

    def _make_room(self, current: str) -> None:
        while len(self.session_data) > MOST:
            self.drop(self._one_too_many(dict.fromkeys(self.session_data, 1), current))
        sizes = {name: one.bytes for name, one in self.session_data.items()}
        while sum(sizes.values()) > MAX_BYTES and sizes.keys() > {current}:
            name = self._one_too_many(sizes, current)
            self.drop(name)
            del sizes[name]

    def _one_too_many(self, sizes: dict[str, int], current: str) -> str:
        """Of the address with the most: who is not here, else who has been away for longest."""
        shares: Counter[str] = Counter()
        for session, size in sizes.items():
            shares[self.owners.get(session, "")] += size
        (greediest, _), *_ = shares.most_common(1)
        theirs = [
            one
            for one in self.session_data
            if one in sizes and self.owners.get(one, "") == greediest and one != current
        ]
        return min(theirs or [one for one in sizes if one != current], key=self._precious)

    def _precious(self, session: str) -> tuple[bool, datetime]:
        return bool(self.here[session]), self.time_last_used.get(session, datetime.min)


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


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("path"), str):
            yield value["path"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _paths(part)
