"""Turns: a run keeps its own from its first step to its end, and whoever waits for one rests in the store."""

from __future__ import annotations

import json

import pytest

from runner.store import Run
from runner.workflow.answers import Answer, answer
from tests.api import Api, Reply
from tests.workflow.conftest import Flows
from tests.workflow.due import go_on, look, started

GATE = """
    input: {name: {type: string}}
    concurrency: {per: input.name, busy: queue}
    steps: [{approve: {message: Go on?}}, {use: create_order, with: {name: "{{ input.name }}"}}]
"""


@pytest.fixture(autouse=True)
def orders(api: Api) -> None:
    api.on("/orders", lambda seen: Reply({"id": json.loads(seen.body)["name"]} if seen.body else None))


def begin(flows: Flows, name: str = "tea") -> Run:
    """A run as a server begins it: it rests where it is not its turn."""
    return flows.kept(flows.run(given={"name": name}, patience=0.0, hold=1.0).run)


def approve(flows: Flows, run: Run) -> None:
    answer(flows.store, flows.kept(run.id), Answer(approved=True, at=1.0))


def statuses(flows: Flows) -> list[str]:
    return [run.status for run in started(flows)]


def test_who_waits_for_a_person_keeps_its_turn_and_the_others_rest(flows: Flows) -> None:
    flows.write(GATE)
    first, second, other = begin(flows), begin(flows), begin(flows, "milk")
    assert statuses(flows) == ["waiting", "queued", "waiting"]
    assert (first.in_turn, second.in_turn, other.in_turn) == (True, False, True)
    # Nothing is due: it is nobody's turn.
    assert go_on(flows) == []
    approve(flows, first)
    third = begin(flows)
    # An answered run goes on before those that wait for its turn, and they in their order.
    assert third.status == "queued"
    assert go_on(flows) == ["success"]
    assert go_on(flows) == ["waiting"]
    assert [flows.kept(run.id).status for run in (first, second, third)] == ["success", "waiting", "queued"]


def test_an_older_one_comes_first_where_somebody_works(flows: Flows) -> None:
    flows.write(GATE)
    first, second = begin(flows), begin(flows)
    flows.cancel(first.id)
    with flows.store.lock("worker"):
        assert begin(flows).status == "queued"
    # Where nobody takes up what rests, nobody waits behind it.
    assert begin(flows).status == "waiting"
    assert flows.kept(second.id).status == "queued"


def test_a_run_that_was_killed_waits_for_its_turn_anew(flows: Flows) -> None:
    flows.write(GATE)
    first = begin(flows)
    flows.store.database.run("UPDATE runs SET status = 'running' WHERE id = ?", (first.id,))
    assert flows.kept(first.id).status == "lost"
    second = begin(flows)
    assert second.status == "waiting"
    assert flows.resume(first.id, patience=0.0).status == "queued"
    approve(flows, second)
    assert go_on(flows) == ["success"]
    assert go_on(flows) == ["waiting"]
    assert flows.kept(first.id).status == "waiting"


def test_as_many_as_the_limit_are_under_way(flows: Flows) -> None:
    flows.write(GATE.replace("busy: queue", "limit: 2"))
    runs = [begin(flows) for _ in range(4)]
    assert statuses(flows) == ["waiting", "waiting", "queued", "queued"]
    approve(flows, runs[1])
    assert go_on(flows) == ["success"]
    assert go_on(flows) == ["waiting"]
    assert statuses(flows) == ["waiting", "success", "waiting", "queued"]


def test_the_latest_takes_the_place_of_all_that_rest(flows: Flows) -> None:
    flows.write(GATE.replace("queue", "replace"))
    begin(flows)
    lost = begin(flows)
    flows.store.database.run("UPDATE runs SET status = 'running' WHERE id = ?", (lost.id,))
    last = begin(flows)
    assert statuses(flows) == ["cancelled", "cancelled", "waiting"]
    assert (flows.kept(lost.id).error or {})["message"] == "a later run has taken its place"
    assert flows.kept(last.id).in_turn


def test_a_step_whose_workflow_is_not_at_its_turn_rests_with_its_run(flows: Flows) -> None:
    flows.write(GATE, "child")
    flows.write('input: {name: {type: string}}\nsteps: [{workflow: child, with: {name: "{{ input.name }}"}}]')
    first, second = begin(flows), begin(flows)
    [waits], [queued] = flows.store.runs.children(first.id), flows.store.runs.children(second.id)
    assert (waits.status, queued.status, second.status) == ("waiting", "queued", "waiting")
    assert second.due_at == flows.clock.time + 2.0
    approve(flows, first)
    assert go_on(flows) == ["success"]
    flows.clock.time += 2.0
    assert go_on(flows) == ["waiting"]
    assert flows.kept(queued.id).status == "waiting"


def test_what_a_cancelled_run_has_called_and_rests_frees_its_turn(flows: Flows) -> None:
    flows.write(GATE, "child")
    flows.write('input: {name: {type: string}}\nsteps: [{workflow: child, with: {name: "{{ input.name }}"}}]')
    first = begin(flows)
    [child] = flows.store.runs.children(first.id)
    flows.cancel(first.id)
    found = flows.kept(child.id)
    assert (found.status, found.in_turn) == ("cancelled", False)
    assert (found.error or {})["message"] == "the run that called it has ended"


def test_what_a_schedule_starts_waits_for_its_turn_too(flows: Flows) -> None:
    flows.write(
        GATE.replace("input.name", "connection.id")
        + "    on: {schedule: {at: every hour, input: {name: due}}}\n"
    )
    look(flows)
    for _ in range(3):
        flows.clock.time += 3600
        look(flows)
        go_on(flows)
    assert statuses(flows) == ["waiting", "queued", "queued"]


def test_an_undo_that_has_to_wait_for_longer_leaves_the_process(flows: Flows, api: Api) -> None:
    """It was taken for a fault of our own."""
    api.on("/undo", [Reply({}, 503)] * 12 + [Reply({})])
    result = flows.run(
        """
        on_failure: rollback
        steps:
          - id: a
            use: create_order
            with: {name: tea}
            undo: {request: {method: DELETE, path: /undo}, retry: {attempts: 9, initial: 30s, max: 60s}}
          - {fail: no}
    """,
        hold=1.0,
    )
    assert (result.status, result.due_at is not None) == ("waiting", True)
    for _ in range(9):
        flows.clock.time += 60
        if (done := flows.resume(result.run, hold=1.0)).status != "waiting":
            break
    assert (done.status, done.undone) == ("failed", ["a"])
