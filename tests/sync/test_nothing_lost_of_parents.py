"""Whatever an org does while a sync reads its contacts account by account: each quiet end equals the org.

As `test_nothing_lost`, with `foreach`: accounts come, go and come back too, contacts move between them, and what
is kept of each account must never be ahead of what is stored of it. `EXAMPLES=10000` lives more lives.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.definitions.resources import sample_folder
from runner.emulator.testing import start_org
from runner.errors import TerapiError
from runner.store import open_store
from runner.sync.run import Options, run_sync
from tests.sync.test_nothing_lost import FAULTS, Died, _no_sleep

pytestmark = pytest.mark.slow

RECORDS = 60
ACCOUNTS = """
version: 1
sync: accounts
integrations: [salesforce]
model: Account
primary_key: id
incremental: {cursor: record.SystemModstamp, lookback: 5m}
fetch:
  use: query_all
  with: {soql: "SELECT Id, IsDeleted, SystemModstamp FROM Account WHERE SystemModstamp >= {{ slice.from }} AND SystemModstamp < {{ slice.to }}"}
fields: {id: record.Id}
deletes: {when: record.IsDeleted}
"""
CONTACTS = """
version: 1
sync: contacts
integrations: [salesforce]
model: Contact
primary_key: id
incremental: {cursor: record.SystemModstamp, lookback: 5m}
foreach: {records: Account, concurrency: 3}
fetch:
  use: query_all
  with:
    batch_size: 200
    soql: >-
      SELECT Id, AccountId, LastName, Title, IsDeleted, SystemModstamp FROM Contact
      WHERE AccountId = {{ item.id | soql_value }}
      AND SystemModstamp >= {{ slice.from }} AND SystemModstamp < {{ slice.to }}
fields: {id: record.Id, account: record.AccountId, last_name: record.LastName, title: record.Title}
deletes: {when: record.IsDeleted, orphans: account}
"""
#: the same, read whole each time
WHOLE = (
    ("incremental: {cursor: record.SystemModstamp, lookback: 5m}\n", ""),
    ("      AND SystemModstamp >= {{ slice.from }} AND SystemModstamp < {{ slice.to }}\n", ""),
    ("orphans: account", "missing: true"),
)


class Family(RuleBasedStateMachine):
    accounts = Bundle("accounts")
    closed = Bundle("closed")
    contacts = Bundle("contacts")

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.org = self._open.enter_context(start_org(records=RECORDS))
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self.store = self._open.enter_context(open_store(f"sqlite:///{self.folder}/terapi.db"))

    def teardown(self) -> None:
        self._open.close()

    @initialize(whole=st.booleans())
    def connect(self, whole: bool) -> None:
        (self.folder / "syncs").mkdir()
        (self.folder / "providers.yaml").write_text((sample_folder() / "providers.yaml").read_text())
        (self.folder / "syncs" / "accounts.yaml").write_text(ACCOUNTS)
        contacts = CONTACTS
        for was, is_ in WHOLE if whole else ():
            assert was in contacts
            contacts = contacts.replace(was, is_)
        (self.folder / "syncs" / "contacts.yaml").write_text(contacts)
        self.project = Project.load(self.folder).checked()
        place = NewConnection(
            id="demo", config={"login_url": self.org.url, "instance_url": self.org.url}, allow_local=True
        )
        tokens = Credentials(
            type="OAUTH2", access_token=self.org.token(), refresh_token=self.org.refresh_token()
        )
        self.access().connect.keep(self.project.provider("salesforce"), place, tokens)

    def access(self) -> Access:
        environ = {
            "TERAPI_SALESFORCE_CLIENT_ID": self.org.client_id,
            "TERAPI_SALESFORCE_CLIENT_SECRET": self.org.client_secret,
        }
        return Access(self.project, self.store, environ, _no_sleep)

    @rule(target=accounts, name=st.sampled_from(["Analytical", "Engines"]))
    def opens(self, name: str) -> str:
        return self.org.create("Account", Name=name)

    @rule(target=closed, account=consumes(accounts))
    def closes(self, account: str) -> str:
        """The contacts of an account that is deleted go with it."""
        for row in self.org.query(f"SELECT Id FROM Contact WHERE AccountId = '{account}'"):
            self.org.delete("Contact", str(row["Id"]))
        self.org.delete("Account", account)
        return account

    @rule(target=accounts, account=consumes(closed))
    def opens_again(self, account: str) -> str:
        self.org.undelete("Account", account)
        return account

    @rule(target=contacts, account=accounts, name=st.sampled_from(["Lovelace", "O'Neil"]))
    def hires(self, account: str, name: str) -> str:
        return self.org.create("Contact", LastName=name, AccountId=account)

    @rule(contact=contacts, account=accounts)
    def moves(self, contact: str, account: str) -> None:
        if self.org.query(f"SELECT Id FROM Contact WHERE Id = '{contact}'"):
            self.org.update("Contact", contact, AccountId=account)

    @rule(contact=contacts, title=st.sampled_from(["Countess", "Engineer", None]))
    def changes(self, contact: str, title: str | None) -> None:
        if self.org.query(f"SELECT Id FROM Contact WHERE Id = '{contact}'"):
            self.org.update("Contact", contact, Title=title)

    @rule(contact=consumes(contacts))
    def leaves(self, contact: str) -> None:
        if self.org.query(f"SELECT Id FROM Contact WHERE Id = '{contact}'"):
            self.org.delete("Contact", contact)

    @rule(seconds=st.sampled_from([1, 59, 299, 301, 7_000]))
    def time_passes(self, seconds: int) -> None:
        self.org.advance(seconds)

    @rule(full=st.booleans(), at=st.integers(0, 30), fault=st.none() | st.sampled_from(FAULTS))
    def a_run_may_end_early(self, full: bool, at: int, fault: str | None) -> None:
        if fault is not None:
            self.org.fault(fault)
        try:
            self.run("contacts", full=full, dies_at=at)
        except (TerapiError, Died) as exc:
            note(f"ended: {exc!r}")
        finally:
            self.org.clear_faults()

    @rule()
    def the_accounts_alone_are_read(self) -> None:
        self.run("accounts")

    @rule(full=st.booleans())
    def both_runs_end_well(self, full: bool) -> None:
        self.run("accounts")
        self.run("contacts", full=full)
        self.check()

    def run(self, name: str, *, full: bool = False, dies_at: int | None = None) -> None:
        seen = 0

        def progress(progress: object) -> None:
            nonlocal seen
            seen += 1
            if seen == dies_at:
                raise Died

        async def inside() -> None:
            async with self.access() as access:
                sync = self.project.sync(name, "salesforce")
                client = access.client(access.connection("demo"))
                await run_sync(sync, client, self.store, Options(full=full, progress=progress))

        asyncio.run(inside())

    def check(self) -> None:
        rows = self.org.query(
            "SELECT Id, AccountId, LastName, Title FROM Contact WHERE AccountId != null", all_rows=False
        )
        there = {row["Id"]: (row["AccountId"], row["LastName"], row["Title"]) for row in rows}
        stream = self.store.records.stream("salesforce", "demo", "Contact")
        kept = {}
        for record in stream.all(states=["added", "updated"]):
            fields = orjson.loads(record.payload)
            kept[record.id] = (fields["account"], fields["last_name"], fields["title"])
        assert kept == there
        cursors = [record.cursor for record in stream.all()]
        assert cursors == sorted(set(cursors))


TestFamily = Family.TestCase
TestFamily.settings = settings(
    max_examples=int(os.environ.get("EXAMPLES", 10)),
    stateful_step_count=14,
    suppress_health_check=list(HealthCheck),
)
