"""What the server is given, all of it opened by whoever starts it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from runner.calls.access import Access
from runner.server.keys import Key
from runner.webhooks.receive import Receiver

T = TypeVar("T")


class Engine(Protocol):
    """Where syncs and workflows run, beside the answering of requests."""

    async def run(self, work: Callable[[Access], Awaitable[T]]) -> T:
        """Does a piece of work there; raises what it raises."""

    def wake(self) -> None:
        """Tells it that there is something to do."""

    @property
    def state(self) -> str:
        """What becomes of stored work: `working`, `waiting` (another process does it) or `off`."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that endpoints use; none of them opens anything by itself."""

    access: Access
    receiver: Receiver
    key: Key
    engine: Engine
    #: takes a line for whoever runs the server
    log: Callable[[str], None]
