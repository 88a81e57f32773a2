"""What a run reads of its source: which call, with what, and each page made into rows to store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import NamedTuple, cast

from runner.calls.client import Client
from runner.calls.pages import Page
from runner.definitions.conversions import format_instant, instant, integer, text
from runner.definitions.model import Call, Slices, Sync
from runner.definitions.values import is_nothing
from runner.errors import RecordError, UsageError
from runner.store import SyncState
from runner.sync.mapping import Mapper
from runner.sync.params import params_of
from runner.sync.plan import Slice

#: seconds by which `last_run` goes back where a sync has no lookback
_SLACK = 60.0
#: Records that are mapped and stored together. More at once would gain nothing, and cost: what they take is
#: then given back to the system and fetched again for each page, which is slower than the mapping itself.
_TOGETHER = 250


class Rows(NamedTuple):
    """Some records of a page, ready to be stored."""

    #: primary key and payload of those to store
    kept: list[tuple[str, bytes]]
    #: primary keys of those that are deleted, or that `where` leaves out
    gone: list[str]


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
        self._scope = self._base_scope()
        self._looked_up = False

    def _base_scope(self) -> dict[str, object]:
        scope: dict[str, object] = {
            **self._client.scope(),
            "params": params_of(self._sync, self._client.connection),
        }
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

    async def scope_of(self, part: Slice) -> dict[str, object]:
        """What the expressions of a slice know; the lookups are made once, for the whole window."""
        if not self._looked_up:
            self._looked_up = True
            whole = {**self._scope, **self._whole.scope()}
            for name, lookup in self._sync.lookups.items():
                found = await self._client.call(lookup.operation, arguments(lookup, whole))
                self._scope[name] = whole[name] = found
        scope = {**self._scope, **part.scope()}
        for name, value in self._sync.vars.items():
            scope[name] = value.evaluate(scope)
        return scope


class Reading:
    """Reads one slice by the call that was chosen for it."""

    def __init__(self, sync: Sync, client: Client, call: Call, scope: Mapping[str, object]) -> None:
        self._sync = sync
        self._client = client
        self._call = call
        self._scope = scope
        self._mapper = Mapper(sync, scope)
        deletes, rules = sync.deletes, sync.incremental
        flag = deletes.when if deletes is not None else None
        self._deleted = self._mapper.reader(flag) if flag is not None else None
        self._wanted = self._mapper.reader(sync.where) if sync.where is not None else None
        self._cursor = self._mapper.reader(rules.cursor) if rules is not None else None

    @property
    def is_job(self) -> bool:
        return self._call.operation.job is not None

    def pages(self, at: Mapping[str, object] | None) -> AsyncGenerator[Page, None]:
        """The pages from ``at`` on, or from the first."""
        return self._client.pages(self._call.operation, arguments(self._call, self._scope), at)

    def rows(self, records: list[object]) -> Iterator[Rows]:
        """The records made into rows, some at a time.

        Raises:
            RecordError: a record does not fit.
        """
        for start in range(0, len(records), _TOGETHER):
            yield self._rows(records[start : start + _TOGETHER])

    def _rows(self, records: list[object]) -> Rows:
        rows, gone = Rows([], []), self._gone
        for record in records:
            row = self._mapper.row(record)
            if gone(record):
                rows.gone.append(row[0])
            else:
                rows.kept.append(row)
        return rows

    def _gone(self, record: object) -> bool:
        if self._deleted is not None and self._deleted(record):
            return True
        return self._wanted is not None and not self._wanted(record)

    def cursors(self, records: list[object]) -> list[object]:
        """Each record's cursor."""
        return [] if self._cursor is None else [self._cursor(record) for record in records]


def arguments(call: Call, scope: Mapping[str, object]) -> Mapping[str, object]:
    return cast(Mapping[str, object], call.arguments.evaluate(scope))
