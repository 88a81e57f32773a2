"""Syncs against a real HTTP API: what is asked for, what is stored, and what a killed run leaves behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from runner.calls.access import Access
from runner.definitions.conversions import format_instant, instant
from runner.definitions.project import Project
from runner.errors import CallError, RecordError, UsageError
from runner.store import Connection, SyncKey
from runner.sync.run import Options, Result, run_sync
from tests.api import Api, Reply, Seen
from tests.conftest import ORDERS

KEY = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")


def order(id: str, at: str, **values: object) -> dict[str, object]:
    return {"id": id, "at": at, "name": f"order {id}", "total": "1.50", **values}


def sync(access: Access, connection: Connection, *, name: str = "orders", full: bool = False) -> Result:
    async def inside() -> Result:
        async with access:
            definition = access.project.sync(name)
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


def test_what_changes_behind_the_page_that_is_read_comes_with_the_next_run(
    access: Access, connection: Connection, api: Api
) -> None:
    """An API that knows no end of a window: its second page has a later change than the one that was missed."""
    now = datetime.now(UTC)
    seconds = [format_instant(now + timedelta(seconds=n)) for n in range(40)]
    rows = [order("1", "2026-01-01T00:00:00Z"), order("2", seconds[30])]

    def orders(seen: Seen) -> Reply:
        found = [row for row in rows if str(row["at"]) >= seen.query["since"]]
        if "start" in seen.query or len(found) == 1:
            return Reply({"orders": found[1:] if "start" in seen.query else found})
        return Reply({"orders": found[:1], "next": f"/orders?since={seen.query['since']}&start=1"})

    api.on("/orders", orders)
    first = sync(access, connection)
    assert instant(first.checkpoint) <= datetime.now(UTC)
    rows[0] = order("1", seconds[20], name="changed meanwhile")
    sync(access, connection)
    assert stored(access)["1"]["name"] == "changed meanwhile"


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
    starts = [seen.query.get("start") for seen in api.seen if seen.path == "/orders"]
    # Behind the last page of the window that was cut, what has changed since.
    assert starts == ["4", None]
    assert (result.read, result.added, result.checkpoint) == (2, 1, "2026-01-05T00:00:00.000Z")
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


def test_deletes_may_use_the_vars(access: Access, connection: Connection, api: Api, folder: Path) -> None:
    text = ORDERS.replace(
        "{when: record.gone}", '{use: gone_orders, with: {since: "{{ since }}"}, id: record.id}'
    )
    (folder / "syncs/orders.yaml").write_text(text + 'vars: {since: "{{ slice.from }}"}\n')
    access.project = Project.load(folder).checked()
    source(api, [order("1", "2026-01-01T00:00:00Z")])
    api.on("/gone", Reply({"gone": [{"id": "1"}]}))
    sync(access, connection)
    assert sync(access, connection).deleted == 1
    assert [seen.query["since"] for seen in api.seen if seen.path == "/gone"] == ["2025-12-31T23:59:00.000Z"]


def test_a_full_run_after_one_that_was_cut_reads_everything(
    access: Access, connection: Connection, api: Api
) -> None:
    """What was cut had begun at the checkpoint: to go on with it would be no full run."""
    rows = [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 4)]
    source(api, rows)
    sync(access, connection)
    rows += [order(str(n), "2026-01-03T00:00:10Z") for n in range(4, 7)]
    whole = api.handlers["/orders"]
    api.on("/orders", lambda seen: Reply({}, 400) if seen.query.get("start") == "2" else whole(seen))
    with pytest.raises(CallError):
        sync(access, connection)
    api.on("/orders", whole)
    assert sync(access, connection, full=True).read == 6


def test_a_run_is_kept_with_what_it_did(access: Access, connection: Connection, api: Api) -> None:
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 4)])
    result = sync(access, connection)
    (run,) = access.store.runs.newest()
    assert (run.kind, run.name, run.connection, run.status) == ("sync", "orders", "demo", "success")
    assert run.output == result.as_data()
    assert [event["message"] for event in access.store.runs.events(run.id)] == [
        f"reads from 1970-01-01T00:00:00.000Z to {window_end(api)}",
        "page 1: 2 read, 2 added, 0 updated, 0 deleted, 0 unchanged",
        "page 2: 1 read, 1 added, 0 updated, 0 deleted, 0 unchanged",
    ]


def window_end(api: Api) -> str:
    return next(seen.query["until"] for seen in api.seen if seen.path == "/orders")


def test_a_run_that_failed_is_kept_with_what_it_read_before(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 4)])
    whole = api.handlers["/orders"]
    api.on("/orders", lambda seen: Reply({}, 400) if seen.query.get("start") == "2" else whole(seen))
    with pytest.raises(CallError):
        sync(access, connection)
    (run,) = access.store.runs.newest()
    assert run.status == "failed"
    assert isinstance(run.output, dict)
    assert (run.output["read"], run.output["status"]) == (2, "running")
    assert (run.error or {})["kind"] == "bad_request"


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
    assert caught.value.message == "record 2 of page 1 (`2`): `total`: the text 'much' is no number"
    assert caught.value.hint == (
        'the record: {"id":"2","at":"2026-01-02T00:00:00Z","name":"order 2","total":"much"}. '
        "Go on without such records by `on_bad_record: skip`"
    )
    assert str(caught.value.where).startswith("syncs/orders.yaml:9:")
    assert stored(access) == {}


FULL = (
    ORDERS.replace("{when: record.gone}", "{missing: true}")
    .replace("incremental: {cursor: record.at, lookback: 1m}\n", "")
    .replace(', with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}', "")
)


def test_a_full_read_that_was_cut_keeps_what_it_saw_whatever_another_reads(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    """`orders` is cut, renamed, runs under the other name, is renamed back and goes on."""

    def defined(name: str) -> None:
        (folder / "syncs/orders.yaml").write_text(FULL.replace("sync: orders", f"sync: {name}"))
        access.project = Project.load(folder).checked()

    rows = [order(str(n), "x") for n in range(1, 5)]
    pages = [Reply({"orders": rows[:2], "next": "/orders?start=2"}), Reply({"orders": rows[2:]})]
    api.on("/orders", lambda seen: pages[1] if "start" in seen.query else pages[0])
    defined("orders")
    sync(access, connection)
    whole = api.handlers["/orders"]
    api.on("/orders", lambda seen: Reply({}, 400) if "start" in seen.query else whole(seen))
    with pytest.raises(CallError):
        sync(access, connection)
    api.on("/orders", whole)
    defined("all-orders")
    assert sync(access, connection, name="all-orders").unchanged == 4
    defined("orders")
    result = sync(access, connection)
    assert (result.read, result.deleted) == (2, 0)
    assert len(stored(access)) == 4


def test_two_runs_at_once_do_not_mix(access: Access, connection: Connection, api: Api) -> None:
    held = access.store.lock("sync:orders:shop:demo")
    assert held.acquire()
    with pytest.raises(UsageError, match="`orders` is running already for `demo`"):
        sync(access, connection)
    held.release()


def test_emptied_first_nothing_of_before_is_left(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    rows = [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)]
    source(api, rows)
    sync(access, connection)
    rows.pop(0)

    async def emptied() -> Result:
        async with access:
            definition = access.project.sync("orders")
            return await run_sync(definition, access.client(connection), access.store, Options(empty=True))

    result = asyncio.run(emptied())
    assert (result.added, result.deleted) == (4, 0)
    assert sorted(stored(access)) == ["2", "3", "4", "5"]
    stream = access.store.records.stream("shop", "demo", "Order")
    assert [record.cursor for record in stream.all()] == [6, 7, 8, 9]
