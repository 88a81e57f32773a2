"""`kill -9` at any instant of a sync that enriches its records: each is stored whole, or comes with the next run."""

from __future__ import annotations

import json
import random
from pathlib import Path

import orjson
import pytest

from runner.emulator.testing import Org, start_org
from runner.store import open_store
from tests.sync.test_kills import HOW, KILLS, LONGEST, SHORTEST, change, killed, project, seconds_of

pytestmark = pytest.mark.slow

ENRICH = """
enrich:
  account:
    use: query_all
    with: {soql: "SELECT Id, Name FROM Account WHERE Id IN {{ page.keys | soql_value }}"}
    match: {item: item.Id, record: record.AccountId}
  more:
    foreach: "[['Description', 'Title'], ['Department']]"
    use: query_all
    with: {soql: "SELECT Id, {{ item | join(', ') }} FROM Contact WHERE Id IN {{ page.keys | soql_value }}"}
    match: {item: item.Id, record: record.Id}
    merge: true
"""

Seen = dict[str, tuple[object, ...]]


def enriched(folder: Path) -> None:
    """The sync of contacts, with some of its columns read by further calls."""
    path = folder / "syncs/contacts.yaml"
    written = path.read_text()
    for column in ("Account.Name, ", "Description,", "Title, ", "Department, "):
        assert column in written
        written = written.replace(column, "")
    written = written.replace("record.Account.Name", "account.Name")
    path.write_text(written + ENRICH)


def there(org: Org) -> Seen:
    found: Seen = {}
    while True:
        after = max(found, default="000000000000000AAA")
        rows = org.query(
            "SELECT Id, LastName, Title, Department, Description, Account.Name FROM Contact"
            f" WHERE Id > '{after}' ORDER BY Id LIMIT 2000"
        )
        if not rows:
            return found
        for row in rows:
            account = row["Account"]
            name = account["Name"] if isinstance(account, dict) else None
            values = (row["LastName"], row["Title"], row["Department"], row["Description"], name)
            found[str(row["Id"])] = values


def kept(folder: Path) -> Seen:
    names = ("last_name", "title", "department", "description", "account_name")
    with open_store(f"sqlite:///{folder}/.terapi/terapi.db") as store:
        rows = store.records.stream("salesforce", "demo", "Contact").all(states=["added", "updated"])
        found = {row.id: orjson.loads(row.payload) for row in rows}
    return {id: tuple(record.get(name) for name in names) for id, record in found.items()}


@pytest.mark.parametrize(
    ("params", "most"),
    [({"page_size": 200}, 1_000_000), ({"page_size": 200}, 500), ({"bulk_above": 100}, 1_000_000)],
    ids=["pages", "slices", "job"],
)
def test_enriched_records_are_whole_after_any_kill(tmp_path: Path, params: dict[str, int], most: int) -> None:
    chance = random.Random(f"{params} {most} {KILLS}")
    with start_org(records=6_000) as org:
        terapi = project(tmp_path, org, params, most)
        enriched(tmp_path)
        kills, whole = 0, seconds_of(terapi)
        for kill in range(max(3, KILLS // 2)):
            kills += killed(terapi, chance.uniform(SHORTEST, LONGEST) * whole, *HOW[kill % 3])
            change(org, chance)
        assert kills
        org.advance(1)
        terapi("sync", "contacts")
        assert kept(tmp_path) == there(org)
        assert json.loads(terapi("audit", "contacts", "--json"))["status"] == "equal"
