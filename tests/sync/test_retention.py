"""Retention: a run empties what is older than its sync keeps it, and reads it again as unchanged."""

from __future__ import annotations

import asyncio
from pathlib import Path

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Connection, Store
from runner.sync.run import Options, Result, run_sync
from tests.api import Api, Reply
from tests.conftest import ENVIRON, ORDERS

DAY = 86_400


def run(access: Access, connection: Connection, *, full: bool = False) -> Result:
    async def inside() -> Result:
        async with access:
            sync = access.project.sync("orders")
            return await run_sync(sync, access.client(connection), access.store, Options(full=full))

    return asyncio.run(inside())


def keeping(folder: Path, store: Store, retention: str) -> Access:
    (folder / "syncs" / "orders.yaml").write_text(f"{ORDERS}retention: {retention}\n")
    return Access(Project.load(folder).checked(), store, ENVIRON)


def test_what_is_older_is_emptied_after_the_run_and_stays_so(
    folder: Path, store: Store, connection: Connection, api: Api
) -> None:
    rows = [{"id": str(n), "at": "2026-01-01T00:00:00Z", "name": f"order {n}", "total": n} for n in range(5)]
    api.on("/orders", lambda seen: Reply({"orders": rows}))
    access = keeping(folder, store, "{changed: 90d, deleted: 7d}")
    assert run(access, connection).pruned == 0
    store.database.run("UPDATE records SET changed_at = changed_at - ?", (91 * DAY,))
    rows[4]["total"] = 9
    stream = store.records.stream("shop", "demo", "Order")
    again = run(access, connection, full=True)
    assert (again.updated, again.unchanged, again.pruned) == (1, 4, 4)
    assert [row.id for row in stream.read() if row.pruned_at is None] == ["4"]
    rows[4]["gone"] = True
    again = run(access, connection, full=True)
    assert (again.unchanged, again.deleted, again.pruned) == (4, 1, 0)
    store.database.run("UPDATE records SET changed_at = changed_at - ? WHERE id = '4'", (8 * DAY,))
    assert run(access, connection).pruned == 1
    assert all(row.payload == b"" for row in stream.read())
    newest = store.runs.newest()[0]
    assert "pruned 1 record" in [event["message"] for event in store.runs.events(newest.id)]


def test_records_are_pruned_many_batches_long(
    folder: Path, store: Store, connection: Connection, api: Api
) -> None:
    api.on("/orders", Reply({"orders": []}))
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([(str(n), b"{}") for n in range(5_001)], 1.0)
    assert run(keeping(folder, store, "{changed: 1d}"), connection).pruned == 5_001


def test_a_sync_that_reads_parent_by_parent_prunes_as_well(
    folder: Path, store: Store, connection: Connection, api: Api
) -> None:
    api.on("/orders", Reply({"orders": []}))
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([("old", b"{}")], 1.0)
    access = keeping(folder, store, "{changed: 1d}\nforeach: {items: [a, b]}")
    assert run(access, connection).pruned == 1
