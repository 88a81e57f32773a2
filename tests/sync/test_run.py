"""Syncs against a real HTTP API: what is asked for, what is stored, and what a killed run leaves behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from runner.calls.access import Access
from runner.definitions.conversions import instant
from runner.definitions.project import Project
from runner.errors import CallError, RecordError, UsageError
from runner.store import Connection, SyncKey
from runner.sync.run import Options, Result, run_sync
from tests.api import Api, Reply, Seen
from tests.conftest import ORDERS

KEY = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")


def order(id: str, at: str, **values: object) -> dict[str, object]:
    return {"id": id, "at": at, "name": f"order {id}", "total": "1.50", **values}


def sync(access: Access, connection: Connection, *, full: bool = False) -> Result:
    async def inside() -> Result:
        async with access:
            definition = access.project.sync("orders")
            return await run_sync(definition, access.client(connection), access.store, Options(full=full))

    return asyncio.run(inside())


def stored(access: Access) -> dict[str, dict[str, object]]:
    stream = access.store.records.stream("shop", "demo", "Order")
    return {record.id: orjson.loads(record.payload) for record in stream.all(states=["added", "updated"])}


def source(api: Api, rows: list[dict[str, object]]) -> None:
    """An API that answers the window it is asked for, two records a page."""

    def orders(seen: Seen) -> Reply:
        since, until, start = (
            seen.query["since"],
            seen.query.get("until", "9"),
            int(seen.query.get("start", "0")),
        )
        found = sorted(
            (row for row in rows if since <= str(row["at"]) < until), key=lambda row: str(row["at"])
        )
        more = f"/orders?since={since}&until={until}&start={start + 2}" if start + 2 < len(found) else None
        return Reply({"orders": found[start : start + 2], "next": more})

    api.on("/orders", orders)


def test_the_first_run_stores_everything(access: Access, connection: Connection, api: Api) -> None:
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)])
    result = sync(access, connection)
    assert (result.read, result.added, result.updated, result.deleted, result.unchanged) == (5, 5, 0, 0, 0)
    assert result.checkpoint == "2026-01-05T00:00:00.000Z"
    assert stored(access)["1"] == {"id": "1", "name": "order 1", "total": 1.5}


def test_the_next_run_asks_from_the_checkpoint_less_the_lookback(
    access: Access, connection: Connection, api: Api
) -> None:
    rows = [
        order("1", "2026-01-01T00:00:00Z"),
        order("2", "2026-01-01T00:00:30Z"),
        order("3", "2025-06-01T00:00:00Z"),
    ]
    source(api, rows)
    sync(access, connection)
    rows[1] = order("2", "2026-01-01T00:01:00Z", name="changed")
    rows[0] = order("1", "2026-01-01T00:00:45Z", gone=True)
    rows.append(order("late", "2026-01-01T00:00:10Z"))
    result = sync(access, connection)
    assert (result.read, result.added, result.updated, result.deleted) == (3, 1, 1, 1)
    asked = [seen.query["since"] for seen in api.seen if seen.path == "/orders"]
    assert asked[-1] == "2025-12-31T23:59:30.000Z"


def test_a_run_with_nothing_new_costs_two_requests(access: Access, connection: Connection, api: Api) -> None:
    source(api, [order("1", "2026-01-01T00:00:00Z")])
    sync(access, connection)
    result = sync(access, connection)
    assert (result.requests, result.unchanged, result.added) == (2, 1, 0)


def test_the_window_ends_with_the_servers_second(access: Access, connection: Connection, api: Api) -> None:
    source(api, [])
    sync(access, connection)
    until = next(seen.query["until"] for seen in api.seen if seen.path == "/orders")
    assert instant(until).timestamp() == access.store.states.get(KEY).last_run + 1  # type: ignore[operator]


def test_a_cut_run_goes_on_at_the_page_where_it_was(access: Access, connection: Connection, api: Api) -> None:
    rows = [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)]
    source(api, rows)
    whole = api.handlers["/orders"]
    api.on("/orders", lambda seen: Reply({}, 400) if seen.query.get("start") == "4" else whole(seen))
    with pytest.raises(CallError):
        sync(access, connection)
    state = access.store.states.get(KEY)
    assert state.checkpoint is None
    assert state.progress is not None
    assert len(stored(access)) == 4
    api.seen.clear()
    api.on("/orders", whole)
    result = sync(access, connection)
    assert [seen.query["start"] for seen in api.seen if seen.path == "/orders"] == ["4"]
    assert (result.read, result.added, result.checkpoint) == (1, 1, "2026-01-05T00:00:00.000Z")
    assert access.store.states.get(KEY).progress is None


def test_pages_that_the_api_has_forgotten_are_read_again(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)])
    whole = api.handlers["/orders"]
    forgot: list[str] = []

    def orders(seen: Seen) -> Reply:
        if seen.query.get("start") == "2" and not forgot:
            forgot.append("once")
            return Reply({"code": "GONE"}, 400)
        return whole(seen)

    api.on("/orders", orders)
    result = sync(access, connection)
    assert (result.added, result.unchanged, len(stored(access))) == (5, 2, 5)


def test_a_full_run_reads_everything_again(access: Access, connection: Connection, api: Api) -> None:
    source(api, [order("1", "2026-01-01T00:00:00Z"), order("2", "2025-01-01T00:00:00Z")])
    sync(access, connection)
    result = sync(access, connection, full=True)
    assert (result.read, result.unchanged) == (2, 2)


def test_a_changed_definition_reads_everything_again(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    source(api, [order("1", "2026-01-01T00:00:00Z"), order("2", "2025-01-01T00:00:00Z")])
    sync(access, connection)
    (folder / "syncs/orders.yaml").write_text(ORDERS.replace("name: record.name", "title: record.name"))
    access.project = Project.load(folder).checked()
    assert sync(access, connection).updated == 2
    assert stored(access)["2"] == {"id": "2", "title": "order 2", "total": 1.5}


def test_deletes_that_the_api_tells(access: Access, connection: Connection, api: Api, folder: Path) -> None:
    text = ORDERS.replace(
        "{when: record.gone}", '{use: gone_orders, with: {since: "{{ last_run }}"}, id: record.id}'
    )
    (folder / "syncs/orders.yaml").write_text(text)
    access.project = Project.load(folder).checked()
    source(api, [order("1", "2026-01-01T00:00:00Z"), order("2", "2026-01-01T00:00:00Z")])
    api.on("/gone", Reply({"gone": [{"id": "1"}, {"id": "never seen"}]}))
    assert sync(access, connection).deleted == 0
    assert sync(access, connection).deleted == 1
    assert list(stored(access)) == ["2"]


def test_what_a_full_read_misses_is_deleted(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    text = ORDERS.replace("{when: record.gone}", "{missing: true}").replace(
        "incremental: {cursor: record.at, lookback: 1m}\n", ""
    )
    text = text.replace(', with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}', "")
    (folder / "syncs/orders.yaml").write_text(text)
    access.project = Project.load(folder).checked()
    api.on("/orders", Reply({"orders": [order("1", "x"), order("2", "x")]}))
    assert sync(access, connection).added == 2
    api.on("/orders", Reply({"orders": [order("2", "x")]}))
    result = sync(access, connection)
    assert (result.unchanged, result.deleted) == (1, 1)


def test_a_value_that_does_not_fit_is_told_and_nothing_of_its_page_is_kept(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, [order("1", "2026-01-01T00:00:00Z"), order("2", "2026-01-02T00:00:00Z", total="much")])
    with pytest.raises(RecordError) as caught:
        sync(access, connection)
    assert caught.value.message == "`total`: the text 'much' is no number"
    assert str(caught.value.where).startswith("syncs/orders.yaml:9:")
    assert stored(access) == {}


def test_two_runs_at_once_do_not_mix(access: Access, connection: Connection, api: Api) -> None:
    held = access.store.lock("sync:orders:shop:demo")
    assert held.acquire()
    with pytest.raises(UsageError, match="`orders` is running already for `demo`"):
        sync(access, connection)
    held.release()
