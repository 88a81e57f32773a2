"""`terapi connections delete`: what goes, what it asks, and that the token works for nobody any more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.store import open_store
from tests.api import Api, Reply
from tests.cli.stuck import Stuck
from tests.cli.terapi import Terapi
from tests.cli.terminal import Terminal
from tests.conftest import PROVIDERS

ROWS = [{"id": str(n), "at": "2026-01-01T00:00:00Z", "name": "a"} for n in range(3)]


@pytest.fixture
def synced(connected: Terapi, api: Api) -> Terapi:
    api.on("/orders", Reply({"orders": ROWS}))
    api.on("/revoke", Reply(b"", headers={"Content-Type": "text/plain"}))
    connected("sync", "orders")
    return connected


def revocations(api: Api) -> list[dict[str, str]]:
    return [seen.form() for seen in api.seen if seen.path == "/revoke"]


def test_what_goes_is_told_and_the_token_is_taken_back(synced: Terapi, api: Api) -> None:
    told = synced("connections", "delete", "demo")
    assert told == "deleted `demo` and 3 records of Order; its token works no more\n"
    assert revocations(api) == [
        {
            "token": "refresh-token-1",
            "token_type_hint": "refresh_token",
            "client_id": "our-client",
            "client_secret": "our-client-secret",
        }
    ]
    synced("connections", "show", "demo", code=4)
    synced("records", "Order", code=2)


def test_it_is_told_in_json(synced: Terapi, api: Api) -> None:
    assert synced.json("connections", "delete", "demo", "--yes") == {
        "connection": "demo",
        "integration": "shop",
        "records": {"Order": 3},
        "revoked": True,
        "error": None,
    }


def test_a_token_that_is_not_taken_back_is_told_and_all_the_same_forgotten(synced: Terapi, api: Api) -> None:
    api.on("/revoke", Reply({"error": "invalid_token", "error_description": "no such token"}, 400))
    assert synced("connections", "delete", "demo") == "deleted `demo` and 3 records of Order\n"
    assert "note: its token could not be taken back: " in synced.err
    assert "no such token" in synced.err
    assert synced.err.endswith("  next: remove the access at shop itself\n")
    assert "refresh-token-1" not in synced.err
    synced("connections", "show", "demo", code=4)


def test_without_definitions_that_hold_it_goes_as_well(synced: Terapi, api: Api) -> None:
    (synced.folder / "providers.yaml").write_text("shop: [\n")
    found = synced.json("connections", "delete", "demo")
    assert (found["revoked"], revocations(api)) == (False, [])
    error = found["error"]
    assert isinstance(error, dict)
    assert error["kind"] == "definitions_invalid"


def test_an_api_that_takes_no_token_back_is_not_asked(synced: Terapi, api: Api) -> None:
    text = PROVIDERS.replace('  revoke_url: "{{ config.url }}/revoke"\n', "")
    (synced.folder / "providers.yaml").write_text(text)
    assert synced("connections", "delete", "demo") == "deleted `demo` and 3 records of Order\n"
    assert (synced.err, revocations(api)) == ("", [])


@pytest.mark.parametrize(
    ("answer", "code", "end"),
    [
        ("n", 1, "nothing was deleted"),
        ("y", 0, "deleted `demo` and 3 records of Order; its token works no more"),
    ],
)
def test_on_a_terminal_it_asks_first(synced: Terapi, answer: str, code: int, end: str) -> None:
    terminal = Terminal()
    command = [sys.executable, "-m", "runner.cli", "-C", str(synced.folder), "connections", "delete", "demo"]
    ends = {"stdin": terminal.theirs, "stdout": terminal.theirs, "stderr": terminal.theirs}
    process = subprocess.Popen(command, env=synced.environ, **ends)
    terminal.until("Delete it? [y/N]: ")
    assert "`demo` of shop would go, and with it 3 records of Order." in terminal.shown
    terminal.type(f"{answer}\n")
    terminal.until(end)
    assert process.wait(30) == code
    terminal.close()


def test_a_sync_under_way_stores_nothing_for_a_connection_that_is_gone(connected: Terapi, api: Api) -> None:
    stuck = Stuck(api)
    process = connected.start("sync", "orders", "--json")
    assert stuck.asked.wait(30)
    connected("connections", "delete", "demo", "--yes")
    stuck.go_on.set()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "error: the connection `demo` was deleted meanwhile\n" in err
    with open_store(f"sqlite:///{connected.folder}/.terapi/terapi.db") as store:
        assert store.records.streams() == []
