"""`kill -9` at any instant of a sync, again and again, while its org changes: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path

import orjson
import pytest

from runner.emulator.testing import Org, start_org
from runner.store import Store, open_store
from tests.cli.terapi import Terapi
from tests.sync.test_nothing_lost_of_parents import ACCOUNTS, CONTACTS

pytestmark = pytest.mark.slow

#: kills a way of reading; `KILLS=100` for more
KILLS = int(os.environ.get("KILLS", 8))
#: a run is killed in this part of the time that a whole one takes
SHORTEST, LONGEST = 0.3, 0.95
#: as runs are asked for in turn: everything anew, what is left, everything once more
HOW = (("--empty",), (), ("--full",))


def project(folder: Path, org: Org, params: dict[str, int], most: int) -> Terapi:
    terapi = Terapi(folder)
    terapi.environ |= {
        "TERAPI_SALESFORCE_CLIENT_ID": org.client_id,
        "TERAPI_SALESFORCE_CLIENT_SECRET": org.client_secret,
    }
    terapi("init")
    sync = folder / "syncs" / "contacts.yaml"
    sync.write_text(sync.read_text().replace("most: 20000", f"most: {most}"))
    place = ("--config", f"login_url={org.url}", "--allow-local", "--credentials-stdin")
    terapi("connect", "salesforce", "--connection", "demo", *place, stdin=json.dumps({"type": "OAUTH2_CC"}))
    terapi("connections", "set", "demo", "--metadata", f"params={json.dumps(params)}")
    return terapi


def killed(terapi: Terapi, seconds: float, *args: str) -> bool:
    """Runs a sync for that long; whether it was killed before it ended."""
    process = terapi.start("sync", "contacts", *args)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode == -9


def seconds_of(terapi: Terapi) -> float:
    """How long a first run takes here and now."""
    began = time.monotonic()
    terapi("sync", "contacts")
    return time.monotonic() - began


def change(org: Org, chance: random.Random) -> None:
    ids = [str(row["Id"]) for row in org.query("SELECT Id FROM Contact LIMIT 200")]
    org.update("Contact", chance.choice(ids), Title=f"title {chance.random()}")
    org.delete("Contact", chance.choice(ids))
    org.create("Contact", LastName=f"name {chance.random()}")


def there(org: Org) -> dict[str, tuple[object, object]]:
    """All contacts by their ids: asked for page by page, as the first gives 2,000 at the most."""
    found: dict[str, tuple[object, object]] = {}
    while True:
        after = max(found, default="000000000000000AAA")
        rows = org.query(
            f"SELECT Id, LastName, Title FROM Contact WHERE Id > '{after}' ORDER BY Id LIMIT 2000"
        )
        if not rows:
            return found
        found |= {str(row["Id"]): (row["LastName"], row["Title"]) for row in rows}


def kept(store: Store) -> dict[str, tuple[object, object]]:
    rows = store.records.stream("salesforce", "demo", "Contact").all(states=["added", "updated"])
    fields = {row.id: orjson.loads(row.payload) for row in rows}
    return {id: (record["last_name"], record["title"]) for id, record in fields.items()}


@pytest.mark.parametrize(
    ("way", "params", "most"),
    [
        ("pages", {"page_size": 200}, 1_000_000),
        ("slices", {"page_size": 200}, 500),
        ("job", {"bulk_above": 100}, 1_000_000),
    ],
)
def test_a_sync_that_is_killed_again_and_again_ends_where_its_org_is(
    tmp_path: Path, way: str, params: dict[str, int], most: int
) -> None:
    chance = random.Random(f"{way} {KILLS}")
    with start_org(records=6_000, result_rows=500) as org:
        terapi = project(tmp_path, org, params, most)
        whole = seconds_of(terapi)
        for kill in range(KILLS):
            killed(terapi, chance.uniform(SHORTEST, LONGEST) * whole, *HOW[kill % 3])
            change(org, chance)
        org.advance(1)
        terapi("sync", "contacts")
        with open_store(f"sqlite:///{tmp_path}/.terapi/terapi.db") as store:
            assert kept(store) == there(org)
            cursors = [row.cursor for row in store.records.stream("salesforce", "demo", "Contact").all()]
        assert cursors == sorted(set(cursors))
        assert json.loads(terapi("audit", "contacts", "--json"))["status"] == "equal"


def change_of_parents(org: Org, chance: random.Random) -> None:
    """As `change`, and an account with its contacts goes, and a contact moves."""
    change(org, chance)
    accounts = [str(row["Id"]) for row in org.query("SELECT Id FROM Account LIMIT 200")]
    rows = org.query("SELECT Id FROM Contact WHERE AccountId != null LIMIT 200")
    org.update("Contact", str(chance.choice(rows)["Id"]), AccountId=chance.choice(accounts))
    closed = chance.choice(accounts)
    for row in org.query(f"SELECT Id FROM Contact WHERE AccountId = '{closed}'"):
        org.delete("Contact", str(row["Id"]))
    org.delete("Account", closed)


def test_a_sync_of_parents_that_is_killed_again_and_again_ends_where_its_org_is(tmp_path: Path) -> None:
    chance = random.Random(f"parents {KILLS}")
    with start_org(records=2_000) as org:
        terapi = project(tmp_path, org, {}, 1_000_000)
        for name, text in (("accounts", ACCOUNTS), ("contacts", CONTACTS)):
            (tmp_path / "syncs" / f"{name}.yaml").write_text(text)
        terapi("sync", "accounts")
        whole = seconds_of(terapi)
        for kill in range(KILLS):
            killed(terapi, chance.uniform(SHORTEST, LONGEST) * whole, *HOW[kill % 3])
            change_of_parents(org, chance)
            if kill % 2:
                terapi("sync", "accounts")
        org.advance(1)
        terapi("sync", "accounts")
        terapi("sync", "contacts")
        expected = {id: one for id, one in there(org).items() if id not in without_account(org)}
        with open_store(f"sqlite:///{tmp_path}/.terapi/terapi.db") as store:
            assert kept(store) == expected
            cursors = [row.cursor for row in store.records.stream("salesforce", "demo", "Contact").all()]
        assert cursors == sorted(set(cursors))


def without_account(org: Org) -> set[str]:
    return {str(row["Id"]) for row in org.query("SELECT Id FROM Contact WHERE AccountId = null LIMIT 2000")}
