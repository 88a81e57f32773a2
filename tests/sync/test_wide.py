"""Any object of an org by its name, with the fields that describe tells, however many: by pages and by jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.emulator.testing import Org, start_org
from runner.errors import CallError
from runner.store import Store
from runner.sync.audit import audit_sync
from runner.sync.run import Options, Result, run_sync
from tests.auth.orgs import Ours
from tests.test_language_page import SHIPPED

ROOT = Path(__file__).parents[2]
NAME = "syncs/records-by-object.yaml"
AUDIT = """
audit:
  use: query_all
  with: {soql: "SELECT Id, IsDeleted, SystemModstamp FROM {{ params.object }} WHERE {{ changed }}"}
  id: record.Id
  deleted: record.IsDeleted
  repair: {use: query_all, with: {soql: "{{ soql }} WHERE Id IN {{ ids | soql_value }}"}}
"""


class Wide(Ours):
    """The sync of the language's page, for a project with 800 custom fields more."""

    def __init__(self, org: Org, store: Store, folder: Path) -> None:
        super().__init__(org, store)
        (folder / "syncs").mkdir()
        (folder / "providers.yaml").write_bytes((ROOT / "providers.yaml").read_bytes())
        (folder / NAME).write_text(SHIPPED[NAME] + AUDIT)
        self.access = Access(Project.load(folder).checked(), store, self.environ, self._wait)
        self.folder = folder

    def of(self, object: str, **params: object) -> None:
        """Connects, or connects again, for an object."""
        metadata = {"params": {"object": object, "page_size": 200, **params}}
        new = NewConnection(
            id="demo", config={"login_url": self.org.url}, metadata=metadata, allow_local=True
        )
        self.make(Credentials(type="OAUTH2_CC"), new)

    def sync(self, *, full: bool = False) -> Result:
        sync = self.access.project.sync("records-by-object", "salesforce")
        client = self.access.client(self.access.connection("demo"))
        return self.run(lambda: run_sync(sync, client, self.store, Options(full=full)))

    def kept(self) -> dict[str, bytes]:
        stream = self.store.records.stream("salesforce", "demo", "SalesforceRecord")
        return {row.id: row.payload for row in stream.all(states=["added", "updated"])}

    def queries(self) -> int:
        """How many queries there were, without those that count, and without their further pages."""
        return sum("SELECT" in seen.query for seen in self.org.log("/queryAll"))


@pytest.fixture
def wide(store: Store, tmp_path: Path) -> Iterator[Wide]:
    with start_org(records=5_000, custom_fields=("Project__c=800",)) as org:
        yield Wide(org, store, tmp_path)


def test_an_object_with_800_fields_is_the_same_by_pages_and_by_jobs(wide: Wide) -> None:
    wide.of("Project__c", bulk_above=1_000)
    result = wide.sync()
    assert (result.read, result.added) == (250, 250)
    by_pages = wide.kept()
    whole = [orjson.loads(payload) for payload in by_pages.values()]
    assert {len(record) for record in whole} == {len(whole[0])}
    assert sum(name.endswith("__c") for name in whole[0]) > 800
    record = next(one for one in whole if one["Yearly_Revenue_013__c"] is not None)
    assert isinstance(record["Yearly_Revenue_013__c"], float)
    assert record["SystemModstamp"].endswith("Z")
    wide.of("Project__c", bulk_above=100)
    by_job = wide.sync(full=True)
    assert (by_job.unchanged, by_job.updated) == (250, 0)
    assert wide.org.log("/jobs/query")
    assert wide.kept() == by_pages


def test_a_small_object_costs_no_call_more(wide: Wide) -> None:
    wide.of("Milestone__c")
    result = wide.sync()
    assert result.added == 500
    assert wide.queries() == 1


def test_what_changes_and_what_is_deleted(wide: Wide) -> None:
    wide.of("Project__c")
    wide.sync()
    first, second, *_ = sorted(wide.kept())
    wide.org.update("Project__c", first, Internal_Remark_792__c="changed")
    wide.org.delete("Project__c", second)
    wide.org.clear_log()
    result = wide.sync()
    assert (result.updated, result.deleted) == (1, 1)
    assert orjson.loads(wide.kept()[first])["Internal_Remark_792__c"] == "changed"
    # Nobody asks for the fields of what is deleted.
    asked = [
        seen.query for seen in wide.org.log("/queryAll") if "Id+IN" in seen.query or "Id%20IN" in seen.query
    ]
    assert asked
    assert not any(second in query for query in asked)


def test_an_audit_repairs_whole_records(wide: Wide) -> None:
    wide.of("Project__c")
    wide.sync()
    before = wide.kept()
    lost = min(before)
    stream = wide.store.records.stream("salesforce", "demo", "SalesforceRecord")
    stream.delete([lost], 0.0)
    sync = wide.access.project.sync("records-by-object", "salesforce")
    client = wide.access.client(wide.access.connection("demo"))
    assert wide.run(lambda: audit_sync(sync, client, wide.store, repair=True)).repaired == 1
    assert wide.kept() == before


def test_all_of_them_in_one_request_are_too_many(wide: Wide) -> None:
    whole = SHIPPED[NAME].replace("else columns | chunk(150)", "else [columns]")
    (wide.folder / NAME).write_text(whole)
    wide.access.project = Project.load(wide.folder).checked()
    wide.of("Project__c")
    with pytest.raises(CallError) as caught:
        wide.sync()
    assert (caught.value.kind, caught.value.status) == ("too_large", 414)


FAULTS = {
    "status:code=503,path=/queryAll,count=2,after=1": "success",
    "status:code=429,path=/queryAll,count=2,after=1": "success",
    "expire:path=/queryAll,count=1,after=1": "success",
    "reset:path=/queryAll,count=2,after=1": "success",
    "truncate:path=/queryAll,count=2,after=1": "success",
    "error:code=REQUEST_LIMIT_EXCEEDED,path=/queryAll,count=2,after=1": "success",
    "error:code=UNABLE_TO_LOCK_ROW,path=/queryAll,count=2,after=1": "success",
    "shuffle:path=/queryAll,after=1": "success",
    "status:code=503,path=/queryAll,after=1": "unavailable",
    "status:code=400,path=/queryAll,after=2,count=1": "bad_request",
    "error:code=API_DISABLED_FOR_ORG,path=/queryAll,after=2,count=1": "auth",
    "html:path=/queryAll,count=1,after=2": "not_json",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_fields_are_read_in_chunks(store: Store, tmp_path: Path, fault: str) -> None:
    with start_org(records=1_000, custom_fields=("Project__c=400",)) as org:
        wide = Wide(org, store, tmp_path)
        wide.of("Project__c")
        org.fault(fault)
        try:
            outcome = wide.sync().status
        except CallError as exc:
            outcome = exc.kind
        assert outcome == FAULTS[fault]
        org.clear_faults()
        assert wide.sync().status == "success"
        there = {str(row["Id"]): row for row in org.query("SELECT FIELDS(ALL) FROM Project__c LIMIT 200")}
        kept = {id: orjson.loads(payload) for id, payload in wide.kept().items()}
        assert set(kept) == set(there)
        for id, record in kept.items():
            assert {name: record[name] for name in record if name.startswith("Internal")} == {
                name: there[id][name] for name in there[id] if name.startswith("Internal")
            }
