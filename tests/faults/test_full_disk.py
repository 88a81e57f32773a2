"""A disk that is full in the middle of a sync: what was stored stays, and the next run goes on there."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from runner.emulator.testing import start_org
from runner.errors import StoreFull
from runner.store import Store, SyncKey, open_store
from tests.cli.terapi import Terapi
from tests.faults.test_table import Loaded

KEY = SyncKey(integration="salesforce", connection="demo", sync="contacts", model="Contact")


@pytest.mark.parametrize("way", ["pages", "slices", "job"])
@pytest.mark.parametrize("room", [1, 12, 25])
def test_a_sync_goes_on_where_the_disk_was_full(store: Store, tmp_path: Path, way: str, room: int) -> None:
    """SQLite may take a few more of its pages of 8 KB, and says that there is no space then."""
    with start_org(records=450, result_rows=100) as org:
        ours = Loaded(org, store, tmp_path, way)
        pages = store.database.rows("PRAGMA page_count")[0][0]
        store.database.run(f"PRAGMA max_page_count = {pages + room}")
        with pytest.raises(StoreFull) as caught:
            ours.sync()
        assert caught.value.hint == "free some space and run it again; what was stored before is safe"
        assert store.states.get(KEY).checkpoint is None
        kept = ours.kept("last_name")
        assert len(kept) < 450
        store.database.run("PRAGMA max_page_count = 1000000")
        assert store.runs.newest()[0].status in ("failed", "lost")
        assert ours.sync().status == "success"
        there = {
            str(row["Id"]): row["LastName"]
            for row in org.query("SELECT Id, LastName FROM Contact LIMIT 2000")
        }
        assert ours.kept("last_name") == there
        assert kept.items() <= there.items()
        cursors = [row.cursor for row in store.records.stream("salesforce", "demo", "Contact").all()]
        assert len(cursors) == len(set(cursors)) == 450
        assert ours.differences() == 0


def test_a_person_is_told_and_the_next_run_ends_it(tmp_path: Path) -> None:
    """The process may write no file of more than 400 KB."""
    with start_org(records=2_000) as org:
        terapi = Terapi(tmp_path)
        terapi.environ |= {
            "TERAPI_SALESFORCE_CLIENT_ID": org.client_id,
            "TERAPI_SALESFORCE_CLIENT_SECRET": org.client_secret,
        }
        terapi("init")
        place = ("--config", f"login_url={org.url}", "--allow-local", "--credentials-stdin")
        given = json.dumps({"type": "OAUTH2_CC"})
        terapi("connect", "salesforce", "--connection", "demo", *place, stdin=given)
        terapi("connections", "set", "demo", "--metadata", 'params={"page_size": 200}')
        found = subprocess.run(
            [sys.executable, "-m", "runner.cli", "-C", str(tmp_path), "sync", "contacts"],
            capture_output=True,
            text=True,
            timeout=60,
            env=terapi.environ,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
        )
        assert found.returncode == 1, found.stderr
        assert "terapi.db cannot " in found.stderr
        assert "what was stored before is safe" in found.stderr
        assert "Traceback" not in found.stderr
        terapi("sync", "contacts")
        with open_store(f"sqlite:///{tmp_path}/.terapi/terapi.db") as store:
            assert store.records.stream("salesforce", "demo", "Contact").count()["added"] == 2_000
            assert store.database.rows("PRAGMA integrity_check")[0][0] == "ok"
        assert json.loads(terapi("audit", "contacts", "--json"))["status"] == "equal"
