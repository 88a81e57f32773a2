"""What a server takes up by itself: batches of records, events that runs wait for, failures that pass, turns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.definitions.project import Project
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.server.conftest import ENVIRON, PLACE_HEADERS, post_webhook
from tests.server.served import Served, serving

HEAD = "version: 1\nintegrations: [shop]\n"
PUSH = """
workflow: push
input: {records: {type: array}}
on: {records: {model: Order, batch: 2}}
steps: [{foreach: input.records, request: {method: POST, path: /pushed, json: {id: "{{ item.id }}"}}}]
"""
PAID = """
workflow: paid
steps:
  - {id: order, use: create_order, with: {name: tea}}
  - {id: paid, wait: {webhook: order.paid, when: event.order == steps.order.id, timeout: 7d}}
output: steps.paid
"""
GATE = """
workflow: gate
input: {name: {type: string}}
concurrency: {busy: BUSY}
steps: [{approve: {message: "{{ input.name }}?"}}, {use: create_order, with: {name: "{{ input.name }}"}}]
on: {webhook: {event: order.gated, input: {name: event.name}}}
"""


@pytest.fixture
def served(folder: Path, project: Project, connection: Connection, url: str) -> Iterator[Served]:
    for name, text in (("push", PUSH), ("paid", PAID), ("gate", GATE.replace("BUSY", "queue")),
                       ("replace", GATE.replace("BUSY", "replace").replace("gate", "replace")),
                       ("refuse", GATE.replace("BUSY", "refuse").replace("gate", "refuse"))):  # fmt: skip
        (folder / "workflows" / f"{name}.yaml").write_text(HEAD + text.lstrip())
    with serving(Project.load(folder).checked(), url, ENVIRON) as found:
        yield found


def act(served: Served, name: str, **given: object) -> tuple[int, dict[str, object]]:
    body = {"action_name": name, "input": given}
    found = served("POST", "/action/trigger", json=body, headers=PLACE_HEADERS)
    return found.status_code, found.json()


def approve(served: Served, run: str) -> None:
    [row] = [row for row in served.store.steps.of(run).all() if row.kind == "approve"]
    assert served.store.steps.of(run).answer(row.path, {"approved": True, "at": None})
    served.store.runs.wake(run)


def pushed(api: Api) -> list[str]:
    return [json.loads(seen.body)["id"] for seen in api.seen if seen.path == "/pushed"]


def sync(served: Served, api: Api, *ids: int) -> None:
    orders = [{"id": str(id), "at": f"2026-01-01T00:00:{id:02}Z", "name": "tea"} for id in ids]
    api.on("/orders", Reply({"orders": orders}))
    served("POST", "/sync/trigger", json={"provider_config_key": "shop"})


def test_what_a_sync_has_stored_comes_to_runs_batch_by_batch(served: Served, api: Api) -> None:
    api.on("/pushed", Reply({"ok": True}))
    sync(served, api, 1, 2, 3)
    served.log.wait("push for demo: 1 change of Order: run ")
    served.log.wait("push for demo: success", 2)
    assert pushed(api) == ["1", "2", "3"]
    sync(served, api, 1, 2, 3, 4)
    served.log.wait("push for demo: success", 3)
    assert pushed(api) == ["1", "2", "3", "4"]


def test_a_batch_whose_failure_passes_waits_and_those_behind_it_too(served: Served, api: Api) -> None:
    api.on("/pushed", Reply({}, 503))
    sync(served, api, 1, 2, 3)
    said = served.log.wait("push for demo: waits for another try: ")
    [run] = served.store.runs.newest(name="push")
    assert f"(run {run.id})" in said
    assert (run.status, run.retries, run.error is not None) == ("waiting", 1, True)
    assert run.due_at is not None
    assert 4 < run.due_at - run.started_at < 60
    api.on("/pushed", Reply({"ok": True}))
    served.store.runs.wake(run.id)
    served.log.wait("push for demo: success", 2)
    assert pushed(api)[-3:] == ["1", "2", "3"]


def test_a_batch_that_fails_for_good_is_kept_and_the_next_goes_on(served: Served, api: Api) -> None:
    api.on("/pushed", lambda seen: Reply({}, 400 if json.loads(seen.body)["id"] == "2" else 200))
    sync(served, api, 1, 2, 3)
    served.log.wait("push for demo: success")
    assert [run.status for run in served.store.runs.newest(name="push")] == ["success", "failed"]
    assert pushed(api) == ["1", "2", "3"]


def test_an_event_comes_to_the_run_that_waits_for_it_once(served: Served, api: Api) -> None:
    api.on("/orders", lambda seen: Reply({"id": json.loads(seen.body)["name"]}))
    status, told = act(served, "paid")
    assert (status, told["status"]) == (202, "waiting")
    post_webhook(served, {"type": "order.paid", "connection": "demo", "order": "coffee", "id": "1"})
    served.log.wait("paid for demo: waiting")
    for _ in range(2):
        post_webhook(served, {"type": "order.paid", "connection": "demo", "order": "tea", "id": "2"})
    served.log.wait("paid for demo: success")
    run = served.store.runs.get(str(told["run"]))
    assert run is not None
    assert isinstance(run.output, dict)
    assert (run.output["order"], len(api.seen)) == ("tea", 1)
    assert [found.status for found in served.store.deliveries.newest()] == ["done", "done"]


def test_whoever_waits_for_its_turn_holds_up_nobody(served: Served, api: Api) -> None:
    """Ten runs behind one that waits for a person, and another workflow's webhook behind them."""
    names: list[str] = []

    def order(seen: Seen) -> Reply:
        names.append(json.loads(seen.body)["name"])
        return Reply({"id": 1})

    api.on("/orders", order)
    for number in range(10):
        post_webhook(
            served, {"type": "order.gated", "connection": "demo", "name": str(number), "id": f"g{number}"}
        )
    served.log.wait("gate for demo: queued", 9)
    post_webhook(served, {"type": "order.placed", "connection": "demo", "name": "tea", "id": "p"})
    served.log.wait("(order.placed): done")
    for number in range(10):
        served.log.wait("gate for demo: waiting", number + 1)
        [run] = [run for run in served.store.runs.newest(name="gate") if run.status == "waiting"]
        assert run.input == {"name": str(number)}
        approve(served, run.id)
        served.log.wait("gate for demo: success", number + 1)
    assert names == ["tea", *map(str, range(10))]


def gated(name: str, number: int) -> dict[str, object]:
    return {"type": name, "connection": "demo", "name": str(number), "id": f"{name}{number}"}


def test_the_latest_wins(served: Served, api: Api) -> None:
    api.on("/orders", Reply({"id": 1}))
    post_webhook(served, gated("order.replaced", 0))
    served.log.wait("replace for demo: waiting")
    post_webhook(served, gated("order.replaced", 1))
    served.log.wait("replace for demo: waiting", 2)
    last, first = served.store.runs.newest(name="replace")
    assert (first.status, (first.error or {})["message"]) == ("cancelled", "a later run has taken its place")
    assert last.status == "waiting"


def test_one_that_refuses_does_not_begin(served: Served, api: Api) -> None:
    post_webhook(served, gated("order.refused", 0))
    served.log.wait("refuse for demo: waiting")
    post_webhook(served, gated("order.refused", 1))
    served.log.wait("refuse for demo: not started: `refuse` is under way already: run ")
    assert [run.status for run in served.store.runs.newest(name="refuse")] == ["failed", "waiting"]
    assert served.refusal("POST", "/action/trigger", json={"action_name": "refuse", "input": {"name": "x"}},
                          headers=PLACE_HEADERS) == (409, "running")  # fmt: skip
