"""What is kept beside the records: connections, clients, state, runs, deliveries."""

from __future__ import annotations

import pytest

from runner.store import Connection, OAuthClient, Store, SyncKey, SyncRequest, SyncState, Wanted


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
    store.connections.set_metadata(kept, {"b": None, "c": "é"}, remove=["a"])
    assert store.connections.find("demo")[0].metadata == {"b": None, "c": "é"}
    store.connections.replace_metadata(kept, {"d": None})
    assert store.connections.find("demo")[0].metadata == {"d": None}


def test_connections_are_listed_in_order_and_in_pages(store: Store) -> None:
    for integration, id in [("b", "1"), ("a", "2"), ("a", "1")]:
        store.connections.save(connection(id, integration=integration))
    assert [(c.integration, c.id) for c in store.connections.all()] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert [c.id for c in store.connections.all(integration="a", limit=1, offset=1)] == ["2"]
    assert [c.integration for c in store.connections.find("1")] == ["a", "b"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), ["acme", "Globex", "bare"]),
        (Wanted(id="acme"), ["acme"]),
        (Wanted(integrations=["other", "shop"]), ["acme", "Globex"]),
        (Wanted(integrations=["none"]), []),
        (Wanted(text="GLOB"), ["Globex"]),
        (Wanted(text="ada@"), ["acme"]),
        (Wanted(text="lovelace"), ["acme"]),
        (Wanted(text="display_name"), []),
        (Wanted(user="u1"), ["acme"]),
        (Wanted(organization="o1"), ["acme"]),
        (Wanted(tags={"plan": "pro"}), ["acme", "Globex"]),
        (Wanted(tags={"plan": "pro", 'it\'s "quoted"': "x"}), ["Globex"]),
        (Wanted(tags={"plan": "free"}), []),
    ],
)
def test_connections_are_found_by_what_is_wanted(store: Store, wanted: Wanted, expected: list[str]) -> None:
    user = {"id": "u1", "email": "ada@x.test", "display_name": "Ada Lovelace", "organization": {"id": "o1"}}
    tags = {"plan": "pro", 'it\'s "quoted"': "x"}
    store.connections.save(connection("acme", end_user=user, tags={"plan": "pro"}))
    store.connections.save(connection("Globex", tags=tags, integration="other"))
    store.connections.save(connection("bare", integration="third"))
    assert [found.id for found in store.connections.search(wanted)] == expected
    assert [found.id for found in store.connections.search(wanted, limit=1, offset=1)] == expected[1:2]


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


def test_config_is_set_and_removed_by_key(store: Store) -> None:
    kept = store.connections.save(connection(config={"a": 1, "b": 2}))
    store.connections.set_config(kept, {"c": 3}, remove=["a"])
    found = store.connections.get("shop", "demo")
    assert found is not None
    assert found.config == {"b": 2, "c": 3}


def test_deleting_a_connection_takes_its_records_and_state(store: Store) -> None:
    kept = store.connections.save(connection())
    key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
    store.records.stream("shop", "demo", "Order").write([("1", b"a")], 1.0)
    store.states.put(key, SyncState(checkpoint="2026"))
    store.sync_requests.ask([SyncRequest(integration="shop", connection="demo", sync="orders")])
    assert store.variants.make("shop", "demo", "orders", "eu") is not None
    assert store.connections.delete(kept)
    assert store.variants.of("shop", "demo", "orders") == []
    assert not store.connections.delete(kept)
    assert store.sync_requests.all() == []
    assert store.records.streams() == []
    assert store.states.get(key) == SyncState()


def test_state_comes_back_as_it_was_put(store: Store) -> None:
    key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
    state = SyncState(checkpoint=12, last_run=1.5, progress={"page": 3}, digest="d")
    store.states.put(key, state)
    assert store.states.get(key) == state


def key_of(sync: str, model: str = "Order", connection: str = "demo") -> SyncKey:
    return SyncKey(integration="shop", connection=connection, sync=sync, model=model)


def test_the_syncs_of_a_definition_are_found_by_its_name(store: Store) -> None:
    for name in ("orders", "orders.eu", "orders::eu", "orders.a::b", "orders-old", "other.orders"):
        store.states.put(key_of(name), SyncState(checkpoint=1))
    store.states.put(key_of("orders.us", connection="other"), SyncState(checkpoint=1))
    assert store.states.names("shop", "demo", "orders") == [
        "orders",
        "orders.a::b",
        "orders.eu",
        "orders::eu",
    ]


def test_what_has_vanished_is_told_once_until_it_comes_back(store: Store) -> None:
    for name in ("orders.eu", "orders.us"):
        store.states.put(key_of(name), SyncState(checkpoint=1))
    assert store.states.vanish("shop", "demo", ["orders.us", "orders.eu"]) == ["orders.eu", "orders.us"]
    assert store.states.vanish("shop", "demo", ["orders.us", "orders.eu"]) == []
    assert store.states.get(key_of("orders.us")) == SyncState(checkpoint=1)
    store.states.put(key_of("orders.us"), SyncState(checkpoint=2))
    assert store.states.vanish("shop", "demo", ["orders.us", "orders.eu"]) == ["orders.us"]


def test_a_variant_is_made_once_and_goes_with_what_it_stored(store: Store) -> None:
    variants, place = store.variants, ("shop", "demo", "orders")
    made = [
        variants.make(*place, "eu"),
        variants.make(*place, "us"),
        variants.make("shop", "other", "orders", "eu"),
    ]
    assert (len(set(made)), None in made) == (3, False)
    assert variants.make(*place, "eu") is None
    assert variants.of(*place) == ["eu", "us"]
    for variant in ("base", "eu", "us"):
        name = "orders" if variant == "base" else f"orders::{variant}"
        store.states.put(key_of(name), SyncState(checkpoint=1))
        stream = store.records.stream("shop", "demo", "Order", variant)
        stream.write([("1", b"a")], 1.0)
        stream.begin_full(name)
    assert variants.remove(*place, "eu")
    assert not variants.remove(*place, "eu")
    assert variants.of(*place) == ["us"]
    assert [key.variant for key in store.records.streams()] == ["base", "us"]
    assert store.states.get(key_of("orders::eu")) == SyncState()
    assert store.states.get(key_of("orders::us")) == SyncState(checkpoint=1)
    counted = store.database.row("SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM full_reads)")
    assert counted is not None
    assert tuple(counted) == (2, 2)


def test_a_variant_leaves_what_another_sync_has_of_the_same_name(store: Store) -> None:
    for name in ("orders::eu", "returns::eu"):
        store.states.put(key_of(name), SyncState(checkpoint=1))
    store.records.stream("shop", "demo", "Order", "eu").write([("1", b"a")], 1.0)
    store.variants.make("shop", "demo", "orders", "eu")
    assert store.variants.remove("shop", "demo", "orders", "eu")
    assert len(store.records.stream("shop", "demo", "Order", "eu").read()) == 1
    assert store.states.names("shop", "demo", "orders") == []


def test_a_setting_is_made_once(store: Store) -> None:
    assert store.states.setting("secret") is None
    assert store.states.ensure_setting("secret", "first") == "first"
    assert store.states.ensure_setting("secret", "second") == "first"
    store.states.set_setting("secret", "third")
    assert store.states.setting("secret") == "third"
