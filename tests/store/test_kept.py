"""What is kept beside the records: connections, clients, state, runs, deliveries."""

from __future__ import annotations

from runner.store import Connection, Store, SyncKey, SyncState


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
