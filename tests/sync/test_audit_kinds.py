"""Every kind of difference, planted on its own and all together: named, explained, repaired, and nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from runner.calls.access import Access
from runner.calls.client import Client
from runner.errors import RecordError
from runner.store import Connection, Store
from runner.sync.audit import audit_sync
from runner.sync.differences import AuditResult
from runner.sync.run import run_sync
from tests.api import Api, Reply, Seen
from tests.conftest import ORDERS, PROVIDERS

OPERATIONS = """
    some_orders:
      params: {ids: {type: array}}
      request: {path: /some, query: {ids: "{{ ids | join(',') }}"}}
      records: response.body.orders
"""
#: days as slices, so that their edges are known
SYNC = f"""{ORDERS.replace("lookback: 1m", "lookback: 1m, start: 2026-01-01T00:00:00Z, slices: {by: 1d}")}
on_bad_record: skip
audit:
  use: list_orders
  with: {{since: "{{{{ slice.from }}}}", until: "{{{{ slice.to }}}}"}}
  id: record.id
  deleted: record.gone
  repair: {{use: some_orders, with: {{ids: "{{{{ ids }}}}"}}}}
"""
LATE = "perhaps they became visible more than the lookback of 60 s after their time"


@pytest.fixture
def folder(folder: Path) -> Path:
    (folder / "providers.yaml").write_text(PROVIDERS.rstrip() + OPERATIONS)
    orders = SYNC.replace(
        "total: {from: record.total, type: number}",
        "total: {from: record.total, type: number}, at: {from: record.at, type: timestamp}",
    )
    (folder / "syncs" / "orders.yaml").write_text(orders)
    return folder


class Shop:
    """A source and what was stored of it: a record for each hour of ten days."""

    def __init__(self, access: Access, connection: Connection, api: Api, store: Store) -> None:
        self.access = access
        self.connection = connection
        self.store = store
        self.rows: dict[str, dict[str, object]] = {}
        for hour in range(240):
            at = f"2026-01-{1 + hour // 24:02}T{hour % 24:02}:00:00.000Z"
            self.put(f"r{hour:03}", at)
        #: asked for by the repair
        self.asked: set[str] = set()
        api.on("/orders", lambda seen: self.listed(seen.query["since"], seen.query["until"]))
        api.on("/some", self.some)

    def put(self, id: str, at: str, **values: object) -> None:
        self.rows[id] = {"id": id, "at": at, "name": id, "total": 1, **values}

    def listed(self, since: str, until: str) -> Reply:
        return Reply({"orders": [row for row in self.rows.values() if since <= str(row["at"]) < until]})

    def some(self, seen: Seen) -> Reply:
        """More than was asked for, which must not be stored."""
        ids = seen.query["ids"].split(",")
        self.asked |= set(ids)
        return Reply({"orders": [self.rows[id] for id in [*ids, "r239", "late"] if id in self.rows]})

    def sync(self) -> None:
        self._run(lambda client: run_sync(self.access.project.sync("orders"), client, self.store))

    def audit(self, *, repair: bool = False) -> AuditResult:
        sync = self.access.project.sync("orders")
        found = self._run(lambda client: audit_sync(sync, client, self.store, repair=repair))
        assert isinstance(found, AuditResult)
        return found

    def _run(self, work: Callable[[Client], object]) -> object:
        async def inside() -> object:
            async with self.access:
                return await work(self.access.client(self.connection))  # type: ignore[misc]

        return asyncio.run(inside())

    def tamper(self, statement: str, *given: object) -> None:
        with sqlite3.connect(self.store.database.path) as database:
            assert database.execute(statement, given).rowcount == 1
        database.close()

    def stored(self) -> dict[str, tuple[str, bytes, int]]:
        stream = self.store.records.stream("shop", "demo", "Order")
        return {row.id: (row.state, row.payload, row.cursor) for row in stream.all()}


@pytest.fixture
def shop(access: Access, connection: Connection, api: Api, store: Store) -> Shop:
    found = Shop(access, connection, api, store)
    found.sync()
    assert found.audit().status == "equal"
    return found


class Kind(NamedTuple):
    """A difference: how it is planted, and what is told of it."""

    plant: Callable[[Shop], None]
    ids: list[str]
    why: str


def stale_payload(shop: Shop, id: str, at: str) -> None:
    shop.tamper(
        "UPDATE records SET payload = json_set(payload, '$.at', ?), hash = x'00' WHERE id = ?", at, id
    )


def goes(shop: Shop, id: str) -> None:
    del shop.rows[id]


MISSING = {
    "committed late": Kind(lambda s: s.put("l1", "2026-01-03T05:30:00.000Z"), ["l1"], f"never stored: {LATE}"),
    "lost from the store": Kind(
        lambda s: s.tamper("DELETE FROM records WHERE id = 'r010'"), ["r010"], f"never stored: {LATE}"
    ),
    "at a slice's edge": Kind(
        lambda s: s.tamper("DELETE FROM records WHERE id = 'r048'"), ["r048"], f"never stored: {LATE}"
    ),
    "in other letters": Kind(lambda s: s.put("R011", "2026-01-01T11:00:00.000Z"), ["R011"], f"never stored: {LATE}"),
    "undeleted with its old time": Kind(
        lambda s: s.tamper("UPDATE records SET state = 2, deleted_at = 1 WHERE id = 'r012'"), ["r012"],
        "stored as deleted: perhaps they came back at the source without a newer time",
    ),
}  # fmt: skip
EXTRA = {
    "erased for good": Kind(
        lambda s: goes(s, "r020"), ["r020"],
        "the source does not list them: erased for good, or hidden from who is connected",
    ),
    "deleted with its old time": Kind(
        lambda s: s.put("r021", "2026-01-01T21:00:00.000Z", gone=True), ["r021"],
        "the source tells them as deleted, at a time that was read already",
    ),
    "under another key": Kind(
        lambda s: s.tamper("UPDATE records SET id = 'R239' WHERE id = 'r022'") or goes(s, "r022"), ["R239"],  # type: ignore[func-returns-value]
        "the source does not list them: erased for good, or hidden from who is connected",
    ),
}  # fmt: skip
STALE = {
    "changed late": Kind(
        lambda s: s.put("r030", "2026-01-04T00:00:00.000Z", name="new"), ["r030"],
        f"stored as they were before: {LATE}",
    ),
    "changed at a slice's edge": Kind(
        lambda s: stale_payload(s, "r072", "2026-01-03T23:59:59.999Z"), ["r072"],
        f"stored as they were before: {LATE}",
    ),
    "a source that went back": Kind(
        lambda s: stale_payload(s, "r031", "2026-01-09T00:00:00.000Z"), ["r031"],
        "stored newer than they are at the source: it went back, as by a restored backup",
    ),
    "stored without a time": Kind(
        lambda s: s.tamper("UPDATE records SET payload = '{}', hash = x'00' WHERE id = 'r032'"), ["r032"],
        "stored without the time that the source tells",
    ),
}  # fmt: skip
KINDS = [
    (field, name, kind)
    for field, kinds in (("missing", MISSING), ("extra", EXTRA), ("stale", STALE))
    for name, kind in kinds.items()
]


def found(result: AuditResult) -> dict[str, list[str]]:
    return {name: list(getattr(result, name).ids) for name in ("missing", "extra", "stale")}


def as_at_the_source(shop: Shop) -> bool:
    kept = {
        id: orjson.loads(payload) for id, (state, payload, _) in shop.stored().items() if state != "deleted"
    }
    there = {
        id: {"id": id, "name": row["name"], "total": 1, "at": row["at"]}
        for id, row in shop.rows.items()
        if not row.get("gone")
    }
    return kept == there


@pytest.mark.parametrize(("field", "kind"), [(f, k) for f, _, k in KINDS], ids=[name for _, name, _ in KINDS])
def test_each_kind_is_named_explained_and_repaired_alone(shop: Shop, field: str, kind: Kind) -> None:
    kind.plant(shop)
    before = shop.stored()
    result = shop.audit()
    assert result.status == "different"
    assert found(result) == {"missing": [], "extra": [], "stale": [], field: kind.ids}
    difference = getattr(result, field)
    assert [(reason.count, reason.why) for reason in difference.reasons] == [(1, kind.why)]
    assert shop.stored() == before
    repaired = shop.audit(repair=True)
    assert (repaired.status, repaired.repaired, repaired.left) == ("repaired", 1, 0)
    changed = {id for id, row in shop.stored().items() if row != before.get(id)}
    assert changed == set(kind.ids)
    assert shop.asked <= set(kind.ids)
    assert (shop.audit().status, as_at_the_source(shop)) == ("equal", True)


def test_all_kinds_together_with_what_is_pending(shop: Shop) -> None:
    for _, _, kind in KINDS:
        kind.plant(shop)
    shop.put("late", "2026-01-11T00:00:01.000Z")
    shop.put("r100", "2026-01-11T00:00:02.000Z", name="changed")
    shop.put("r101", "2026-01-11T00:00:03.000Z", gone=True)
    result = shop.audit(repair=True)
    assert (result.status, result.pending, result.repaired) == ("repaired", 3, len(KINDS))
    assert found(result) == {
        name: sorted(id for field, _, kind in KINDS if field == name for id in kind.ids)
        for name in ("missing", "extra", "stale")
    }
    assert [reason.count for reason in result.missing.reasons] == [1, 4]
    kept = shop.stored()
    assert "late" not in kept
    assert [orjson.loads(kept[id][1])["name"] for id in ("r100", "r101")] == ["r100", "r101"]
    again = shop.audit()
    assert (again.status, again.pending) == ("equal", 3)
    shop.sync()
    assert (shop.audit().pending, as_at_the_source(shop)) == (0, True)


def test_what_was_passed_over_is_told_so_and_a_repair_passes_over_it_too(shop: Shop) -> None:
    shop.put("bad", "2026-01-11T00:00:00.000Z", total="much")
    shop.sync()
    result = shop.audit()
    assert [(reason.count, reason.why) for reason in result.missing.reasons] == [
        (1, "passed over by a run, as they do not fit: terapi runs show")
    ]
    goes(shop, "r001")
    result = shop.audit(repair=True)
    assert (result.status, result.repaired, result.left) == ("different", 1, 1)
    (run,) = shop.store.runs.newest(kind="audit")
    assert (run.id, run.name, run.status) == (result.run, "orders", "success")
    assert (run.output or {}) == result.as_data()
    (bad,) = shop.store.runs.bad_records(run.id)
    assert (bad["id"], bad["kept"], bad["message"]) == ("bad", False, "`total`: the text 'much' is no number")
    assert [event["message"] for event in shop.store.runs.events(run.id)][1:] == [
        "read 1 again; 1 could not be stored", "deleted 1 that are not at the source",
    ]  # fmt: skip
    shop.rows["bad"]["total"] = 1
    assert shop.audit(repair=True).status == "repaired"
    assert as_at_the_source(shop)


def test_where_bad_records_end_a_run_they_end_a_repair(
    folder: Path, access: Access, connection: Connection, api: Api, store: Store
) -> None:
    from runner.definitions.project import Project
    from tests.conftest import ENVIRON

    orders = folder / "syncs" / "orders.yaml"
    orders.write_text(orders.read_text().replace("on_bad_record: skip\n", ""))
    strict = Shop(Access(Project.load(folder).checked(), store, ENVIRON), connection, api, store)
    strict.sync()
    strict.put("bad", "2026-01-03T05:30:00.000Z", total="much")
    with pytest.raises(RecordError, match="record 1 of page 1"):
        strict.audit(repair=True)
    (run,) = store.runs.newest(kind="audit")
    assert run.status == "failed"


def test_what_the_source_does_not_give_by_its_key_is_left(shop: Shop, api: Api) -> None:
    shop.tamper("DELETE FROM records WHERE id = 'r005'")
    api.on("/some", Reply({"orders": []}))
    result = shop.audit(repair=True)
    assert (result.status, result.repaired, result.left) == ("different", 0, 1)


def test_what_changed_without_a_newer_time_cannot_be_seen(shop: Shop) -> None:
    shop.rows["r007"]["name"] = "silently"
    assert shop.audit().status == "equal"
