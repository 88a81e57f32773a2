"""`terapi serve` as a process: how it begins, how it ends, and what a killed one leaves to the next."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runner.definitions.project import Project
from runner.store import Connection, Delivery, Store
from tests.api import Api, Reply, Seen
from tests.cli.terapi import Terapi
from tests.server.conftest import SECRET

KEY = "a-key-that-is-long-enough"
PLACED = {"type": "order.placed", "connection": "demo", "id": "e-1", "name": "tea"}
CHANGED = {"type": "order.changed", "connection": "demo", "id": "e-2"}


class Process:
    """A running `terapi serve`."""

    def __init__(self, terapi: Terapi, *args: str) -> None:
        self._process = terapi.start("serve", "--port", "0", "--json", *args)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()
        self.told = json.loads(line)
        self.url: str = self.told["url"]

    def send(self, body: object) -> httpx.Response:
        raw = json.dumps(body).encode()
        proof = {"X-Signature": hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}
        return httpx.post(f"{self.url}/webhooks/shop", content=raw, headers=proof, timeout=20)

    def line(self, text: str) -> str:
        """The next line on stderr that has this in it."""
        assert self._process.stderr is not None
        return next(line for line in self._process.stderr if text in line)

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def join(self) -> int:
        self.said = self._process.communicate(timeout=60)[1]
        return self._process.returncode

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.tell(number)
        return self.join()


@pytest.fixture
def terapi(folder: Path, project: Project, connection: Connection) -> Terapi:
    found = Terapi(folder)
    found.environ |= {"TERAPI_SECRET_KEY": KEY, "TERAPI_SHOP_WEBHOOK_SECRET": SECRET}
    return found


@pytest.fixture
def process(terapi: Terapi) -> Iterator[Process]:
    found = Process(terapi)
    yield found
    found.end(signal.SIGKILL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_says_where_it_is_and_ends_when_told(terapi: Terapi, number: signal.Signals, code: int) -> None:
    process = Process(terapi)
    assert process.told == {"url": process.url, "key_file": None, "worker": True}
    found = httpx.get(f"{process.url}/connections", headers={"Authorization": f"Bearer {KEY}"})
    assert [one["connection_id"] for one in found.json()["connections"]] == ["demo"]
    assert process.end(number) == code
    assert process.said == ""


def test_it_makes_its_key_and_says_how_to_read_it(terapi: Terapi) -> None:
    del terapi.environ["TERAPI_SECRET_KEY"]
    process = terapi.start("serve", "--port", "0")
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(6)]
    file = next(line.split("cat ")[1].strip() for line in said if "cat " in line)
    secret = Path(file).read_text().strip()
    assert secret not in "".join(said)
    url = said[0].strip()
    assert httpx.get(f"{url}/connections", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_definitions_that_are_wrong_are_told_before_it_listens(terapi: Terapi) -> None:
    (terapi.folder / "syncs" / "orders.yaml").write_text("sync: [\n")
    terapi("serve", "--port", "0", code=3)
    assert "syncs/orders.yaml:2:1: error: " in terapi.err


def test_it_listens_for_others_only_with_a_key(terapi: Terapi) -> None:
    del terapi.environ["TERAPI_SECRET_KEY"]
    terapi("serve", "--host", "0.0.0.0", "--port", "0", code=2)
    assert "0.0.0.0 can be reached from other machines, and TERAPI_SECRET_KEY is not set" in terapi.err


class Held:
    """An API that holds its answers until it is told."""

    def __init__(self, api: Api, reply: Reply) -> None:
        self.came, self.release = threading.Semaphore(0), threading.Event()
        self._reply = reply
        api.on("/orders", self._answer)

    def _answer(self, seen: Seen) -> Reply:
        self.came.release()
        self.release.wait(30)
        return self._reply


def action(process: Process) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEY}", "Connection-Id": "demo", "Provider-Config-Key": "shop"}
    body = {"action_name": "place-order", "input": {"name": "tea"}}
    return httpx.post(f"{process.url}/action/trigger", json=body, headers=headers, timeout=30)


def test_what_is_under_way_is_finished_before_it_ends(terapi: Terapi, api: Api) -> None:
    held, process = Held(api, Reply({"id": 7})), Process(terapi)
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(action(process)))
    asking.start()
    assert held.came.acquire(timeout=20)
    process.send(PLACED)
    assert held.came.acquire(timeout=20)
    process.tell(signal.SIGTERM)
    held.release.set()
    asking.join()
    assert answers[0].json() == {"id": 7}
    assert process.join() == 0
    assert json.loads(terapi("webhooks", "list", "--json"))[0]["status"] == "done"


def test_asked_twice_it_ends_at_once(terapi: Terapi, api: Api) -> None:
    held, process = Held(api, Reply({"id": 7})), Process(terapi)
    process.send(PLACED)
    assert held.came.acquire(timeout=20)
    process.tell(signal.SIGTERM)
    assert process.end(signal.SIGINT) == 0
    assert "Traceback" not in process.said
    held.release.set()
    [run] = json.loads(terapi("webhooks", "list", "--json"))
    assert run["status"] == "received"


def kept(store: Store) -> Delivery:
    [found] = store.deliveries.newest()
    return found


def test_killed_between_store_and_work_nothing_is_lost_or_doubled(
    terapi: Terapi, store: Store, api: Api
) -> None:
    api.on("/orders", Reply({"id": 7}))
    with store.lock("worker"):
        process = Process(terapi)
        assert process.send(PLACED).status_code == 202
        process.end(signal.SIGKILL)
    assert (kept(store).status, api.seen) == ("received", [])
    process = Process(terapi)
    assert process.send(PLACED).json()["status"] == "duplicate"
    process.line("(order.placed): done")
    process.end()
    assert (kept(store).status, len(api.seen)) == ("done", 1)


def test_killed_in_a_sync_the_next_goes_on(terapi: Terapi, store: Store, api: Api) -> None:
    order = {"id": "1", "at": "2026-01-01T00:00:00Z", "name": "tea"}
    held, process = Held(api, Reply({"orders": [order]})), Process(terapi)
    process.send(CHANGED)
    assert held.came.acquire(timeout=20)
    process.end(signal.SIGKILL)
    held.release.set()
    process = Process(terapi)
    process.line("(order.changed): done")
    process.end()
    assert kept(store).status == "done"
    assert store.records.stream("shop", "demo", "Order").count()["added"] == 1
    assert [run.status for run in store.runs.newest(kind="sync")] == ["success", "lost"]


def test_killed_in_a_workflow_the_next_goes_on_with_the_step_that_was_under_way(
    terapi: Terapi, store: Store, api: Api
) -> None:
    held, process = Held(api, Reply({"id": 7})), Process(terapi)
    process.send(PLACED)
    assert held.came.acquire(timeout=20)
    process.end(signal.SIGKILL)
    held.release.set()
    process = Process(terapi)
    process.line("(order.placed): done")
    process.end()
    assert (kept(store).status, len(api.seen)) == ("done", 2)
    [run] = store.runs.newest(kind="workflow")
    told = [event["message"] for event in store.runs.events(run.id)]
    assert any("was under way when its process ended, and is done again" in str(line) for line in told)


def test_webhooks_are_sent_listed_shown_and_replayed(terapi: Terapi, process: Process, api: Api) -> None:
    api.on("/orders", Reply({"id": 7}))
    (terapi.folder / "body.json").write_text(json.dumps(PLACED))
    body = f"@{terapi.folder / 'body.json'}"
    assert terapi("webhooks", "send", "shop", body, "--url", process.url).startswith("202 ")
    process.line("(order.placed): done")
    [listed] = json.loads(terapi("webhooks", "list", "--json"))
    assert (listed["event"], listed["connection"], listed["status"]) == ("order.placed", "demo", "done")
    assert listed["id"][:8] in terapi("webhooks", "list", "--status", "done")
    assert terapi("webhooks", "list", "--status", "failed").splitlines() == ["no webhooks"]
    shown = json.loads(terapi("webhooks", "show", listed["id"][:4]))
    assert (shown["body"], shown["external_id"], shown["attempts"]) == (PLACED, "e-1", 1)
    assert "waits to be worked through once more" in terapi("webhooks", "replay", listed["id"])
    process.line("(order.placed): done")
    assert len(api.seen) == 2
    terapi("webhooks", "show", "nope", code=2)
    assert "there is no webhook `nope`" in terapi.err
    found = terapi.json(
        "webhooks", "send", "shop", "{}", "--url", process.url, "-H", "X-Signature: 00", code=1
    )
    assert found["status"] == 401


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("shop", "{}", "--url", "http://127.0.0.1:9"), "127.0.0.1:9 cannot be reached"),
        (("nope", "{}"), "there is no integration `nope`"),
        (("shop", "@nothing.json"), "nothing.json cannot be read"),
        (("shop", "{}", "-H", "nonsense"), "-H takes NAME: VALUE"),
    ],
)
def test_a_webhook_that_cannot_be_sent_is_told(terapi: Terapi, args: tuple[str, ...], sentence: str) -> None:
    terapi("webhooks", "send", *args, code=2)
    assert sentence in terapi.err


def test_without_a_secret_nothing_is_signed(terapi: Terapi) -> None:
    del terapi.environ["TERAPI_SHOP_WEBHOOK_SECRET"]
    terapi("webhooks", "send", "shop", "{}", code=2)
    assert "`shop` has no webhook secret yet" in terapi.err


def test_no_secret_stands_in_what_it_keeps_or_says(terapi: Terapi, process: Process, api: Api) -> None:
    api.on("/orders", Reply({"error": "bad access-token-1"}, 400))
    process.send(PLACED)
    process.line("(order.placed): failed")
    process.end(signal.SIGTERM)
    said = process.said + terapi("webhooks", "list", "--json")
    for path in (terapi.folder / ".terapi").rglob("*"):
        said += path.read_bytes().decode("latin-1") if path.is_file() else ""
    for secret in ("access-token-1", "refresh-token-1", "our-client-secret", SECRET, KEY):
        assert secret not in said


def test_what_others_send_does_not_steer_the_terminal(terapi: Terapi, process: Process) -> None:
    process.send({"type": "\x1b[31mred\nerror: forged", "connection": "demo"})
    assert r"(\x1b[31mred; error: forged): unmatched" in process.line("unmatched")
    assert "\x1b" not in terapi("webhooks", "list")
