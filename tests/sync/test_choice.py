"""Which syncs run for which connections, and the sentence where none does."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import NotConnected, TerapiError, UsageError
from runner.store import Connection
from runner.sync.choice import chosen
from tests.conftest import ORDERS, PROVIDERS


@pytest.fixture
def two(access: Access, folder: Path) -> Access:
    """Two shops, and a sync that runs on one of them only."""
    (folder / "providers.yaml").write_text(PROVIDERS + "\nmarket: {alias: shop}\n")
    for name, places in (("orders", "[shop, market]"), ("carts", "[market]")):
        text = ORDERS.replace("sync: orders", f"sync: {name}").replace("[shop]", places)
        (folder / f"syncs/{name}.yaml").write_text(text)
    access.project = Project.load(folder).checked()
    return access


def names(access: Access, *given: str, id: str | None = None) -> list[tuple[str, str, str]]:
    return [
        (job.sync.name, job.connection.integration, job.connection.id) for job in chosen(access, given, id)
    ]


def refused(access: Access, *given: str, id: str | None = None) -> tuple[type[TerapiError], str, str | None]:
    with pytest.raises(TerapiError) as caught:
        chosen(access, given, id)
    return type(caught.value), caught.value.message, caught.value.hint


def test_without_names_all_run_that_fit(two: Access, connection: Connection) -> None:
    two.store.connections.save(msgspec.structs.replace(connection, integration="market", provider="market"))
    assert names(two) == [
        ("carts", "market", "demo"),
        ("orders", "market", "demo"),
        ("orders", "shop", "demo"),
    ]
    two.store.connections.save(msgspec.structs.replace(connection, id="other"))
    assert names(two, id="other") == [("orders", "shop", "other")]


def test_a_name_runs_once_however_often_it_is_given(two: Access, connection: Connection) -> None:
    assert names(two, "orders", "orders") == [("orders", "shop", "demo")]


def test_what_cannot_run_is_told_before_anything_does(two: Access, connection: Connection) -> None:
    assert refused(two, "orders", "crats") == (
        UsageError,
        "there is no sync `crats`",
        "did you mean `carts`?",
    )
    assert refused(two, "carts", id="demo") == (
        UsageError,
        "`carts` does not run on shop, which `demo` is a connection of",
        "it runs on market",
    )
    assert refused(two, "carts") == (
        NotConnected,
        "`carts` runs on market, and there is no connection to it yet",
        "terapi connect market --connection NAME",
    )
    assert refused(two, "orders", id="dmeo") == (
        NotConnected,
        "there is no connection `dmeo`",
        "terapi connect shop --connection dmeo; there are: demo",
    )
    two.store.connections.save(msgspec.structs.replace(connection, id="other"))
    assert refused(two, "orders") == (
        UsageError,
        "there are several connections",
        "name one with --connection: demo (shop), other (shop)",
    )


def test_without_a_connection_it_is_told_how_to_make_one(two: Access) -> None:
    assert refused(two) == (
        NotConnected,
        "there is no connection yet",
        "terapi connect shop --connection NAME",
    )


def test_without_a_sync_it_is_told_how_to_write_one(
    access: Access, connection: Connection, folder: Path
) -> None:
    (folder / "syncs/orders.yaml").unlink()
    access.project = Project.load(folder).checked()
    assert refused(access) == (
        UsageError,
        "no sync runs on shop",
        "write one in syncs/: terapi explain sync",
    )


def test_parents_run_before_their_records(two: Access, connection: Connection, folder: Path) -> None:
    for name, model, parents in (
        ("a", "Aa", "Bb"),
        ("b", "Bb", "Cc"),
        ("c", "Cc", "Aa"),
        ("d", "Dd", "Order"),
    ):
        text = ORDERS.replace("sync: orders", f"sync: {name}").replace("model: Order", f"model: {model}")
        text = text.replace("{{ slice.from }}", "{{ item.id }} {{ slice.from }}")
        (folder / f"syncs/{name}.yaml").write_text(f"{text}foreach: {{records: {parents}}}\n")
    two.project = Project.load(folder).checked()
    # Of those that go round in a circle one must be the first.
    assert [name for name, _, _ in names(two)] == ["c", "b", "a", "orders", "d"]
