"""Runs that wait for people, events and times, and leave the process meanwhile."""

from __future__ import annotations

import json

import pytest

from runner.errors import UsageError
from runner.store import NewSignal
from runner.workflow.answers import Answer, answer, offer
from tests.api import Api, Reply
from tests.workflow.conftest import Flows

GATE = """
    steps:
      - {id: before, use: create_order, with: {name: before}}
      - {id: gate, approve: {message: "Go on with {{ steps.before.id }}?", timeout: 3d, on_timeout: ON_TIMEOUT}}
      - {id: after, use: create_order, with: {name: "after: {{ steps.gate.approved }}"}}
    output: steps.gate
"""
PAID = """
    steps:
      - {id: order, use: create_order, with: {name: tea}}
      - {id: paid, wait: {webhook: order.paid, when: event.order == steps.order.id, timeout: 7d, on_timeout: ON_TIMEOUT}}
    output: steps.paid
"""


@pytest.fixture(autouse=True)
def orders(api: Api) -> None:
    api.on("/orders", lambda seen: Reply({"id": json.loads(seen.body)["name"]}))


def names(api: Api) -> list[str]:
    return [json.loads(seen.body)["name"] for seen in api.seen if seen.method == "POST"]


def reply(flows: Flows, id: str, *, approved: bool = True, comment: str | None = None) -> str:
    given = Answer(approved=approved, at=flows.clock.now(), comment=comment)
    return answer(flows.store, flows.kept(id), given).id


def pay(flows: Flows, id: str, order: str, key: str = "1") -> None:
    scope = {"event": {"order": order}, "body": {}, "headers": {}}
    signal = NewSignal(key=key, integration="shop", connection="demo", event="order.paid", scope=scope)
    offer(flows.store, flows.kept(id), signal)


def test_a_run_waits_for_an_approval_and_goes_on(flows: Flows, api: Api) -> None:
    result = flows.run(GATE.replace("ON_TIMEOUT", "fail"))
    assert (result.status, result.due_at) == ("waiting", flows.clock.time + 3 * 86400)
    assert flows.kept(result.run).status == "waiting"
    # Looked at before it is due, it waits on.
    assert flows.resume(result.run).status == "waiting"
    assert reply(flows, result.run) == result.run
    done = flows.resume(result.run)
    assert (done.status, done.output) == ("success", {"approved": True, "at": "2027-01-15T08:00:00.000Z"})
    assert names(api) == ["before", "after: true"]


def test_a_rejection_fails_the_step(flows: Flows, api: Api) -> None:
    result = flows.run(GATE.replace("ON_TIMEOUT", "fail"))
    reply(flows, result.run, approved=False, comment="too many")
    done = flows.resume(result.run)
    assert done.error is not None
    assert (done.error["kind"], done.error["message"]) == (
        "rejected",
        "`Go on with before?` was rejected: too many",
    )
    with pytest.raises(UsageError, match=r"no step of run .* waits for an approval"):
        reply(flows, result.run)


@pytest.mark.parametrize(
    ("on_timeout", "status", "sent"), [("fail", "failed", 1), ("continue", "success", 2)]
)
def test_nobody_answers(flows: Flows, api: Api, on_timeout: str, status: str, sent: int) -> None:
    result = flows.run(GATE.replace("ON_TIMEOUT", on_timeout))
    flows.clock.time += 3 * 86400
    done = flows.resume(result.run)
    assert (done.status, len(names(api))) == (status, sent)
    assert (done.error or {}).get("kind") == ("timeout" if status == "failed" else None)


def test_of_several_that_wait_one_is_named(flows: Flows) -> None:
    result = flows.run(
        "steps: [{parallel: [{id: a, approve: {message: A?}}, {id: b, approve: {message: B?}}]}]\noutput: \"'done'\""
    )
    run = flows.kept(result.run)
    given = Answer(approved=True, at=1.0)
    with pytest.raises(UsageError, match="several steps wait for an approval"):
        answer(flows.store, run, given)
    answer(flows.store, run, given, "#1/a")
    assert flows.resume(result.run).status == "waiting"
    answer(flows.store, run, given)
    assert flows.resume(result.run).output == "done"


