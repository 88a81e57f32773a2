"""What an API bears: how many calls of a connection are under way at once."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from runner.definitions.model import Provider
from runner.store import Connection

#: calls at once where a provider does not say
_CONCURRENCY = 100


class Gate(asyncio.Semaphore):
    """Lets so many calls through at once as the provider's `limits.concurrency` says."""


class Gates:
    """One gate a connection, whoever calls for it in this process."""

    def __init__(self) -> None:
        self._gates: WeakValueDictionary[tuple[str, str], Gate] = WeakValueDictionary()

    def of(self, provider: Provider, connection: Connection) -> Gate:
        key = (connection.integration, connection.id)
        found = self._gates.get(key)
        if found is None:
            found = self._gates[key] = Gate(provider.limits.concurrency or _CONCURRENCY)
        return found
