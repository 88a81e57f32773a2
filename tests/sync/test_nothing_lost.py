"""Whatever an org does while syncs run, die and go on: after each quiet end the store equals the org.

One example is a life of an org: records come, change, go and come back, its clock moves on, its tokens and lists
of pages expire, its answers fail; in between syncs run, and are ended at any page. `EXAMPLES=10000` lives more lives.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import orjson
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.definitions.resources import sample_folder
from runner.emulator.testing import start_org
from runner.errors import TerapiError
from runner.store import open_store
from runner.sync.run import Options, Progress, Result, run_sync

#: contacts with which an org begins: three pages of 200
RECORDS = 450
#: how a first load is read: page after page, in slices, by a job
SLICES = {"pages": "most: 100000", "slices": "most: 60", "job": "most: 100000"}
FAULTS = (
    "status:code=503,path=/query,count=1", "status:code=429,retry_after=1,count=1", "truncate:path=/query,count=1",
    "invalid_json:path=/query,count=1", "reset:count=1", "expire:count=1", "html:path=/query,count=1",
    "status:code=400,path=/query,count=1,after=1",
)  # fmt: skip


class Died(Exception):
    """A run is ended in the middle."""


async def _no_sleep(seconds: float) -> None:
    """Waits between tries are not waited."""


class Life(RuleBasedStateMachine):
    alive = Bundle("alive")
    dead = Bundle("dead")

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.org = self._open.enter_context(start_org(records=RECORDS))
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self.store = self._open.enter_context(open_store(f"sqlite:///{self.folder}/terapi.db"))

    def teardown(self) -> None:
        self._open.close()

    @initialize(how=st.sampled_from(sorted(SLICES)))
    def connect(self, how: str) -> None:
        sample = sample_folder()
        (self.folder / "syncs").mkdir()
        (self.folder / "providers.yaml").write_text((sample / "providers.yaml").read_text())
        written = (sample / "syncs" / "contacts.yaml").read_text()
        assert "most: 20000" in written
        (self.folder / "syncs" / "contacts.yaml").write_text(written.replace("most: 20000", SLICES[how]))
        self.project = Project.load(self.folder).checked()
        self.params = {"page_size": 200, "bulk_above": 100 if how == "job" else 1_000_000}
        place = NewConnection(
            id="demo", config={"login_url": self.org.url, "instance_url": self.org.url},
            metadata={"params": self.params}, allow_local=True,
        )  # fmt: skip
        tokens = Credentials(
            type="OAUTH2", access_token=self.org.token(), refresh_token=self.org.refresh_token()
        )
        access = self.access()
        self.connection = access.connect.keep(self.project.provider("salesforce"), place, tokens)

    def access(self) -> Access:
        environ = {
            "TERAPI_SALESFORCE_CLIENT_ID": self.org.client_id,
            "TERAPI_SALESFORCE_CLIENT_SECRET": self.org.client_secret,
        }
        return Access(self.project, self.store, environ, _no_sleep)

    @rule(target=alive, name=st.text("abc'\\\n", min_size=1, max_size=5).map(str.strip).filter(bool))
    def creates(self, name: str) -> str:
        return self.org.create("Contact", LastName=name)

    @rule(seconds=st.sampled_from([20, 200]))
    def commits_late(self, seconds: int) -> None:
        """What is created is seen later, with the stamp of now."""
        with self.org.late(seconds):
            self.org.create("Contact", LastName=f"late by {seconds}")

    @rule(record=alive, title=st.sampled_from(["Countess", "Engineer", None]))
    def changes(self, record: str, title: str | None) -> None:
        self.org.update("Contact", record, Title=title)

    @rule(place=st.integers(0, RECORDS - 1))
    def changes_an_old_one(self, place: int) -> None:
        rows = self.org.query(f"SELECT Id FROM Contact ORDER BY Id LIMIT 1 OFFSET {place}")
        if rows:
            self.org.update("Contact", str(rows[0]["Id"]), Department=f"department {place}")

    @rule(target=dead, record=consumes(alive))
    def deletes(self, record: str) -> str:
        self.org.delete("Contact", record)
        return record

    @rule(target=alive, record=consumes(dead))
    def brings_back(self, record: str) -> str:
        self.org.undelete("Contact", record)
        return record

    @rule(seconds=st.sampled_from([1, 59, 61, 299, 301, 7_000]))
    def time_passes(self, seconds: int) -> None:
        self.org.advance(seconds)

    @rule()
    def tokens_expire(self) -> None:
        self.org.expire_tokens()

    @rule(full=st.booleans(), pages=st.integers(0, 6), fault=st.none() | st.sampled_from(FAULTS))
    def a_run_may_end_early(self, full: bool, pages: int, fault: str | None) -> None:
        if fault is not None:
            self.org.fault(fault)
        try:
            self.run(full=full, dies_at=pages)
        except (TerapiError, Died) as exc:
            note(f"ended: {exc!r}")
        finally:
            self.org.clear_faults()

    @rule(pages=st.integers(1, 3))
    def the_api_forgets_its_pages(self, pages: int) -> None:
        try:
            self.run(dies_at=pages)
        except Died:
            self.org.expire_locators()

    @rule(full=st.booleans())
    def a_run_ends_well(self, full: bool) -> None:
        self.org.commit()
        self.run(full=full)
        self.check()

    def run(self, *, full: bool = False, dies_at: int | None = None) -> Result:
        seen = 0

        def progress(progress: Progress) -> None:
            nonlocal seen
            seen += 1
            if seen == dies_at:
                raise Died

        async def inside() -> Result:
            async with self.access() as access:
                sync = self.project.sync("contacts", "salesforce")
                client = access.client(access.connection("demo"))
                return await run_sync(sync, client, self.store, Options(full=full, progress=progress))

        return asyncio.run(inside())

    def check(self) -> None:
        rows = self.org.query("SELECT Id, LastName, Title, Department FROM Contact", all_rows=False)
        more = self.org.query(
            "SELECT Id, LastName, Title, Department FROM Contact ORDER BY Id DESC LIMIT 2000"
        )
        there = {row["Id"]: (row["LastName"], row["Title"], row["Department"]) for row in (*rows, *more)}
        stream = self.store.records.stream("salesforce", "demo", "Contact")
        kept = {}
        for record in stream.all(states=["added", "updated"]):
            fields = orjson.loads(record.payload)
            kept[record.id] = (fields["last_name"], fields["title"], fields["department"])
        assert kept == there

    @invariant()
    def cursors_are_dense(self) -> None:
        """Each change has a number of its own, none is skipped and none is there twice."""
        cursors = [
            record.cursor for record in self.store.records.stream("salesforce", "demo", "Contact").all()
        ]
        assert cursors == sorted(set(cursors))


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=int(os.environ.get("EXAMPLES", 12)),
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
