"""What is kept beside the records: connections, clients, state, runs, deliveries."""

from __future__ import annotations

import pytest

from runner.store import Connection, OAuthClient, Store, SyncKey, SyncState
from runner.store.deliveries import Deliveries


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


def test_a_refresh_and_a_setting_at_once_keep_each_others_config(store: Store) -> None:
    before = store.connections.save(connection(config={"a": 1}))
    store.connections.set_config(before, {"mine": True})
    refreshed = store.connections.update_credentials(before, b"new", "k", {"a": 1, "url": "x"})
    assert refreshed is not None
    assert refreshed.config == {"a": 1, "mine": True, "url": "x"}
    store.connections.set_config(before, {"a": 2})
    assert store.connections.find("demo")[0].config == {"a": 2, "mine": True, "url": "x"}


def test_a_connection_that_was_deleted_takes_no_credentials(store: Store) -> None:
    before = store.connections.save(connection())
    store.connections.delete(before)
    assert store.connections.update_credentials(before, b"new", "k", {}) is None
    assert store.connections.all() == []


def test_reconnecting_mends_it_and_keeps_its_metadata(store: Store) -> None:
    first = store.connections.save(connection(metadata={"region": "eu"}))
    store.connections.set_error(first, "needs reconnect")
    assert store.connections.find("demo")[0].error == "needs reconnect"
    again = store.connections.save(connection(sealed=b"t"))
    assert (again.error, again.metadata, again.version) == (None, {"region": "eu"}, 2)


def test_metadata_is_set_by_key_or_replaced(store: Store) -> None:
    kept = store.connections.save(connection())
    store.connections.set_metadata(kept, {"a": 1, "b": [2]})
    store.connections.set_metadata(kept, {"a": None, "c": "é"})
    assert store.connections.find("demo")[0].metadata == {"b": [2], "c": "é"}
    store.connections.replace_metadata(kept, {"d": 4})
    assert store.connections.find("demo")[0].metadata == {"d": 4}


def test_connections_are_listed_in_order_and_in_pages(store: Store) -> None:
    for integration, id in [("b", "1"), ("a", "2"), ("a", "1")]:
        store.connections.save(connection(id, integration=integration))
    assert [(c.integration, c.id) for c in store.connections.all()] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert [c.id for c in store.connections.all(integration="a", limit=1, offset=1)] == ["2"]
    assert [c.integration for c in store.connections.find("1")] == ["a", "b"]


def test_a_number_is_never_given_twice(store: Store) -> None:
    first = store.connections.save(connection())
    store.connections.delete(first)
    assert store.connections.save(connection()).number > first.number


def test_an_oauth_client_is_kept_and_replaced(store: Store) -> None:
    for sealed in (b"one", b"two"):
        store.connections.save_client(
            OAuthClient(integration="shop", client_id="c", sealed=sealed, key_id="k")
        )
    found = store.connections.client("shop")
    assert found is not None
    assert (found.client_id, found.sealed) == ("c", b"two")
    assert store.connections.clients() == [found]
    assert store.connections.client("other") is None


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


def test_a_setting_is_made_once(store: Store) -> None:
    assert store.states.setting("secret") is None
    assert store.states.ensure_setting("secret", "first") == "first"
    assert store.states.ensure_setting("secret", "second") == "first"
    store.states.set_setting("secret", "third")
    assert store.states.setting("secret") == "third"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deliveries(store: Store, clock: Clock) -> Deliveries:
    return Deliveries(store.database, clock)


def test_a_delivery_is_claimed_by_one_at_a_time_the_oldest_first(
    deliveries: Deliveries, clock: Clock
) -> None:
    for n in range(2):
        clock.now += 1
        deliveries.add("shop", headers={}, body=str(n).encode())
    claimed = [deliveries.claim(), deliveries.claim()]
    assert [one.body for one in claimed if one] == [b"0", b"1"]
    assert deliveries.claim() is None


def test_a_delivery_waits_again_when_its_claimant_died(deliveries: Deliveries, clock: Clock) -> None:
    deliveries.add("shop", headers={}, body=b"{}")
    first = deliveries.claim(lease=60)
    assert first is not None
    clock.now += 59
    assert deliveries.claim() is None
    clock.now += 1
    second = deliveries.claim(lease=60)
    assert second is not None
    deliveries.finish(second, "failed", error="no such record")
    assert deliveries.claim() is None
    deliveries.replay(second)
    third = deliveries.claim()
    assert third is not None
    assert (third.id, third.attempts, third.error) == (first.id, 1, None)
