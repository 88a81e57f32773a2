"""The store: opened safely, faults told in sentences, connections kept, locks that end with their holder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from runner.errors import StoreDamaged, StoreFull, StoreLocked, StoreTooNew, UsageError
from runner.store import Connection, Store, SyncKey, SyncState, open_store


def connection(id: str = "demo", **values: object) -> Connection:
    given = {
        "integration": "shop",
        "provider": "shop",
        "auth": "OAUTH2",
        "sealed": b"s",
        "key_id": "k",
        **values,
    }
    return Connection(id=id, **given)  # type: ignore[arg-type]


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/state/terapi.db"):
        assert stat.S_IMODE((tmp_path / "state/terapi.db").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "terapi.db").write_bytes(content)
    with pytest.raises(StoreDamaged) as caught:
        open_store(f"sqlite:///{tmp_path}/terapi.db")
    assert caught.value.message.startswith(f"the state {tmp_path}/terapi.db is damaged: ")
    assert "move it aside" in str(caught.value.hint)
    assert (tmp_path / "terapi.db").read_bytes() == content


def test_a_later_version_is_not_touched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/terapi.db"
    with open_store(url) as store:
        store.database.run("PRAGMA user_version = 999")
    with pytest.raises(StoreTooNew, match="is of a later terapi"):
        open_store(url)


@pytest.mark.parametrize("url", ["postgresql://localhost/x", "sqlite:relative", "nonsense", "sqlite:///"])
def test_another_kind_of_store_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(url)
    assert "sqlite:///path/to/terapi.db" in str(caught.value.hint)


def test_a_full_disk_loses_nothing_that_was_stored(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([("1", b"a")], 1.0)
    pages = store.database.row("PRAGMA page_count")
    assert pages is not None
    store.database.run(f"PRAGMA max_page_count = {pages[0] + 2}")
    with pytest.raises(StoreFull, match="cannot grow"):
        stream.write([(str(n), os.urandom(2000)) for n in range(100)], 2.0)
    assert [record.id for record in stream.read()] == ["1"]
    store.database.run("PRAGMA max_page_count = 1000000")
    assert stream.write([("2", b"b")], 3.0).added == 1


def test_a_store_that_is_held_is_told(store: Store) -> None:
    with open_store(f"sqlite:///{store.database.path}", patience=0) as other:
        with store.atomic(), pytest.raises(StoreLocked, match="is held by another process"):
            other.states.set_setting("a", "1")
        other.states.set_setting("a", "2")
    assert store.states.setting("a") == "2"


def test_atomic_undoes_all_of_it_and_only_that(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    with store.atomic():
        stream.write([("1", b"a")], 1.0)
        with pytest.raises(ZeroDivisionError), store.atomic():
            stream.write([(str(1 // 0), b"b")], stream.write([("2", b"b")], 1.0).added)
    assert [record.id for record in stream.read()] == ["1"]


def test_a_connection_is_kept_and_replaced(store: Store) -> None:
    first = store.connections.save(connection(config={"a": 1}, tags={"x": "y"}))
    second = store.connections.save(connection(sealed=b"t"))
    assert (second.number, second.created_at, second.version) == (first.number, first.created_at, 2)
    assert store.connections.get("shop", "demo") == second
    assert [c.id for c in store.connections.all()] == ["demo"]
    assert store.connections.find("demo") == [second]


def test_of_two_who_refresh_at_once_one_wins(store: Store) -> None:
    before = store.connections.save(connection())
    assert store.connections.update_credentials(before, b"new", "k", {"url": "x"}) is not None
    assert store.connections.update_credentials(before, b"late", "k", {}) is None
    found = store.connections.get("shop", "demo")
    assert found is not None
    assert (found.sealed, found.config) == (b"new", {"url": "x"})


def test_config_is_set_by_key_and_none_removes(store: Store) -> None:
    kept = store.connections.save(connection(config={"a": 1, "b": 2}))
    store.connections.set_config(kept, {"a": None, "c": 3})
    found = store.connections.get("shop", "demo")
    assert found is not None
    assert found.config == {"b": 2, "c": 3}


def test_deleting_a_connection_takes_its_records_and_state(store: Store) -> None:
    kept = store.connections.save(connection())
    key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
    store.records.stream("shop", "demo", "Order").write([("1", b"a")], 1.0)
    store.states.put(key, SyncState(checkpoint="2026"))
    assert store.connections.delete(kept)
    assert not store.connections.delete(kept)
    assert store.records.streams() == []
    assert store.states.get(key) == SyncState()


def test_state_comes_back_as_it_was_put(store: Store) -> None:
    key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
    state = SyncState(checkpoint=12, last_run=1.5, progress={"page": 3}, digest="d")
    store.states.put(key, state)
    assert store.states.get(key) == state


def test_a_run_is_kept_with_its_log(store: Store) -> None:
    run = store.runs.start(
        "workflow", "w", integration="shop", connection="demo", input={"a": 1}, definition="text"
    )
    store.runs.log(run, "info", "began", {"n": 1})
    store.runs.finish(run, "success", output={"id": 2})
    found = store.runs.get(run.id)
    assert found is not None
    assert (found.status, found.input, found.output, found.definition) == (
        "success",
        {"a": 1},
        {"id": 2},
        "text",
    )
    assert [event["message"] for event in store.runs.events(run.id)] == ["began"]
    assert [r.id for r in store.runs.newest(kind="workflow")] == [run.id]


def test_a_delivery_is_kept_once(store: Store) -> None:
    first, fresh = store.deliveries.add("shop", headers={"a": "b"}, body=b"{}", external_id="e1")
    again, twice = store.deliveries.add("shop", headers={}, body=b"other", external_id="e1")
    assert (fresh, twice) == (True, False)
    assert again == first
    assert store.deliveries.waiting() == [first]
    store.deliveries.finish(first, "done", connection="demo")
    assert store.deliveries.waiting() == []
    found = store.deliveries.get(first.id)
    assert found is not None
    assert (found.status, found.attempts, found.connection) == ("done", 1, "demo")


def test_deliveries_without_an_id_of_their_own_are_all_kept(store: Store) -> None:
    for _ in range(2):
        assert store.deliveries.add("shop", headers={}, body=b"{}")[1]


HOLDER = """
    import sys
    from runner.store import open_store
    lock = open_store(sys.argv[1]).lock("sync:orders")
    assert lock.acquire()
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_ends_with_its_holder(store: Store) -> None:
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), f"sqlite:///{store.database.path}"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    lock = store.lock("sync:orders")
    assert not lock.acquire()
    assert store.lock("sync:other").acquire()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert lock.acquire()
    lock.release()
