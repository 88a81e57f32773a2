"""What a run reads of its source: which call, and with what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from copy import copy
from typing import cast

from runner.calls.client import Client
from runner.definitions.conversions import format_instant, instant, integer, text
from runner.definitions.model import Call, Slices, Sync
from runner.definitions.values import is_nothing
from runner.errors import RecordError, UsageError
from runner.store import SyncState
from runner.sync.mapping import Mapper
from runner.sync.params import params_of
from runner.sync.plan import Slice
from runner.sync.reading import Reading
from runner.sync.reading import arguments as arguments

#: seconds by which `last_run` goes back where a sync has no lookback
_SLACK = 60.0


async def server_now(client: Client) -> float:
    """The server's clock, in seconds since 1970; a cheap call asks for it where no answer has told it yet."""
    if client.server_time is None and client.provider.verify is not None:
        await client.call(client.provider.operations[client.provider.verify], {})
    return client.server_time or time.time()


class Source:
    """The source of one sync for one connection.

    Raises:
        UsageError: the connection's params do not fit the sync.
    """

    def __init__(self, sync: Sync, client: Client, state: SyncState, whole: Slice) -> None:
        self._sync = sync
        self._client = client
        self._state = state
        self._whole = whole
        self._known: dict[str, object] = {
            **client.scope(),
            "params": params_of(sync, client.connection),
            "matrix": sync.cell,
            "variant": sync.variant,
        }
        self._looked_up = False
        self._looking = asyncio.Lock()
        #: what is not known of a parent here, and so no var that needs it
        self._lacks = frozenset({"item", "slice", "checkpoint"})

    async def of_parent(self, item: object, state: SyncState, whole: Slice) -> Source:
        """The source of one parent of a sync with `foreach`.

        Args:
            state: how far the parent was read.
            whole: the part of it that is read.
        """
        known = await self.looked_up()
        source = copy(self)
        source._state, source._whole = state, whole
        source._known = {**known, "item": item}
        source._lacks = frozenset()
        return source

    def of_all(self) -> Source:
        """The source of all parents at once, as `audit` may ask it."""
        source = copy(self)
        source._lacks = frozenset({"item"})
        return source

    def _so_far(self) -> dict[str, object]:
        """What is known of what was read before."""
        scope: dict[str, object] = {}
        if self._state.checkpoint is not None:
            scope["checkpoint"] = self._state.checkpoint
        if self._state.last_run is not None:
            lookback = self._sync.incremental.lookback if self._sync.incremental else 0.0
            scope["last_run"] = format_instant(instant(self._state.last_run - (lookback or _SLACK)))
        return scope

    async def reading(self, part: Slice) -> Reading:
        """The reading of a slice.

        Raises:
            UsageError: no `fetch` holds for it.
        """
        scope = await self.scope_of(part)
        for call in self._sync.fetch:
            if call.when is None or call.when.holds(scope):
                return self.reading_of(call, scope)
        raise UsageError(f"no `fetch` of `{self._sync.name}` holds", hint="give the last one no `when`")

    def reading_of(self, call: Call, scope: Mapping[str, object]) -> Reading:
        """The reading by one call, which gives records as `fetch` does."""
        return Reading(self._sync, self._client, call, scope)

    async def count(self, part: Slice, rules: Slices) -> int:
        """How many records a slice has, as `slices.size` tells.

        Raises:
            RecordError: what it gives is no number.
        """
        size = cast(Call, rules.size)
        scope = await self.scope_of(part)
        found = await self._client.call(size.operation, arguments(size, scope))
        if rules.total is not None:
            found = rules.total.evaluate({**scope, "result": found})
        try:
            return integer(found)
        except ValueError as exc:
            hint = "name the number in it with `total`, such as `total: result.total`"
            raise RecordError(f"`slices.size` gave no number: {exc}", where=size.place, hint=hint) from exc

    async def deleted(self) -> AsyncIterator[list[str]]:
        """The primary keys that the API tells as deleted since the last run, page by page."""
        deletes = self._sync.deletes
        if deletes is None or deletes.call is None or deletes.id is None or self._state.last_run is None:
            return
        scope = await self.scope_of(self._whole)
        id_of = Mapper(self._sync, scope).reader(deletes.id)
        async for page in self._client.pages(deletes.call.operation, arguments(deletes.call, scope)):
            ids = [id_of(record) for record in page.records]
            yield [text(id) for id in ids if not is_nothing(id)]

    async def looked_up(self) -> Mapping[str, object]:
        """What is known whichever part is read; the look-ups are made once, for the whole window."""
        async with self._looking:
            if not self._looked_up:
                whole = {**self._known, **self._so_far(), **self._whole.scope()}
                for name, lookup in self._sync.lookups.items():
                    found = await self._client.call(lookup.operation, arguments(lookup, whole))
                    self._known[name] = whole[name] = found
                self._looked_up = True
        return self._known

    async def scope_of(self, part: Slice) -> dict[str, object]:
        """What the expressions of a slice know."""
        scope = {**await self.looked_up(), **self._so_far(), **part.scope()}
        needs = self._sync.foreach.vars if self._sync.foreach is not None else {}
        for name, value in self._sync.vars.items():
            if not needs.get(name, frozenset()) & self._lacks:
                scope[name] = value.evaluate(scope)
        return scope