def test_a_run_waits_for_its_own_event(flows: Flows) -> None:
    result = flows.run(PAID.replace("ON_TIMEOUT", "fail"))
    assert [run.id for run in flows.store.runs.awaiting("shop", "order.paid", "demo")] == [result.run]
    assert flows.store.runs.awaiting("shop", "order.lost", "demo") == []
    assert flows.store.runs.awaiting("shop", "order.paid", "other") == []
    pay(flows, result.run, "coffee")
    assert flows.resume(result.run).status == "waiting"
    pay(flows, result.run, "tea", "2")
    assert flows.kept(result.run).status == "queued"
    assert flows.resume(result.run).output == {"order": "tea"}
    assert flows.store.runs.awaiting("shop", "order.paid", "demo") == []


def test_an_event_that_comes_before_the_step_counts_too(flows: Flows) -> None:
    result = flows.run(
        "steps: [{approve: {message: Yes?}}, {id: paid, wait: {webhook: order.paid}}]\noutput: steps.paid"
    )
    pay(flows, result.run, "tea")
    pay(flows, result.run, "tea")  # the same once more
    reply(flows, result.run)
    assert flows.resume(result.run).output == {"order": "tea"}


def test_one_event_serves_one_step(flows: Flows) -> None:
    steps = "[{id: a, wait: {webhook: order.paid}}, {id: b, wait: {webhook: order.paid}}]"
    result = flows.run(f"steps: {steps}\noutput: '[steps.a.order, steps.b.order]'")
    pay(flows, result.run, "tea", "1")
    pay(flows, result.run, "tea", "1")
    assert flows.resume(result.run).status == "waiting"
    pay(flows, result.run, "milk", "2")
    assert flows.resume(result.run).output == ["tea", "milk"]


@pytest.mark.parametrize(("on_timeout", "status"), [("fail", "failed"), ("continue", "success")])
def test_no_event_comes(flows: Flows, on_timeout: str, status: str) -> None:
    result = flows.run(PAID.replace("ON_TIMEOUT", on_timeout))
    flows.clock.time = result.due_at or 0.0
    assert flows.resume(result.run).status == status


def test_a_long_wait_leaves_a_process_that_does_not_hold_it(flows: Flows, api: Api) -> None:
    text = "steps: [{wait: {for: 2d}}, {use: create_order, with: {name: late}}]"
    result = flows.run(text, hold=60.0)
    assert (result.status, result.due_at, names(api)) == ("waiting", flows.clock.time + 2 * 86400, [])
    assert flows.resume(result.run, hold=60.0).status == "waiting"
    flows.clock.time += 2 * 86400
    assert flows.resume(result.run, hold=60.0).status == "success"
    assert names(api) == ["late"]


def test_one_branch_waits_and_the_others_go_on(flows: Flows, api: Api) -> None:
    result = flows.run("""
        steps:
          - parallel:
              - {approve: {message: Really?}}
              - {use: create_order, with: {name: at once}}
          - {use: create_order, with: {name: then}}
    """)
    assert (result.status, names(api)) == ("waiting", ["at once"])
    reply(flows, result.run)
    assert flows.resume(result.run).status == "success"
    assert names(api) == ["at once", "then"]


def test_a_timeout_wakes_what_waits(flows: Flows) -> None:
    result = flows.run("steps: [{timeout: 1h, steps: [{approve: {message: Soon?, timeout: 3d}}]}]")
    assert result.due_at == flows.clock.time + 3600
    flows.clock.time += 3600
    done = flows.resume(result.run)
    assert done.error is not None
    assert (done.status, done.error["kind"]) == ("failed", "timeout")


def test_an_answer_that_comes_while_the_run_parks_is_not_lost(flows: Flows, api: Api) -> None:
    """The person is quicker than the other branch, which is under way in the run's process."""
    ids: list[str] = []

    def order(seen: object) -> Reply:
        reply(flows, ids[0])
        return Reply({"id": "x"})

    api.on("/orders", order)
    text = "steps: [{parallel: [{id: gate, approve: {message: Yes?}}, {use: create_order, with: {name: slow}}]}]\noutput: steps.gate.approved"
    result = flows.run(text, started=lambda run: ids.append(run.id))
    assert (result.status, result.output) == ("success", True)
