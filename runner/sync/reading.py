"""What a run reads of its source: which call, with what, and each page made into rows to store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import NamedTuple, cast

from runner.calls.client import Client
from runner.definitions.conversions import format_instant, instant, text
from runner.definitions.model import Call, Sync
from runner.definitions.values import is_nothing
from runner.errors import UsageError
from runner.store import SyncState
from runner.sync.mapping import Mapper
from runner.sync.params import params_of
from runner.sync.plan import Window

#: seconds by which `last_run` goes back where a sync has no lookback
_SLACK = 60.0


class Batch(NamedTuple):
    """One page of the source, ready to be stored."""

    #: how many records it held
    read: int
    #: primary key and payload of those to store
    rows: list[tuple[str, bytes]]
    #: primary keys of those that are deleted, or that `where` leaves out
    gone: list[str]
    cursors: list[object]
    #: what leads to the next page; None after the last
    next: Mapping[str, object] | None


class Reading:
    """Reads the source of one sync for one connection.

    Raises:
        UsageError: the connection's params do not fit the sync.
    """

    def __init__(self, sync: Sync, client: Client, state: SyncState, window: Window) -> None:
        self._sync = sync
        self._client = client
        self._state = state
        self._scope = self._base_scope(window)
        self._call: Call | None = None

    def _base_scope(self, window: Window) -> dict[str, object]:
        scope: dict[str, object] = {
            **self._client.scope(),
            "params": params_of(self._sync, self._client.connection),
            **window.scope(),
        }
        if self._state.checkpoint is not None:
            scope["checkpoint"] = self._state.checkpoint
        if self._state.last_run is not None:
            lookback = self._sync.incremental.lookback if self._sync.incremental else 0.0
            scope["last_run"] = format_instant(instant(self._state.last_run - (lookback or _SLACK)))
        return scope

    async def batches(self, at: Mapping[str, object] | None) -> AsyncGenerator[Batch, None]:
        """The pages from ``at`` on, or from the first."""
        call = await self._prepared()
        mapper = Mapper(self._sync, self._scope)
        async for page in self._client.pages(call.operation, self._arguments(call), at):
            yield self._batch(mapper, page.records, page.next)

    async def deleted(self) -> AsyncIterator[list[str]]:
        """The primary keys that the API tells as deleted since the last run, page by page."""
        deletes = self._sync.deletes
        if deletes is None or deletes.call is None or deletes.id is None or self._state.last_run is None:
            return
        await self._prepared()
        mapper = Mapper(self._sync, self._scope)
        async for page in self._client.pages(deletes.call.operation, self._arguments(deletes.call)):
            ids = [mapper.value(deletes.id, record) for record in page.records]
            yield [text(id) for id in ids if not is_nothing(id)]

    async def _prepared(self) -> Call:
        """The call of `fetch` that holds; finds it, the lookups and the vars when it is first asked."""
        if self._call is None:
            await self._look_up()
            self._call = self._chosen()
        return self._call

    async def _look_up(self) -> None:
        for name, lookup in self._sync.lookups.items():
            self._scope[name] = await self._client.call(lookup.operation, self._arguments(lookup))
        for name, value in self._sync.vars.items():
            self._scope[name] = value.evaluate(self._scope)

    def _chosen(self) -> Call:
        for call in self._sync.fetch:
            if call.when is None or call.when.holds(self._scope):
                return call
        raise UsageError(f"no `fetch` of `{self._sync.name}` holds", hint="give the last one no `when`")

    def _arguments(self, call: Call) -> Mapping[str, object]:
        return cast(Mapping[str, object], call.arguments.evaluate(self._scope))

    def _batch(self, mapper: Mapper, records: list[object], following: Mapping[str, object] | None) -> Batch:
        rows: list[tuple[str, bytes]] = []
        gone: list[str] = []
        deletes, where = self._sync.deletes, self._sync.where
        flag = deletes.when if deletes is not None else None
        for record in records:
            row = mapper.row(record)
            dead = flag is not None and mapper.holds(flag, record)
            if dead or (where is not None and not mapper.holds(where, record)):
                gone.append(row[0])
            else:
                rows.append(row)
        incremental = self._sync.incremental
        cursors = [mapper.value(incremental.cursor, record) for record in records] if incremental else []
        return Batch(len(records), rows, gone, cursors, following)
