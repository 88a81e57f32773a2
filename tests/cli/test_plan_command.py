"""`terapi plan`: what a changed definition will do, before it does it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.api import Api, Reply, Seen
from tests.cli.terapi import Terapi

AT = "2026-01-01T00:00:00Z"


def rows(*numbers: int) -> list[dict[str, object]]:
    return [{"id": str(n), "at": AT, "name": "a", "total": n} for n in range(*numbers)]


def pages(seen: Seen) -> Reply:
    """Two pages of twenty."""
    return Reply(
        {"orders": rows(20, 40)} if "p" in seen.query else {"orders": rows(20), "next": "/orders?p=2"}
    )


@pytest.fixture
def synced(connected: Terapi, api: Api) -> Terapi:
    """A project whose orders were read once, in three requests."""
    api.on("/orders", pages)
    connected("sync", "orders")
    api.seen.clear()
    return connected


def rewrite(terapi: Terapi, before: str, after: str) -> None:
    path = terapi.folder / "syncs" / "orders.yaml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def plan(terapi: Terapi, *args: str, code: int = 0) -> dict[str, object]:
    (found,) = json.loads(terapi("plan", *args, "--json", code=code))
    assert isinstance(found, dict)
    return found


def test_what_is_unchanged_goes_on(synced: Terapi, api: Api) -> None:
    assert synced("plan", "--check") == (
        "orders (demo): unchanged; the next run reads what changed since 2026-01-01T00:00:00.000Z\n"
    )
    assert plan(synced) == {
        "sync": "orders", "integration": "shop", "connection": "demo", "model": "Order", "status": "unchanged",
        "full": False, "unfinished": False, "checkpoint": "2026-01-01T00:00:00.000Z", "changes": [], "records": None, "requests": None,
        "seconds": None,
    }  # fmt: skip
    assert api.seen == []


def test_each_difference_is_shown_with_what_reading_anew_costs(synced: Terapi, api: Api) -> None:
    rewrite(synced, "{from: record.total, type: number}", "record.total, phone: record.phone")
    rewrite(synced, "name: record.name, ", "")
    said = synced("plan", "orders", "--check", code=1)
    assert said.startswith("orders (demo): changed; the next run reads everything: about 40 records, ")
    assert said.splitlines()[0].endswith(" 3 requests, under a second")
    assert said.splitlines()[1:] == [
        "  ~ fields.total: number → any",
        "  + fields.phone: record.phone",
        "  - fields.name",
    ]
    found = plan(synced)
    assert (found["status"], found["full"], found["records"], found["requests"]) == ("changed", True, 40, 3)
    assert found["changes"] == [
        {"change": "retyped", "key": "fields.total", "before": "number", "after": "any"},
        {"change": "added", "key": "fields.phone", "before": None, "after": "record.phone"},
        {"change": "removed", "key": "fields.name", "before": "record.name", "after": None},
    ]
    assert api.seen == []


def test_after_the_next_run_nothing_differs_any_more(synced: Terapi) -> None:
    rewrite(synced, "name: record.name, ", "")
    before = json.loads(synced("records", "Order", "--json"))
    assert plan(synced)["status"] == "changed"
    assert json.loads(synced("records", "Order", "--json")) == before
    synced("sync", "orders")
    assert plan(synced)["status"] == "unchanged"
    rewrite(synced, "{id: record.id, ", "{id: record.id, name: record.name, ")
    assert [one["key"] for one in plan(synced)["changes"]] == ["fields.name"]  # type: ignore[attr-defined]


def test_what_changes_nothing_that_is_stored_is_no_change(synced: Terapi) -> None:
    rewrite(synced, "lookback: 1m", "lookback: 2m")
    assert plan(synced, "--check")["status"] == "unchanged"


def test_another_model_is_told_with_the_one_before(synced: Terapi) -> None:
    rewrite(synced, "model: Order", "model: Purchase")
    found = plan(synced)
    assert (found["status"], found["full"], found["records"]) == ("changed", True, 40)
    assert found["changes"] == [{"change": "changed", "key": "model", "before": "Order", "after": "Purchase"}]


def test_a_sync_that_is_gone_leaves_its_records(synced: Terapi) -> None:
    rewrite(synced, "sync: orders", "sync: sales")
    assert synced("plan") == (
        "sales (demo): has not run yet; the first run reads everything\n"
        "orders (demo): no longer defined; 40 records of Order stay as they are\n"
    )
    assert synced("plan", "sales") == "sales (demo): has not run yet; the first run reads everything\n"


def test_a_run_that_was_cut_goes_on(synced: Terapi, api: Api) -> None:
    api.on(
        "/orders",
        lambda seen: (
            Reply({}, 400) if "p" in seen.query else Reply({"orders": rows(2), "next": "/orders?p=2"})
        ),
    )
    synced("sync", "orders", "--full", code=1)
    assert plan(synced)["full"] is False
    assert synced("plan") == "orders (demo): unchanged; the next run ends the one that was cut short\n"


def test_of_a_store_of_before_it_is_told_that_nothing_is_known(synced: Terapi) -> None:
    with sqlite3.connect(synced.folder / ".terapi/terapi.db") as database:
        database.execute("DELETE FROM outlines")
    database.close()
    assert plan(synced)["status"] == "unchanged"
    rewrite(synced, "name: record.name, ", "")
    assert plan(synced)["changes"] is None
    said = synced("plan", "--check", code=1)
    assert said.startswith(
        "orders (demo): changed, in what is not known; the next run reads everything: about 40 records"
    )


def test_where_nothing_is_kept_nothing_is_made(terapi: Terapi) -> None:
    assert terapi("plan", "--check", code=1) == (
        "orders: has not run yet, and there is no connection for it; the first run reads everything\n"
    )
    assert not (terapi.folder / ".terapi").exists()


def test_a_sync_that_always_reads_everything_says_so(synced: Terapi) -> None:
    rewrite(synced, "incremental: {cursor: record.at, lookback: 1m}\n", "")
    rewrite(synced, 'with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}', "with: {}")
    synced("sync", "orders")
    assert synced("plan").startswith(
        "orders (demo): unchanged; the next run reads everything: about 40 records, "
    )


def test_a_sync_that_fetches_once_for_each_parent_goes_on(synced: Terapi) -> None:
    rewrite(synced, "fetch:", "foreach: {items: [open, paid]}\nfetch:")
    (found,) = json.loads(synced("plan", "--json"))
    assert [one["key"] for one in found["changes"]] == ["foreach.items"]
    rewrite(synced, "use: list_orders, with: {", 'use: list_orders, with: {state: "{{ item }}", ')
    providers = synced.folder / "providers.yaml"
    text = providers.read_text().replace(
        "list_orders:\n      params: {", "list_orders:\n      params: {state: {type: string}, "
    )
    providers.write_text(
        text.replace(
            'query: {since: "{{ since }}", until', 'query: {state: "{{ state }}", since: "{{ since }}", until'
        )
    )
    synced("sync", "orders")
    assert synced("plan") == "orders (demo): unchanged; the next run reads what changed since the last one\n"


def in_kinds(terapi: Terapi, kinds: str, model: str = '"{{ matrix.kind }}"') -> None:
    """The orders' sync as one of several kinds."""
    path = terapi.folder / "syncs" / "orders.yaml"
    kept = [
        line
        for line in path.read_text().splitlines()
        if not line.startswith(("model:", "matrix:", "params:"))
    ]
    kept += [f"model: {model}", f"matrix: {{kind: {kinds}}}"]
    path.write_text("\n".join([*kept, "params: {kinds: {type: array, default: [Bill, Note]}}"]))


