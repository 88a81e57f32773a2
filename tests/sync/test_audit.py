"""Audits against a real HTTP org: each difference that was planted is found, told, and repaired."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator

import orjson
import pytest

from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.calls.client import Client
from runner.emulator.testing import start_org
from runner.errors import RunningAlready, UsageError
from runner.store import Connection, Store
from runner.sync.audit import AuditResult, audit_sync
from runner.sync.run import run_sync
from tests.auth.orgs import Ours


class Audited(Ours):
    """An org whose contacts were synced."""

    def sync(self) -> None:
        sync = self.access.project.sync("contacts", "salesforce")
        self.run(lambda: run_sync(sync, self.client(), self.store))

    def client(self) -> Client:
        return self.access.client(self.access.connection("demo"))

    def audit(self, *, repair: bool = False) -> AuditResult:
        sync = self.access.project.sync("contacts", "salesforce")
        return self.run(lambda: audit_sync(sync, self.client(), self.store, repair=repair))

    def tamper(self, statement: str, *given: object) -> None:
        """What no command would do to the store."""
        with sqlite3.connect(self.store.database.path) as database:
            assert database.execute(statement, given).rowcount == 1
        database.close()

    def ids(self) -> list[str]:
        return [record.id for record in self.store.records.stream("salesforce", "demo", "Contact").all()]


@pytest.fixture
def ours(store: Store) -> Iterator[Audited]:
    with start_org(records=300) as org:
        found = Audited(org, store)
        found.make(Credentials(type="OAUTH2_CC"))
        found.sync()
        yield found


def kinds(result: AuditResult) -> tuple[list[str], list[str], list[str]]:
    return list(result.missing.ids), list(result.extra.ids), list(result.stale.ids)


def test_what_is_equal_costs_few_requests(ours: Audited) -> None:
    result = ours.audit()
    assert (result.status, result.listed, result.stored, result.pending) == ("equal", 300, 300, 0)
    assert result.requests == 3
    assert kinds(result) == ([], [], [])


def test_each_difference_is_named_and_repaired(ours: Audited) -> None:
    first, second, third = ours.ids()[:3]
    ours.tamper("DELETE FROM records WHERE id = ?", first)
    ours.tamper(
        "UPDATE records SET payload = json_set(payload, '$.updated_at', 'x'), hash = x'00' WHERE id = ?",
        second,
    )
    ours.tamper("UPDATE records SET id = 'nobody' WHERE id = ?", third)
    found = ours.audit()
    assert found.status == "different"
    assert kinds(found) == (sorted([first, third]), ["nobody"], [second])
    assert (found.missing.count, found.extra.count, found.stale.count) == (2, 1, 1)
    repaired = ours.audit(repair=True)
    assert (repaired.status, repaired.repaired) == ("repaired", 4)
    assert ours.audit().status == "equal"
    rows = {
        r.id: orjson.loads(r.payload)
        for r in ours.store.records.stream("salesforce", "demo", "Contact").all()
    }
    assert rows[second]["updated_at"] != "x"


def test_a_record_erased_beyond_the_apis_memory_is_found(ours: Audited) -> None:
    gone = ours.ids()[7]
    ours.org.erase("Contact", gone)
    ours.sync()
    assert kinds(ours.audit()) == ([], [gone], [])
    assert ours.audit(repair=True).repaired == 1
    assert ours.audit().status == "equal"


def test_what_changed_since_the_last_run_is_left_to_the_next(ours: Audited) -> None:
    first, second = ours.ids()[:2]
    ours.org.advance(3_600)
    ours.org.update("Contact", first, Title="Countess")
    ours.org.delete("Contact", second)
    ours.org.create("Contact", LastName="Byron")
    result = ours.audit(repair=True)
    assert (result.status, result.pending, result.repaired) == ("equal", 3, 0)
    ours.sync()
    again = ours.audit()
    assert (again.status, again.listed, again.stored) == ("equal", 300, 300)


def test_a_sync_that_runs_is_not_audited_meanwhile(ours: Audited) -> None:
    with ours.store.lock("sync:contacts:salesforce:demo"), pytest.raises(RunningAlready) as caught:
        ours.audit()
    assert caught.value.message == "`contacts` is running for `demo`"


def test_a_sync_that_does_not_say_how_is_refused(access: Access, connection: Connection) -> None:
    async def inside() -> None:
        async with access:
            await audit_sync(access.project.sync("orders"), access.client(connection), access.store)

    with pytest.raises(UsageError) as caught:
        asyncio.run(inside())
    assert (caught.value.message, str(caught.value.where)) == (
        "`orders` does not say how it is audited", "syncs/orders.yaml:2:1",
    )  # fmt: skip


def test_of_a_pruned_record_it_counts_that_it_is_there(ours: Audited) -> None:
    stream = ours.store.records.stream("salesforce", "demo", "Contact")
    ours.store.pruning(stream).until(100, 1.0)
    ours.org.erase("Contact", ours.ids()[7])
    ours.sync()
    assert kinds(ours.audit()) == ([], [ours.ids()[7]], [])
    assert ours.audit(repair=True).repaired == 1
    assert sum(1 for row in stream.all() if row.pruned_at is not None) == 100
