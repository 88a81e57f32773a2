"""Runs end as what they were: a success, an error, an interruption, or a process that was killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runner.errors import CallError, Place, StoreFull
from runner.store import NewRun, Run, Store, Underway
from tests.store.children import line, start


def begin(store: Store, name: str = "orders", kind: str = "sync") -> Underway:
    new = NewRun(
        kind=kind, name=name, integration="shop", connection="demo", input={"a": 1}, definition="text"
    )
    return store.runs.begin(new)


def leave(store: Store, error: BaseException, status: str | None = None) -> None:
    """Begins a run, notes something, writes how it ended where that is given, and is left by an error."""
    with begin(store) as run:
        run.output = {"read": 3}
        if status is not None:
            run.finish(status)
        raise error


def fail(store: Store, error: BaseException, status: str | None = None) -> Run:
    """The run that an error has left, as it is kept."""
    with pytest.raises(type(error)):
        leave(store, error, status)
    return store.runs.newest()[0]


def kept(store: Store, run: Run) -> Run:
    found = store.runs.get(run.id)
    assert found is not None
    return found


def locks(store: Store) -> list[str]:
    return [path.name for path in (store.folder / "locks").glob("run-*")]


def test_a_run_is_kept_with_its_log(store: Store) -> None:
    with begin(store) as run:
        run.log("info", "began", {"n": 1})
        assert kept(store, run.run).status == "running"
        run.output = {"id": 2}
    found = kept(store, run.run)
    assert (found.status, found.input, found.output) == ("success", {"a": 1}, {"id": 2})
    assert (found.error, found.definition) == (None, "text")
    assert found.finished_at is not None
    events = store.runs.events(run.run.id)
    assert [(event["number"], event["message"], event["data"]) for event in events] == [
        (1, "began", {"n": 1})
    ]
    assert store.runs.events(run.run.id, after=1) == []
    assert locks(store) == []


def test_an_error_is_kept_as_it_was_told(store: Store) -> None:
    error = CallError(
        "no", kind="forbidden", status=403, hint="ask", where=Place(file="providers.yaml", line=3)
    )
    found = fail(store, error)
    assert (found.status, found.output) == ("failed", {"read": 3})
    assert found.error == {
        "kind": "forbidden", "message": "no", "where": "providers.yaml:3:1", "hint": "ask", "status": 403,
    }  # fmt: skip
    assert [event["message"] for event in store.runs.events(found.id)] == ["no"]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt()])
def test_an_interruption_leaves_a_run_cancelled(store: Store, error: BaseException) -> None:
    found = fail(store, error)
    assert (found.status, (found.error or {})["message"]) == ("cancelled", "it was interrupted")


def test_a_fault_of_our_own_tells_no_more_than_its_kind(store: Store) -> None:
    found = fail(store, ZeroDivisionError("a secret, perhaps"))
    assert (found.status, (found.error or {})["message"]) == (
        "failed",
        "a fault in terapi itself: ZeroDivisionError",
    )


def test_what_is_written_as_a_success_stays_one(store: Store) -> None:
    assert fail(store, KeyboardInterrupt(), "success").status == "success"


def test_a_success_that_was_undone_is_none(store: Store) -> None:
    def half() -> None:
        with begin(store) as run, store.atomic():
            run.finish("success")
            raise StoreFull("no space")

    with pytest.raises(StoreFull):
        half()
    assert store.runs.newest()[0].status == "failed"


def test_where_the_state_cannot_be_written_the_first_error_is_told(store: Store) -> None:
    def fall_silent() -> None:
        with begin(store):
            store.database.run("PRAGMA query_only = ON")
            raise CallError("no answer", kind="network")

    with pytest.raises(CallError, match="no answer"):
        fall_silent()
    store.database.run("PRAGMA query_only = OFF")
    assert store.runs.newest()[0].status == "lost"


KILLED = """
    import sys
    from runner.store import NewRun, open_store
    store = open_store(sys.argv[1])
    with store.runs.begin(NewRun(kind="sync", name="orders", integration="shop", connection="demo")) as run:
        print(run.run.id, flush=True)
        sys.stdin.readline()