def told(terapi: Terapi, *args: str) -> list[tuple[object, object, object]]:
    found = json.loads(terapi("plan", *args, "--json"))
    return [(one["sync"], one["model"], one["status"]) for one in found]


def test_each_sync_of_a_matrix_is_told(connected: Terapi, api: Api) -> None:
    api.on("/orders", pages)
    in_kinds(connected, "[Bill, Note]")
    assert [one[::2] for one in told(connected)] == [("orders.Bill", "new"), ("orders.Note", "new")]
    connected("sync", "orders.Bill")
    assert [one[::2] for one in told(connected)] == [("orders.Bill", "unchanged"), ("orders.Note", "new")]
    connected("sync", "orders")
    in_kinds(connected, "[Bill, Letter]")
    assert [one[::2] for one in told(connected)] == [
        ("orders.Bill", "unchanged"), ("orders.Letter", "new"), ("orders.Note", "gone"),
    ]  # fmt: skip
    assert told(connected, "orders.Bill") == [("orders.Bill", "Bill", "unchanged")]
    in_kinds(connected, "[Bill]", '"{{ matrix.kind }}Line"')
    bill, note = json.loads(connected("plan", "--json"))
    assert [(one["key"], one["before"]) for one in bill["changes"]] == [("model", "Bill")]
    assert (note["sync"], note["status"], note["records"]) == ("orders.Note", "gone", 40)


def test_of_a_matrix_that_is_found_at_run_time_those_are_told_that_have_run(
    connected: Terapi, api: Api
) -> None:
    api.on("/orders", pages)
    in_kinds(connected, "params.kinds")
    assert [one[::2] for one in told(connected)] == [("orders", "new")]
    connected("sync", "orders")
    assert told(connected) == [("orders.Bill", "Bill", "unchanged"), ("orders.Note", "Note", "unchanged")]
    rewrite(connected, "name: record.name, ", "")
    assert [one[2] for one in told(connected)] == ["changed", "changed"]
    connected("plan", "orders.Bil", code=2)
    assert (
        "error: `orders` has no `orders.Bil` that has run\n  next: did you mean `orders.Bill`?"
        in connected.err
    )


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (["oders"], 2, "error: there is no sync `oders`\n  next: did you mean `orders`?"),
        (["--connection", "dmo"], 4, "error: there is no connection `dmo`\n  next: did you mean `demo`?"),
        (["other", "--connection", "demo"], 2,
         "error: `other` does not run on shop, which `demo` is a connection of\n  next: it runs on market"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said(synced: Terapi, given: list[str], code: int, told: str) -> None:
    other(synced.folder)
    synced("plan", *given, code=code)
    assert told in synced.err


def other(folder: Path) -> None:
    """A second integration, and a sync that runs on it alone."""
    providers = folder / "providers.yaml"
    providers.write_text(f"{providers.read_text()}\nmarket: {{alias: shop}}\n")
    text = (folder / "syncs/orders.yaml").read_text()
    text = (
        text.replace("sync: orders", "sync: other")
        .replace("[shop]", "[market]")
        .replace("model: Order", "model: Other")
    )
    (folder / "syncs/other.yaml").write_text(text)


def test_of_one_connection_only_what_runs_there_is_told(synced: Terapi) -> None:
    other(synced.folder)
    assert [one["sync"] for one in json.loads(synced("plan", "--connection", "demo", "--json"))] == ["orders"]
    assert [one["sync"] for one in json.loads(synced("plan", "--json"))] == ["orders", "other"]
