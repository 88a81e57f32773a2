"""The store held against the source: what is missing, too much, or stale; and its repair."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Literal

import msgspec

from runner.calls.client import Client
from runner.definitions.conversions import instant, number, text
from runner.definitions.model import Audit, FieldFrom, Slices, Sync
from runner.definitions.values import is_nothing
from runner.errors import RunningAlready, UsageError
from runner.store import Store, SyncState
from runner.store.inventory import Inventory, Listed, stamp_of
from runner.sync.mapping import Mapper
from runner.sync.plan import Cursor, Slice, whole_of, window_of
from runner.sync.run import key_of, window_for
from runner.sync.slices import cut
from runner.sync.source import Source, arguments

#: keys that are shown of each kind of difference
SHOWN = 1_000
#: records that are read again together
_TOGETHER = 100


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Records that differ in one way."""

    count: int = 0
    #: the first of their keys
    ids: Sequence[str] = ()


class AuditResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found; the JSON of `terapi audit --json`."""

    sync: str
    connection: str
    model: str
    status: Literal["equal", "different", "repaired"]
    #: how many records the source lists, and how many are stored
    listed: int
    stored: int
    #: changed at the source since the last run, which the next one will read
    pending: int
    missing: Difference
    extra: Difference
    stale: Difference
    #: how many records were read again, or deleted
    repaired: int
    requests: int
    seconds: float

    def as_data(self) -> dict[str, object]:
        data: dict[str, object] = msgspec.to_builtins(self)
        return data


async def audit_sync(sync: Sync, client: Client, store: Store, *, repair: bool = False) -> AuditResult:
    """Holds what is stored of a sync's model against its source.

    Args:
        repair: read again what is missing or stale, and delete what is too much.

    Raises:
        UsageError: the sync does not say how it is audited or repaired.
        RunningAlready: the sync is running.
    """
    if sync.audit is None:
        hint = "say with `audit` how its keys are listed: terapi explain sync.audit"
        raise UsageError(f"`{sync.name}` does not say how it is audited", where=sync.place, hint=hint)
    if repair and sync.audit.repair is None:
        hint = "say with `audit.repair` how records are read by their keys: terapi explain sync.audit.repair"
        raise UsageError(f"`{sync.name}` does not say how it is repaired", where=sync.place, hint=hint)
    place = client.connection
    lock = store.lock(f"sync:{sync.name}:{place.integration}:{place.id}")
    if not lock.acquire():
        raise RunningAlready(f"`{sync.name}` is running for `{place.id}`", hint="wait for it to end")
    try:
        return await _Auditing(sync, sync.audit, client, store).result(repair=repair)
    finally:
        lock.release()


class _Auditing:
    def __init__(self, sync: Sync, rules: Audit, client: Client, store: Store) -> None:
        self.sync = sync
        self.rules = rules
        self.client = client
        self.store = store
        self.key = key_of(sync, client)
        self.state = store.states.get(self.key)
        place = client.connection
        self.stream = store.records.stream(place.integration, place.id, sync.model)
        self.stamp = _stamp_field(sync)
        self.began = time.monotonic()

    async def result(self, *, repair: bool) -> AuditResult:
        window = window_of(
            self.sync, SyncState(), (await window_for(self.sync, self.client, SyncState())).began
        )
        source = Source(self.sync, self.client, self.state, whole_of(window))
        with closing(Inventory(self.store.database, self.stream.number(), self.stamp)) as inventory:
            await self._list(source, await self._slices(source, window.slices[0]), inventory)
            counts = inventory.counts()
            missing = _difference(inventory.missing())
            extra = _difference(inventory.extra())
            stale = _difference(inventory.stale())
            repaired = await self._repair(source, window.slices[0], inventory) if repair else 0
        different = bool(missing.count or extra.count or stale.count)
        return AuditResult(
            sync=self.sync.name,
            connection=self.key.connection,
            model=self.sync.model,
            status="equal" if not different else "repaired" if repair else "different",
            **counts._asdict(),
            missing=missing,
            extra=extra,
            stale=stale,
            repaired=repaired,
            requests=self.client.requests,
            seconds=round(time.monotonic() - self.began, 3),
        )

    def _cutting(self) -> Slices | None:
        return self.sync.incremental.slices if self.sync.incremental is not None else None

    async def _slices(self, source: Source, whole: Slice) -> list[Slice]:
        rules = self._cutting()
        if rules is None:
            return [whole]
        return await cut(whole, rules, lambda part: source.count(part, rules))

    async def _list(self, source: Source, slices: list[Slice], inventory: Inventory) -> None:
        rules = self._cutting()
        gate = asyncio.Semaphore(rules.concurrency if rules is not None else 1)

        async def read(part: Slice) -> None:
            async with gate:
                await self._list_slice(source, part, inventory)

        await asyncio.gather(*(read(part) for part in slices))

    async def _list_slice(self, source: Source, part: Slice, inventory: Inventory) -> None:
        scope = await source.scope_of(part)
        mapper = _Listing(self.sync, self.rules, self.stamp, scope, self.state.checkpoint)
        async for page in self.client.pages(self.rules.call.operation, arguments(self.rules.call, scope)):
            inventory.add(
                [listed for record in page.records if (listed := mapper.listed(record)) is not None]
            )

    async def _repair(self, source: Source, whole: Slice, inventory: Inventory) -> int:
        done = 0
        for differing in (inventory.missing(), inventory.stale()):
            for ids in list(differing):
                for start in range(0, len(ids), _TOGETHER):
                    done += await self._read_again(source, whole, ids[start : start + _TOGETHER])
        for ids in list(inventory.extra()):
            done += self.stream.delete(ids, time.time())
        return done

    async def _read_again(self, source: Source, whole: Slice, ids: Sequence[str]) -> int:
        call = self.rules.repair
        if call is None:
            return 0
        scope = {**await source.scope_of(whole), "ids": list(ids)}
        reading, done = source.reading_of(call, scope), 0
        async for page in reading.pages(None):
            for rows in reading.rows(page.records, 1):
                with self.store.atomic():
                    changes = self.stream.write(rows.kept, time.time())
                    done += changes.added + changes.updated + self.stream.delete(rows.gone, time.time())
        return done


class _Listing:
    """Makes what the source lists of a slice comparable with what is stored."""

    def __init__(
        self,
        sync: Sync,
        rules: Audit,
        stamp: str | None,
        scope: Mapping[str, object],
        checkpoint: Cursor | None,
    ) -> None:
        mapper = Mapper(sync, scope)
        self._id = mapper.reader(rules.id)
        self._deleted = mapper.reader(rules.deleted) if rules.deleted is not None else None
        self._stamp = mapper.field(stamp) if stamp is not None else None
        cursor = sync.incremental.cursor if sync.incremental is not None else None
        self._cursor = mapper.reader(cursor) if cursor is not None else None
        self._timed = sync.incremental is not None and sync.incremental.type == "timestamp"
        self._checkpoint = checkpoint

    def listed(self, record: object) -> Listed | None:
        id = self._id(record)
        if is_nothing(id):
            return None
        stamp = self._stamp(record) if self._stamp is not None else None
        return Listed(
            id=text(id),
            stamp=None if is_nothing(stamp) else stamp_of(stamp),
            pending=self._pending(record),
            deleted=bool(self._deleted(record)) if self._deleted is not None else False,
        )

    def _pending(self, record: object) -> bool:
        if self._cursor is None or self._checkpoint is None:
            return False
        cursor = self._cursor(record)
        if is_nothing(cursor):
            return False
        if self._timed:
            return instant(cursor) > instant(self._checkpoint)
        return number(cursor) > number(self._checkpoint)


def _stamp_field(sync: Sync) -> str | None:
    """The stored field that holds the cursor, by which a stale record is known."""
    if sync.incremental is None or not isinstance(sync.fields, Mapping):
        return None
    cursor = sync.incremental.cursor
    path = cursor.path if cursor is not None else None
    named = (
        name
        for name, field in sync.fields.items()
        if isinstance(field, FieldFrom) and path is not None and field.source.path == path
    )
    return next(named, None)


def _difference(found: Iterator[list[str]]) -> Difference:
    count = 0
    first: list[str] = []
    for ids in found:
        count += len(ids)
        first += ids[: SHOWN - len(first)]
    return Difference(count=count, ids=first)
