"""The places in front of the live view: few, each behind a key of its own, given up when idle."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from mer.errors import EndedError, FullError, MerError
from mer.live.session import Live

PLACES: Final = 10  # visitors who are answered at the same time
OF_ADDRESS: Final = 6  # and of one address, such as a school's
IDLE_S: Final = 5.0  # without a frame, after which a place is another's
KEPT_S: Final = 60.0  # without a frame, after which all that is known of a visitor is forgotten
KEPT: Final = 3 * PLACES  # visitors of whom anything is known


@dataclass
class _Visitor:
    address: str
    live: Live = field(default_factory=Live)
    seen: float = 0.0  # seconds, when the last frame came
    busy: bool = False  # while a frame is in work


class Visitors:
    """Who looks at the live view now; for one thread, such as that of an event loop.

    A key is 256 random bits: whoever has none learns nothing of another's camera.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody; `clock` tells seconds."""
        self._clock = clock
        self._visitors: dict[str, _Visitor] = {}  # the one seen last stands last

    def __len__(self) -> int:
        return len(self._visitors)

    def enter(self, address: str = "") -> str:
        """Take a place for somebody at this address, or raise a FullError; return its key."""
        self.forget()
        self._check_place(address)
        known = Counter(one.address for one in self._visitors.values())
        idle = [key for key, one in self._visitors.items() if self._idle(one)]
        idle.sort(key=lambda key: -known[self._visitors[key].address])
        for key in idle[: max(0, len(self._visitors) - KEPT + 1)]:
            del self._visitors[key]
        key = secrets.token_urlsafe(32)
        self._visitors[key] = _Visitor(address, seen=self._clock())
        return key

    @contextmanager
    def visit(self, key: str) -> Iterator[Live]:
        """The live view of a key, for one frame; a place that was idle is taken again.

        Raises:
            EndedError: nothing is known of this key, or no longer.
            FullError: the place was given up, and all are taken, or all of this address.
            MerError: this visitor's last frame is still in work.
        """
        self.forget()
        visitor = self._visitors.get(key)
        if visitor is None:
            raise EndedError(
                "The live view ended after a while without pictures. Press Live to begin again."
            )
        if visitor.busy:
            raise MerError("One frame at a time: the answer to the last one is still to come.")
        if self._idle(visitor):
            self._check_place(visitor.address)
        visitor.busy = True
        try:
            yield visitor.live
        finally:
            visitor.busy, visitor.seen = False, self._clock()
            if key in self._visitors:  # and was not left meanwhile
                self._visitors[key] = self._visitors.pop(key)

    def leave(self, key: str) -> None:
        """Give up a place, and forget whoever had it."""
        self._visitors.pop(key, None)

    def forget(self) -> None:
        """Forget those who have been away for KEPT_S."""
        now = self._clock()
        for key, one in list(self._visitors.items()):
            if not one.busy and now - one.seen > KEPT_S:
                del self._visitors[key]

    def _check_place(self, address: str) -> None:
        taken = [one.address for one in self._visitors.values() if not self._idle(one)]
        if len(taken) >= PLACES:
            raise FullError(
                f"All {PLACES} places of the live view are taken. Press Live again in a minute, "
                "or use Capture, which needs no place."
            )
        if taken.count(address) >= OF_ADDRESS:
            raise FullError(
                f"{OF_ADDRESS} places of the live view are taken from your address, which is as "
                "many as one may have. Stop one of them, or use Capture, which needs no place."
            )

    def _idle(self, visitor: _Visitor) -> bool:
        return not visitor.busy and self._clock() - visitor.seen > IDLE_S
