"""All or nothing: what a fault, an error or a kill leaves behind, and who waits for whom."""

from __future__ import annotations

import os
import threading

import pytest

from runner.errors import StoreError, StoreFull, StoreLocked
from runner.store import Store, open_store
from tests.store.children import line, start


def settings(store: Store, names: str) -> list[str]:
    return [name for name in names if store.states.setting(name) is not None]


def fail(store: Store, name: str, error: BaseException) -> None:
    """A transaction that sets something and ends in an error."""
    with store.atomic():
        store.states.set_setting(name, "1")
        raise error


def test_what_fails_inside_is_undone_and_only_that(store: Store) -> None:
    with store.atomic():
        store.states.set_setting("a", "1")
        with pytest.raises(KeyError):
            fail(store, "b", KeyError())
        store.states.set_setting("c", "1")
    assert settings(store, "abc") == ["a", "c"]


def test_what_fails_outside_takes_the_inside_with_it(store: Store) -> None:
    def both() -> None:
        with store.atomic():
            with store.atomic():
                store.states.set_setting("a", "1")
            fail(store, "b", KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        both()
    assert settings(store, "ab") == []


def test_an_error_of_the_callers_own_comes_through_as_it_is(store: Store) -> None:
    with pytest.raises(ConnectionResetError, match="by peer"):
        fail(store, "a", ConnectionResetError("by peer"))


def test_nothing_is_kept_of_a_transaction_that_sqlite_has_undone(store: Store) -> None:
    def go_on_after_it() -> None:
        with store.atomic():
            store.states.set_setting("b", "1")
            with pytest.raises(StoreError, match="refused: UNIQUE constraint failed"):
                store.database.run("INSERT OR ROLLBACK INTO settings (name, value) VALUES ('a', '2')")
            store.states.set_setting("c", "1")

    store.states.set_setting("a", "1")
    with pytest.raises(StoreError, match="has undone this transaction"):
        go_on_after_it()
    assert settings(store, "abc") == ["a"]


@pytest.mark.parametrize("durable", [False, True])
def test_a_full_disk_loses_nothing_that_was_stored(store: Store, durable: bool) -> None:
    def write_much() -> None:
        with store.atomic(durable=durable):
            store.states.set_setting("a", "1")
            stream.write([(str(n), os.urandom(2000)) for n in range(100)], 2.0)

    stream = store.records.stream("shop", "demo", "Order")
    stream.write([("1", b"a")], 1.0)
    pages = store.database.rows("PRAGMA page_count")[0][0]
    store.database.run(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreFull, match="cannot grow") as caught:
        write_much()
    assert "free some space" in str(caught.value.hint)
    assert [record.id for record in stream.read()] == ["1"]
    assert settings(store, "a") == []
    store.database.run("PRAGMA max_page_count = 1000000")
    assert stream.write([("2", b"b")], 3.0).added == 1


def test_what_must_outlive_a_power_cut_is_synced_and_the_rest_as_before(store: Store) -> None:
    def level() -> object:
        return store.database.rows("PRAGMA synchronous")[0][0]

    with store.atomic(durable=True):
        assert level() == 2
    assert level() == 1
    with pytest.raises(KeyError), store.atomic(durable=True):
        raise KeyError
    assert level() == 1


def test_a_store_that_is_held_is_told(store: Store) -> None:
    with open_store(f"sqlite:///{store.database.path}", patience=0) as other:
        with store.atomic(), pytest.raises(StoreLocked, match="is held by another process"):
            other.states.set_setting("a", "1")
        other.states.set_setting("a", "2")
    assert store.states.setting("a") == "2"


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed already"):
        store.states.setting("a")


def test_any_thread_may_use_it_and_they_take_turns(store: Store) -> None:
    def count() -> None:
        for _ in range(50):
            with store.atomic():
                store.states.set_setting("n", str(int(store.states.setting("n") or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.states.setting("n") == "200"


HOLDER = """
    import sys
    from runner.store import open_store
    lock = open_store(sys.argv[1]).lock("sync:orders")
    assert lock.acquire()
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_ends_with_its_holder(store: Store) -> None:
    child = start(HOLDER, f"sqlite:///{store.database.path}")
    assert line(child) == "held"
    lock = store.lock("sync:orders")
    assert not lock.acquire()
    assert store.lock("sync:other").acquire()
    child.kill()
    child.wait()
    assert lock.acquire()
    lock.release()


def test_a_lock_is_one_holders_within_a_process_too(store: Store) -> None:
    first, second = store.lock("a"), store.lock("a", patience=0)
    with first:
        assert not first.acquire()
        assert not second.acquire()
        with pytest.raises(StoreLocked, match="`a` is held by another process"), second:
            pass
    assert second.acquire()
    second.release()


@pytest.mark.parametrize("name", ["a/b", "../../x", "a b:c", "ü" * 300, ""])
def test_any_name_makes_a_lock_in_its_folder(store: Store, name: str) -> None:
    with store.lock(name):
        assert not store.lock(name).acquire()
        assert store.lock(f"{name}!").acquire()
    assert all(file.parent == store.folder / "locks" for file in store.folder.rglob("*-????????????"))
