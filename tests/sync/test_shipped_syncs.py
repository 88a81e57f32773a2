"""Every file of syncs/ against the emulated org: by pages and by a job, deletes, and audits."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.definitions.resources import sample_folder
from runner.emulator.schema import ObjectType
from runner.emulator.testing import Org, start_org
from runner.store import Store
from runner.sync.audit import AuditResult, audit_sync
from runner.sync.matrix import expanded
from runner.sync.run import Options, Result, run_sync
from tests.auth.orgs import Ours

FILES = sorted(path.stem for path in (sample_folder() / "syncs").glob("*.yaml"))
#: what a sync must be given that has params without a default
GIVEN: dict[str, object] = {
    "soql": "SELECT Id, Name, Account.Name, Amount, IsClosed, CloseDate FROM Opportunity",
    "objects": ["Project__c"],
}
#: and what these read
READ = {"records-by-soql": "Opportunity", "objects": "Project__c"}
ROOT = Path(__file__).parents[2]


class Shipped(Ours):
    """One shipped sync, and an org that has everything."""

    def __init__(self, org: Org, store: Store, name: str) -> None:
        super().__init__(org, store)
        written = (ROOT / f"syncs/{name}.yaml").read_text()
        found = org._org.schema.get(READ.get(name) or re.findall(r"FROM (\w+)", written)[0])
        assert found is not None
        self.object: ObjectType = found
        self.definition = self.access.project.sync(name, "salesforce")
        self.make(Credentials(type="OAUTH2_CC"), self._place(bulk_above=1_000_000))
        client = self.access.client(self.connection)
        #: of those that a definition with a matrix stands for the only one
        (self.sync,) = self.run(lambda: expanded(self.definition, client, store))

    def _place(self, **params: object) -> NewConnection:
        given = {name: value for name, value in {**GIVEN, **params}.items() if name in self.definition.params}
        config = {"login_url": self.org.url}
        return NewConnection(id="demo", config=config, metadata={"params": given}, allow_local=True)

    def by_job(self) -> None:
        """Has everything be read by a job from now on."""
        self.make(Credentials(type="OAUTH2_CC"), self._place(bulk_above=0))

    def read(self, *, full: bool = False) -> Result:
        client = self.access.client(self.connection)
        return self.run(lambda: run_sync(self.sync, client, self.store, Options(full=full)))

    def audit(self, *, repair: bool = False) -> AuditResult:
        client = self.access.client(self.connection)
        return self.run(lambda: audit_sync(self.sync, client, self.store, repair=repair))

    def stored(self) -> dict[str, bytes]:
        stream = self.store.records.stream("salesforce", "demo", self.sync.model)
        return {record.id: record.payload for record in stream.all(states=["added", "updated"])}

    def at_the_org(self, payload: bytes) -> str:
        """The id that a stored record has at the org."""
        prefix = self.object.prefix
        ids = [one for one in orjson.loads(payload).values() if isinstance(one, str) and len(one) == 18]
        return next(id for id in ids if id.startswith(prefix))

    def copy(self, id: str) -> str:
        """A record like another one."""
        fields = [field for field in self.object.fields if field.createable and field.stored]
        columns = ", ".join(field.name for field in fields)
        (row,) = self.org.query(f"SELECT {columns} FROM {self.object.name} WHERE Id = '{id}'")
        values: Mapping[str, object] = {
            field.name: f"{secrets.token_hex(4)}{row[field.name]}" if field.unique else row[field.name]
            for field in fields
            if row[field.name] is not None
        }
        return self.org.create(self.object.name, values)


@pytest.fixture(params=FILES)
def shipped(request: pytest.FixtureRequest, store: Store) -> Iterator[Shipped]:
    with start_org(records=100) as org:
        yield Shipped(org, store, request.param)


def told(result: Result) -> tuple[int, int, int]:
    return result.added, result.updated, result.deleted


def test_it_reads_everything_and_a_job_stores_the_same_bytes(shipped: Shipped) -> None:
    first = shipped.read()
    by_pages = shipped.stored()
    assert 0 < len(by_pages) == first.added
    if isinstance(shipped.sync.fields, Mapping):
        # What is misspelt, or taken from a column that is not read, would be absent from every record.
        assert {name for row in by_pages.values() for name in orjson.loads(row)} == set(shipped.sync.fields)
    if all(call.operation.job is None for call in shipped.sync.fetch):
        return
    shipped.by_job()
    again = shipped.read(full=True)
    assert shipped.org.log("/jobs/query")
    assert told(again) == (0, 0, first.deleted)
    assert shipped.stored() == by_pages


def test_it_follows_a_record_that_is_created_deleted_and_restored(shipped: Shipped) -> None:
    shipped.read()
    before = shipped.stored()
    shipped.org.advance(3_600)
    new = shipped.copy(shipped.at_the_org(next(iter(before.values()))))
    assert told(shipped.read()) == (1, 0, 0)
    (key,) = shipped.stored().keys() - before.keys()
    if shipped.object.deletable:
        shipped.org.delete(shipped.object.name, new)
        assert told(shipped.read()) == (0, 0, 1)
        assert shipped.stored().keys() == before.keys()
        shipped.org.undelete(shipped.object.name, new)
        assert told(shipped.read()) == (1, 0, 0)
    assert shipped.stored().keys() == {*before, key}
    assert shipped.audit().status == "equal"


def test_an_audit_finds_and_mends_what_is_lost(shipped: Shipped) -> None:
    shipped.read()
    before = shipped.stored()
    assert shipped.audit().status == "equal"
    lost = next(iter(before))
    shipped.store.records.stream("salesforce", "demo", shipped.sync.model).delete([lost], 0.0)
    found = shipped.audit()
    assert (found.status, list(found.missing.ids), found.extra.count) == ("different", [lost], 0)
    assert shipped.audit(repair=True).repaired == 1
    assert shipped.audit().status == "equal"
    assert shipped.stored() == before


@pytest.mark.parametrize("shipped", ["knowledge-articles"], indirect=True)
def test_an_article_that_is_archived_is_deleted_and_drafts_are_left_out(shipped: Shipped) -> None:
    shipped.read()
    before = shipped.stored()
    assert len(before) == len(
        shipped.org.query("SELECT Id FROM Knowledge__kav WHERE PublishStatus = 'Online'")
    )
    shipped.org.advance(3_600)
    shipped.org.create("Knowledge__kav", Title="New", UrlName="new")
    key, payload = next(iter(before.items()))
    shipped.org.update("Knowledge__kav", shipped.at_the_org(payload), PublishStatus="Archived")
    assert told(shipped.read()) == (0, 0, 1)
    assert before.keys() - shipped.stored().keys() == {key}
    assert shipped.audit().status == "equal"
