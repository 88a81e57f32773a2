"""A dry run of a sync: what the first page would change, and that nothing is written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import CallError, RecordError
from runner.store import Connection
from runner.sync.preview import Preview, preview_sync
from tests.api import Api, Reply
from tests.conftest import ORDERS
from tests.sync.test_run import KEY, order, source, stored, sync


def preview(access: Access, connection: Connection, *, full: bool = False) -> Preview:
    """The preview, while the state must stay as it is, to the letter."""

    async def inside() -> Preview:
        async with access:
            definition = access.project.sync("orders")
            return await preview_sync(definition, access.client(connection), access.store, full=full)

    before = everything(access)
    found = asyncio.run(inside())
    assert everything(access) == before
    return found


def everything(access: Access) -> list[list[tuple[object, ...]]]:
    tables = access.store.database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [
        [tuple(row) for row in access.store.database.rows(f"SELECT * FROM {table['name']}")]
        for table in tables
    ]


def counts(found: Preview) -> tuple[int, int, int, int]:
    result = found.result
    return result.added, result.updated, result.deleted, result.unchanged


def test_a_first_page_is_counted_and_nothing_is_stored(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)])
    found = preview(access, connection)
    assert (counts(found), found.more, found.result.status) == ((2, 0, 0, 0), True, "dry-run")
    assert [sample._asdict() for sample in found.samples] == [
        {"change": "added", "id": n, "record": {"id": n, "name": f"order {n}", "total": 1.5}} for n in "12"
    ]
    assert api.paths().count("GET /orders") == 1
    assert access.store.runs.newest() == []


def test_a_page_is_held_against_what_is_stored(access: Access, connection: Connection, api: Api) -> None:
    rows = [order(str(n), "2026-01-01T00:00:00Z") for n in range(1, 5)]
    api.on("/orders", Reply({"orders": rows}))
    sync(access, connection)
    rows[1] = order("2", "2026-01-01T00:00:00Z", name="changed")
    rows[2] = order("3", "2026-01-01T00:00:00Z", gone=True)
    rows += [order("5", "2026-01-02T00:00:00Z"), order("6", "2026-01-02T00:00:00Z", gone=True)]
    api.on("/orders", Reply({"orders": rows}))
    found = preview(access, connection)
    assert (counts(found), found.more, found.result.read) == ((1, 1, 1, 2), False, 6)
    assert found.result.checkpoint == "2026-01-01T00:00:00.000Z"
    assert [(sample.change, sample.id, sample.record is None) for sample in found.samples] == [
        ("added", "5", False),
        ("updated", "2", False),
        ("deleted", "3", True),
        ("unchanged", "1", False),
        ("unchanged", "4", False),
    ]
    assert sync(access, connection).deleted == 1


def test_it_begins_where_a_run_would(access: Access, connection: Connection, api: Api) -> None:
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)])
    whole = api.handlers["/orders"]
    api.on("/orders", lambda seen: Reply({}, 400) if seen.query.get("start") == "4" else whole(seen))
    with pytest.raises(CallError):
        sync(access, connection)
    api.on("/orders", whole)
    assert [sample.id for sample in preview(access, connection).samples] == ["5"]
    assert access.store.states.get(KEY).progress is not None
    sync(access, connection)
    assert [sample.id for sample in preview(access, connection).samples] == ["5"]
    assert [sample.id for sample in preview(access, connection, full=True).samples] == ["1", "2"]


def test_a_page_that_could_not_be_stored_is_told(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    source(api, [order("1", "no time")])
    (folder / "syncs/orders.yaml").write_text(
        ORDERS.replace("lookback: 1m", "lookback: 1m, start: 2026-01-01")
    )
    access.project = Project.load(folder).checked()
    api.on("/orders", Reply({"orders": [order("1", "no time")]}))
    with pytest.raises(RecordError, match=r"record 1 of page 1 \(`1`\): its cursor is not usable"):
        preview(access, connection)
    assert stored(access) == {}
