"""The store held against the source: what is missing, too much, or stale; and its repair."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from typing import Literal

import msgspec

from runner.calls.client import Client
from runner.definitions.conversions import format_instant, instant
from runner.definitions.model import Audit, Foreach, Slices, Sync
from runner.errors import CallError, RunningAlready, UsageError
from runner.store import Store, SyncState
from runner.store.inventory import Inventory
from runner.sync.listing import Known, Listing, stamp_field
from runner.sync.parents import parents_of
from runner.sync.plan import Slice, whole_of, window_of
from runner.sync.round import Round
from runner.sync.run import key_of, window_for
from runner.sync.slices import cut
from runner.sync.source import Source, arguments
from runner.sync.together import side_by_side
from runner.sync.turns import Turn, Turns

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
        self.stamp = stamp_field(sync)
        self.began = time.monotonic()

    async def result(self, *, repair: bool) -> AuditResult:
        window = window_of(
            self.sync, SyncState(), (await window_for(self.sync, self.client, SyncState())).began
        )
        source = Source(self.sync, self.client, self.state, whole_of(window))
        with closing(Inventory(self.store.database, self.stream.number(), self.stamp)) as inventory:
            await self._list(source, window.slices[0], inventory)
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

    async def _list(self, source: Source, whole: Slice, inventory: Inventory) -> None:
        rules, foreach = self._cutting(), self.sync.foreach
        if foreach is not None and self.rules.by_parent:
            await self._list_parents(source, foreach, whole, inventory)
        elif foreach is not None:
            last_run = self.state.last_run if self._timed() else None
            known = Known(None if last_run is None else format_instant(instant(last_run)))
            await self._list_slice(source.of_all(), whole, inventory, known)
        else:
            known, slices = Known(self.state.checkpoint), await self._slices(source, whole)
            at_once = rules.concurrency if rules is not None else 1
            await side_by_side(
                iter(slices), at_once, lambda part: self._list_slice(source, part, inventory, known)
            )

    def _timed(self) -> bool:
        return self.sync.incremental is not None and self.sync.incremental.type == "timestamp"

    async def _list_parents(
        self, source: Source, foreach: Foreach, whole: Slice, inventory: Inventory
    ) -> None:
        """Lists the records of each parent; one that is new, or not found, has none that are missed."""
        turns = Turns(self.sync, self.key, self.store.parents, last_run=None, now=lambda: 0.0)
        parents = await parents_of(self.sync, foreach, self.client, self.store, source)

        async def read(turn: Turn) -> None:
            known = Known(turn.state.checkpoint, turn.parent.key, turn.is_new)
            try:
                own = await source.of_parent(turn.parent.item, turn.state, whole)
                await self._list_slice(own, whole, inventory, known)
            except CallError as exc:
                if exc.kind != "not_found" or not foreach.skips:
                    raise

        all_of_them = turns.of(Round(noting=False, full=False, began=0.0), parents, lambda gone: None)
        await side_by_side(all_of_them, foreach.concurrency, read)

    async def _list_slice(self, source: Source, part: Slice, inventory: Inventory, known: Known) -> None:
        scope = await source.scope_of(part)
        mapper = Listing(self.sync, self.rules, self.stamp, scope, known)
        async for page in self.client.pages(self.rules.call.operation, arguments(self.rules.call, scope)):
            inventory.add(
                [listed for record in page.records if (listed := mapper.listed(record)) is not None]
            )

    async def _repair(self, source: Source, whole: Slice, inventory: Inventory) -> int:
        done = 0
        for differing in (inventory.missing(), inventory.stale()):
            for ids in list(differing):
                async for own, some in self._sources(source, whole, ids, inventory):
                    for start in range(0, len(some), _TOGETHER):
                        done += await self._read_again(own, whole, some[start : start + _TOGETHER])
        for ids in list(inventory.extra()):
            done += self.stream.delete(ids, time.time())
        return done

    async def _sources(
        self, source: Source, whole: Slice, ids: list[str], inventory: Inventory
    ) -> AsyncIterator[tuple[Source, list[str]]]:
        """What keys are read from: the source, or that of the parent that has them."""
        foreach = self.sync.foreach
        if foreach is None:
            yield source, ids
            return
        by_parent = inventory.by_parent(ids)
        parents = await parents_of(self.sync, foreach, self.client, self.store, source)
        for parent in parents.named(by_parent):
            yield await source.of_parent(parent.item, SyncState(), whole), by_parent[parent.key]

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


def _difference(found: Iterator[list[str]]) -> Difference:
    count = 0
    first: list[str] = []
    for ids in found:
        count += len(ids)
        first += ids[: SHOWN - len(first)]
    return Difference(count=count, ids=first)
