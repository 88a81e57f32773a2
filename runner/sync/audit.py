"""The store held against the source: what is missing, too much, or stale; and its repair."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import closing

from runner.calls.client import Client
from runner.definitions.conversions import format_instant, instant
from runner.definitions.model import Audit, Foreach, Slices, Sync
from runner.errors import CallError, RunningAlready, UsageError
from runner.store import NewRun, Store, SyncState, Underway
from runner.store.inventory import Inventory, Listed
from runner.sync.differences import AuditResult, differences
from runner.sync.ledger import stream_of
from runner.sync.listing import Known, Listing, stamp_field
from runner.sync.parents import parents_of
from runner.sync.plan import Slice, whole_of, window_of
from runner.sync.repair import TOGETHER, Repair
from runner.sync.round import Round
from runner.sync.run import key_of, lock_of, window_for
from runner.sync.slices import cut
from runner.sync.source import Source, arguments
from runner.sync.together import side_by_side
from runner.sync.turns import Turn, Turns

#: runs whose bad records are known to an audit
_RUNS = 20


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
    lock = lock_of(sync.name, place, store)
    if not lock.acquire():
        raise RunningAlready(f"`{sync.name}` is running for `{place.id}`", hint="wait for it to end")
    try:
        auditing = _Auditing(sync, sync.audit, client, store)
        if not repair:
            return await auditing.result(None)
        new = NewRun(kind="audit", name=sync.name, integration=place.integration, connection=place.id)
        with store.runs.begin(new) as run:
            result = await auditing.result(run)
            run.output = result.as_data()
        return result
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
        self.stream = stream_of(sync, client, store)
        self.stamp = stamp_field(sync)
        self.began = time.monotonic()

    async def result(self, run: Underway | None) -> AuditResult:
        """What differs.

        Args:
            run: of a repair.
        """
        window = window_of(
            self.sync, SyncState(), (await window_for(self.sync, self.client, SyncState())).began
        )
        whole = window.slices[0]
        source = Source(self.sync, self.client, self.state, whole_of(window))
        repaired = left = 0
        with closing(Inventory(self.store.database, self.stream.number(), self.stamp)) as inventory:
            await self._list(source, whole, inventory)
            counts, found = inventory.counts(), differences(self.sync, inventory, self._bad())
            if run is not None and self.rules.repair is not None:
                repair = Repair(self.sync, self.rules.repair, self.store, self.stream, run)
                await self._repair(repair, source, whole, inventory)
                repaired, left = repair.done, repair.left
        settled = run is not None and not left
        return AuditResult(
            sync=self.sync.name,
            connection=self.key.connection,
            model=self.sync.model,
            variant=self.sync.variant,
            status="equal" if not found.any else "repaired" if settled else "different",
            **counts._asdict(),
            missing=found.missing,
            extra=found.extra,
            stale=found.stale,
            repaired=repaired,
            left=left,
            requests=self.client.requests,
            seconds=round(time.monotonic() - self.began, 3),
            run=run.run.id if run is not None else None,
        )

    def _bad(self) -> set[str]:
        """The keys of records that the last runs found not to fit."""
        runs = self.store.runs
        last = runs.newest(kind="sync", name=self.sync.name, connection=self.key.connection, limit=_RUNS)
        return {str(bad["id"]) for run in last for bad in runs.bad_records(run.id) if not bad["kept"]}

    def _cutting(self) -> Slices | None:
        return self.sync.incremental.slices if self.sync.incremental is not None else None

    async def _slices(self, source: Source, whole: Slice) -> list[Slice]:
        rules = self._cutting()
        if rules is None:
            return [whole]
        return await cut(whole, rules, lambda part: source.count(part, rules))

    async def _list(self, source: Source, whole: Slice, inventory: Inventory) -> None:
        async for ids in source.deleted():  # which the next run deletes
            inventory.add([Listed(id, pending=True, deleted=True) for id in ids])
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

    async def _repair(self, repair: Repair, source: Source, whole: Slice, inventory: Inventory) -> None:
        for differing in (inventory.missing(), inventory.stale()):
            for ids in list(differing):
                async for own, some in self._sources(source, whole, ids, inventory):
                    for start in range(0, len(some), TOGETHER):
                        await repair.read_again(own, whole, some[start : start + TOGETHER])
        for ids in list(inventory.extra()):
            repair.delete(ids)

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