"""


def test_a_killed_run_is_shown_as_lost_and_a_living_one_is_not(store: Store) -> None:
    child = start(KILLED, f"sqlite:///{store.database.path}")
    id = line(child)
    assert [run.status for run in store.runs.newest(status="running")] == ["running"]
    child.kill()
    child.wait()
    found = store.runs.get(id)
    assert found is not None
    assert (found.status, (found.error or {})["message"]) == (
        "lost",
        "its process was killed, or could not write how it ended",
    )
    assert store.runs.newest(status="running") == []
    assert [run.id for run in store.runs.newest(status="lost")] == [id]
    assert locks(store) == []


def test_a_run_that_was_taken_for_lost_still_says_how_it_ended(store: Store) -> None:
    with begin(store) as run:
        for path in (store.folder / "locks").glob("run-*"):
            path.unlink()  # as somebody who tidies up
        assert kept(store, run.run).status == "lost"
    assert kept(store, run.run).status == "success"


def test_runs_are_found_by_the_beginning_of_their_id(store: Store) -> None:
    runs = [begin(store).run for _ in range(3)]
    assert [run.id for run in store.runs.beginning_with(runs[1].id[:20])] == [runs[1].id]
    assert len(store.runs.beginning_with("")) == 3
    assert store.runs.beginning_with("g") == []
    assert store.runs.beginning_with("%") == []


def test_syncs_whose_last_run_failed_are_told(store: Store) -> None:
    with begin(store, "place", "workflow") as other:
        other.finish("failed")
    assert store.runs.failing_syncs() == []
    failed = fail(store, CallError("no", kind="forbidden"))
    assert store.runs.failing_syncs() == [("shop", "demo", failed.id)]
    assert store.runs.failing_syncs("shop", "demo") == [("shop", "demo", failed.id)]
    assert store.runs.failing_syncs("shop", "other") == []
    with begin(store):
        assert store.runs.failing_syncs() == [("shop", "demo", failed.id)]
    assert store.runs.failing_syncs() == []


def test_runs_are_listed_by_what_they_are(store: Store) -> None:
    for name, kind in (("orders", "sync"), ("place", "workflow"), ("orders", "sync")):
        with begin(store, name, kind):
            pass
    assert [run.name for run in store.runs.newest()] == ["orders", "place", "orders"]
    assert [run.name for run in store.runs.newest(limit=1, offset=1)] == ["place"]
    assert len(store.runs.newest(kind="sync", name="orders", connection="demo", status="success")) == 2
    assert store.runs.newest(connection="other") == []


def test_a_state_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    """A full read that was cut short under the old schema begins anew; all else stays."""
    import sqlite3

    from runner.store import SyncKey, SyncState, open_store

    migrations = Path(__file__).parents[2] / "runner/store/migrations"
    database = sqlite3.connect(tmp_path / "terapi.db")
    database.executescript((migrations / "0001_first.sql").read_text())
    database.executescript(
        "INSERT INTO streams (integration, connection, model) VALUES ('shop', 'demo', 'Order');"
        "INSERT INTO seen VALUES (1, 1);"
        "INSERT INTO sync_state VALUES ('shop', 'demo', 'full', 'Order', NULL, 1, '{\"noting\": true}', 'd', 1);"
        "INSERT INTO sync_state VALUES ('shop', 'demo', 'other', 'Order', NULL, 1, '{\"noting\": false}', 'd', 1);"
        "PRAGMA user_version = 1"
    )
    database.close()
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        full, other = (
            store.states.get(SyncKey(integration="shop", connection="demo", sync=name, model="Order"))
            for name in ("full", "other")
        )
        assert (full, other.progress) == (SyncState(last_run=1, digest="d"), {"noting": False})
        stream = store.records.stream("shop", "demo", "Order")
        stream.begin_full("full")
        assert stream.delete_unseen("full", 2.0) == 0
