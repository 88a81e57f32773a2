"""The rows of docs/faults.md, one by one: the fault, in each way of reading, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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
from runner.sync.run import Result, run_sync
from tests.auth.orgs import Ours

ROOT = Path(__file__).parents[2]
#: how the first load is read: the most records of a slice, and from how many on it is a job
WAYS = {
    "pages": (1_000_000, 1_000_000), "slices": (60, 1_000_000), "job": (1_000_000, 100),
    "enriched": (1_000_000, 1_000_000),
}  # fmt: skip
#: what a sync is further that enriches its records, some of them by a call for each
ENRICH = """
enrich:
  account:
    use: get_record
    with: {object: Account, id: "{{ record.AccountId }}"}
    each: record
    when: record.AccountId is present and record.FirstName is none
"""


class Row(NamedTuple):
    fault: str
    way: str
    #: success, or the kind of the error
    outcome: str


def rows() -> Iterator[Row]:
    for line in (ROOT / "docs/faults.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 4 and cells[0].startswith("`"):
            for way in cells[1].split(", "):
                yield Row(cells[0].strip("`"), way, cells[3].strip("` "))


class Loaded(Ours):
    """An org that is about to be read for the first time, in one way."""

    def __init__(self, org: Org, store: Store, folder: Path, way: str) -> None:
        super().__init__(org, store)
        #: the message of an error that does not say what to do
        self.untold: str | None = None
        most, bulk_above = WAYS[way]
        (folder / "syncs").mkdir()
        (folder / "providers.yaml").write_bytes((ROOT / "providers.yaml").read_bytes())
        written = (ROOT / "syncs/contacts.yaml").read_text()
        written = re.sub(r"most: \d+", f"most: {most}", written)
        if way == "enriched":
            written = written.replace("  email:", "  works_at: account.Name\n  email:") + ENRICH
        (folder / "syncs/contacts.yaml").write_text(written)
        self.access = Access(Project.load(folder).checked(), store, self.environ, self._wait)
        metadata = {"params": {"page_size": 200, "bulk_above": bulk_above}}
        new = NewConnection(id="demo", config={"login_url": org.url}, metadata=metadata, allow_local=True)
        self.make(Credentials(type="OAUTH2_CC"), new)

    def sync(self) -> Result:
        sync = self.access.project.sync("contacts", "salesforce")
        client = self.access.client(self.access.connection("demo"))
        return self.run(lambda: run_sync(sync, client, self.store))

    def outcome(self) -> str:
        try:
            return self.sync().status
        except CallError as exc:
            self.untold = None if exc.hint or exc.transient else exc.message
            return exc.kind

    def differences(self) -> int:
        sync = self.access.project.sync("contacts", "salesforce")
        client = self.access.client(self.access.connection("demo"))
        found = self.run(lambda: audit_sync(sync, client, self.store))
        return found.missing.count + found.extra.count + found.stale.count

    def kept(self, field: str) -> dict[str, object]:
        stream = self.store.records.stream("salesforce", "demo", "Contact").all(states=["added", "updated"])
        return {row.id: orjson.loads(row.payload).get(field) for row in stream}


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row.way}: {row.fault}")
def test_nothing_is_lost_and_nothing_twice(row: Row, store: Store, tmp_path: Path) -> None:
    with start_org(records=450, result_rows=100) as org:
        ours = Loaded(org, store, tmp_path, row.way)
        org.fault(row.fault)
        assert ours.outcome() == row.outcome
        assert ours.untold is None
        org.clear_faults()
        assert ours.sync().status == "success"
        there = {
            str(one["Id"]): one["LastName"]
            for one in org.query("SELECT Id, LastName FROM Contact LIMIT 2000")
        }
        assert ours.kept("last_name") == there
        if row.way == "enriched":
            asked = org.query("SELECT Id, Account.Name FROM Contact WHERE FirstName = null LIMIT 2000")
            names = {str(one["Id"]): one["Account"]["Name"] for one in asked if one["Account"]}  # type: ignore[index]
            assert {id: name for id, name in ours.kept("works_at").items() if name} == names
            assert names
        assert ours.differences() == 0
        first, *_ = store.records.stream("salesforce", "demo", "Contact").all()
        assert first.state == "added"


def test_every_fault_of_a_reader_is_in_the_table() -> None:
    from runner.emulator.faults import __doc__ as listed

    kinds = set(re.findall(r"^    (\w+)  ", str(listed), re.MULTILINE))
    # What only writes can meet, and what `test_nothing_lost` plays at length.
    assert kinds - {row.fault.partition(":")[0] for row in rows()} == {"row", "late", "skew", "stall"}
