"""Webhooks over HTTP: acknowledged when they are kept, then worked through, each once."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import httpx
import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Arrival, Connection, Delivery, NewRun, open_store
from runner.store.deliveries import BEGUN
from tests.api import Api, Reply, Seen
from tests.server.conftest import ENVIRON, Send, post_webhook
from tests.server.served import Served, serving

CHANGED = {"type": "order.changed", "connection": "demo", "id": "e-1"}
PLACED = {"type": "order.placed", "connection": "demo", "id": "e-2", "name": "tea"}
ORDERS = Reply({"orders": [{"id": "1", "at": "2026-01-01T00:00:00Z", "name": "tea"}]})


def kept(served: Served) -> Delivery:
    [found] = served.store.deliveries.newest()
    return found


def test_a_signed_webhook_ends_in_a_stored_change(served: Served, api: Api, send: Send) -> None:
    api.on("/orders", ORDERS)
    found = send(CHANGED)
    assert (found.status_code, found.json()["status"]) == (202, "received")
    served.log.wait("(order.changed): done")
    assert served.store.records.stream("shop", "demo", "Order").count()["added"] == 1
    assert (kept(served).id, kept(served).status) == (found.json()["delivery"], "done")


def test_a_webhook_starts_a_workflow_with_its_input(served: Served, api: Api, send: Send) -> None:
    api.on("/orders", Reply({"id": 7}))
    send(PLACED)
    served.log.wait("(order.placed): done")
    assert [json.loads(seen.body) for seen in api.seen] == [{"name": "tea"}]


def test_a_webhook_that_comes_twice_is_worked_through_once(served: Served, api: Api, send: Send) -> None:
    api.on("/orders", Reply({"id": 7}))
    first = send(PLACED)
    served.log.wait("(order.placed): done")
    again = send(PLACED)
    assert (again.status_code, again.json()) == (202, {**first.json(), "status": "duplicate"})
    send({**PLACED, "id": "e-3"})
    served.log.wait("(order.placed): done", 2)
    assert len(api.seen) == 2


def test_many_changes_of_one_connection_need_few_syncs(served: Served, api: Api, send: Send) -> None:
    api.on("/orders", ORDERS)
    events = [{"type": "order.changed"} for _ in range(20)]
    send({"connection": "demo", "id": "many", "events": events})
    served.log.wait("(order.changed): done")
    assert len(served.store.runs.newest(kind="sync")) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"X-Signature": ""}, {"X-Signature": "00"}, {"X-Signature": "f" * 64}]
)
def test_a_webhook_that_is_not_proved_is_not_kept(served: Served, headers: dict[str, str]) -> None:
    found = httpx.post(f"{served.url}/webhooks/shop", json=CHANGED, headers=headers)
    assert (found.status_code, found.json()["error"]["code"]) == (401, "invalid_signature")
    assert served.store.deliveries.newest() == []
    assert "a webhook of shop was refused: the " in served.log.wait("refused")


def test_a_webhook_needs_no_key_and_opens_nothing(served: Served, send: Send) -> None:
    assert send(b"not json at all").status_code == 202
    assert httpx.get(f"{served.url}/connections").status_code == 401


@pytest.mark.parametrize("integration", ["nope", "shop/more", "%2e%2e"])
def test_an_integration_that_takes_none_is_not_found(served: Served, integration: str) -> None:
    found = httpx.post(f"{served.url}/webhooks/{integration}", json={})
    assert (found.status_code, found.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_handshake_is_answered_at_once_as_plain_text(served: Served, method: str) -> None:
    given = {"challenge": "<script>1</script>"}
    found = httpx.request(method, f"{served.url}/webhooks/shop", params=given)
    assert (found.status_code, found.text) == (200, "<script>1</script>")
    assert found.headers["content-type"].startswith("text/plain")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert served.store.deliveries.newest() == []


def test_a_webhook_is_not_fetched(served: Served) -> None:
    found = httpx.get(f"{served.url}/webhooks/shop")
    assert (found.status_code, found.headers["allow"]) == (405, "POST")


def test_what_cannot_be_kept_is_not_acknowledged(served: Served, send: Send, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / ".terapi" / "terapi.db") as state:
        state.execute("DROP TABLE deliveries")
    assert send(CHANGED).status_code == 503


def test_what_nobody_wants_is_kept_with_the_reason(served: Served, send: Send) -> None:
    send({**CHANGED, "connection": "nobody"})
    served.log.wait("unmatched: there is no connection `nobody` of shop")
    assert kept(served).status == "unmatched"


def test_a_failure_that_stays_is_parked(served: Served, api: Api, send: Send) -> None:
    api.on("/orders", Reply({"error": "no such thing"}, 400))
    send(PLACED)
    served.log.wait("(order.placed): failed: workflow place-order: ")
    found = kept(served)
    assert (found.status, found.attempts) == ("failed", 1)
    assert "answered 400: no such thing (run " in (found.error or "")


def test_a_failure_that_passes_waits_for_another_try(served: Served, api: Api, send: Send) -> None:
    api.on("/orders", Reply({}, 503))
    send(PLACED)
    served.log.wait("(order.placed): waits for another try: ")
    found = kept(served)
    assert (found.status, found.attempts) == ("received", 1)
    assert found.due_at is not None
    assert 4 < found.due_at - found.received_at < 30


def test_what_may_be_done_already_is_not_done_again(served: Served, api: Api, send: Send) -> None:
    api.on("/orders", Reply({}, 500))
    send(PLACED)
    served.log.wait("(order.placed): failed: ")
    assert "terapi webhooks replay" in (kept(served).error or "")
    assert len(api.seen) == 1


def test_one_slow_connection_keeps_no_other_waiting(
    served: Served, access: Access, api: Api, send: Send
) -> None:
    release = threading.Event()

    def slow(seen: Seen) -> Reply:
        if json.loads(seen.body)["name"] == "slow":
            release.wait(20)
        return Reply({"id": 1})

    api.on("/orders", slow)
    place = NewConnection(id="other", config={"url": api.url}, allow_local=True)
    access.connect.keep(access.project.provider("shop"), place, Credentials(type="OAUTH2", access_token="t"))
    send({**PLACED, "id": "1", "name": "slow"})
    send({**PLACED, "id": "2", "name": "behind it"})
    send({**PLACED, "id": "3", "name": "quick", "connection": "other"})
    served.log.wait("place-order for other: ")
    assert not any("for demo" in line for line in served.log.lines)
    release.set()
    served.log.wait("place-order for demo: ", 2)
    names = [json.loads(seen.body)["name"] for seen in api.seen]
    assert names.index("slow") < names.index("behind it")


def left(url: str, *notes: str) -> None:
    """A webhook and its notes, as a killed server leaves them."""
    with open_store(url) as store:
        delivery, _ = store.deliveries.add(
            Arrival(integration="shop", headers={}, body=json.dumps(PLACED).encode(), connection="demo")
        )
        for note in notes:
            store.deliveries.note(delivery, note)


KEY = "0:workflow:place-order:demo"


def test_what_was_stored_is_worked_through_at_the_next_start(
    project: Project, connection: Connection, url: str, api: Api
) -> None:
    api.on("/orders", Reply({"id": 7}))
    with serving(project, url, ENVIRON, work=False) as idle:
        post_webhook(idle, PLACED)
        assert kept(idle).status == "received"
    assert api.seen == []
    with serving(project, url, ENVIRON) as served:
        served.log.wait("(order.placed): done")
    assert len(api.seen) == 1


def test_what_is_noted_as_done_is_not_done_again(
    project: Project, connection: Connection, url: str, api: Api
) -> None:
    left(url, KEY)
    with serving(project, url, ENVIRON) as served:
        served.log.wait(": done")
    assert api.seen == []


@pytest.mark.parametrize(("status", "calls", "line"), [
    ("success", 0, ": done"),
    ("failed", 1, ": done"),
    ("cancelled", 0, ": failed: workflow place-order: the server ended while its run"),
])  # fmt: skip
def test_a_run_that_was_cut_short_is_not_done_twice(
    project: Project, connection: Connection, url: str, api: Api, status: str, calls: int, line: str
) -> None:
    api.on("/orders", Reply({"id": 7}))
    with (
        open_store(url) as store,
        store.runs.begin(
            NewRun(kind="workflow", name="place-order", integration="shop", connection="demo", input={})
        ) as run,
    ):
        run.finish(status)
    left(url, f"{BEGUN}{KEY} {run.run.id}")
    with serving(project, url, ENVIRON) as served:
        served.log.wait(line)
        assert len(api.seen) == calls
        if status == "cancelled":
            assert served.store.deliveries.replay(kept(served))
            served.log.wait(": done")
            assert len(api.seen) == 1


def test_a_fault_of_the_state_is_not_met_again_at_once(
    project: Project, connection: Connection, url: str, api: Api, tmp_path: Path
) -> None:
    api.on("/orders", Reply({"id": 7}))
    with sqlite3.connect(tmp_path / ".terapi" / "terapi.db") as state:
        state.execute("CREATE TRIGGER full BEFORE UPDATE ON deliveries "
                      "BEGIN SELECT raise(ABORT, 'no space is left'); END")  # fmt: skip
    with serving(project, url, ENVIRON) as served:
        post_webhook(served, PLACED)
        assert "no space is left" in served.log.wait("error: ")
        for id in ("more", "and more"):
            post_webhook(served, {**PLACED, "id": id})
        assert served.log.lines == [served.log.wait("error: ")]
    assert api.seen == []
    with sqlite3.connect(tmp_path / ".terapi" / "terapi.db") as state:
        state.execute("DROP TRIGGER full")
    with serving(project, url, ENVIRON) as served:
        served.log.wait(": done", 3)
    assert len(api.seen) == 3


def test_a_fault_of_ours_parks_the_webhook_and_hurts_no_other(
    served: Served, api: Api, send: Send, tmp_path: Path
) -> None:
    api.on("/orders", Reply({"id": 7}))
    with sqlite3.connect(tmp_path / ".terapi" / "terapi.db") as state:
        state.execute("CREATE TRIGGER spoil AFTER INSERT ON deliveries BEGIN "
                      "UPDATE deliveries SET progress = '[1]' WHERE id = new.id AND external_id = 'bad'; END")  # fmt: skip
    send({**PLACED, "id": "bad"})
    served.log.wait("failed: a fault in terapi itself: ")
    send(PLACED)
    served.log.wait("(order.placed): done")
