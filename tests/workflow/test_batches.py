"""Changed records start workflows: batch by batch, each change once, in the order of the changes."""

from __future__ import annotations

import json

import pytest

from runner.store import TriggerKey
from runner.workflow.triggers.listing import listed
from tests.workflow.conftest import Flows
from tests.workflow.due import go_on, inputs, look, started

PUSH = """
    input: {records: {type: array, items: {type: object}}}
    on: {records: {model: Order, batch: 3}}
    steps: [{set: {x: 1}}]
"""
KEY = TriggerKey("try", "records", "shop", "demo")


def put(flows: Flows, *ids: int, integration: str = "shop", **fields: object) -> None:
    rows = [(str(id), json.dumps({"id": str(id), **fields}).encode()) for id in ids]
    flows.store.records.stream(integration, "demo", "Order").write(rows, flows.clock.time)


def delete(flows: Flows, *ids: int) -> None:
    flows.store.records.stream("shop", "demo", "Order").delete([str(id) for id in ids], flows.clock.time)


def batches(flows: Flows) -> list[list[str]]:
    """The ids that each run got."""
    return [[str(record["id"]) for record in given["records"]] for given in inputs(flows)]  # type: ignore[attr-defined]


def all_of(flows: Flows) -> list[list[str]]:
    """Looks and goes on until nothing is left; gives the ids that each run got."""
    while look(flows) or go_on(flows):
        pass
    return batches(flows)


def test_what_changes_from_now_on_comes_to_a_run(flows: Flows) -> None:
    put(flows, 1, 2)
    flows.write(PUSH)
    assert look(flows) == []
    put(flows, 3, 4)
    [told] = look(flows)
    [run] = started(flows)
    assert told == f"try for demo: 2 changes of Order: run {run.id[:8]}"
    assert run.started_by == {"by": "records", "model": "Order", "after": 2, "to": 4}
    assert run.input == {"records": [{"id": "3"}, {"id": "4"}]}


def test_what_was_there_counts_where_the_workflow_says_so(flows: Flows) -> None:
    put(flows, 1, 2)
    flows.write(PUSH.replace("batch: 3", "existing: true"))
    assert all_of(flows) == [["1", "2"]]


def test_the_changes_of_a_variant_are_its_own(flows: Flows) -> None:
    flows.write(PUSH.replace("model: Order,", "model: Order, variant: eu,"))
    assert look(flows) == []
    put(flows, 1, 2)
    assert look(flows) == []
    row = json.dumps({"id": "3"}).encode()
    flows.store.records.stream("shop", "demo", "Order", "eu").write([("3", row)], flows.clock.time)
    look(flows)
    assert batches(flows) == [["3"]]
    [waiting] = listed(flows.project, flows.store, flows.clock.time)
    assert (waiting.what, waiting.behind) == ("Order::eu", 0)


def test_batches_come_one_after_the_other(flows: Flows) -> None:
    flows.write(PUSH)
    look(flows)
    put(flows, *range(7))
    assert len(look(flows)) == 1
    # The next waits until that one has ended, and gets what came meanwhile.
    assert look(flows) == []
    put(flows, 0, 7, name="again")
    assert go_on(flows) == ["success"]
    assert all_of(flows) == [["0", "1", "2"], ["3", "4", "5"], ["6", "0", "7"]]


def test_as_many_at_once_as_the_workflow_says(flows: Flows) -> None:
    flows.write("concurrency: {limit: 2}\n" + PUSH.replace("\n    ", "\n"))
    look(flows)
    put(flows, *range(9))
    assert len(look(flows)) == 2
    assert look(flows) == []
    assert len(all_of(flows)) == 3


@pytest.mark.parametrize(("changes", "expected"), [
    ("[added]", [["2"]]),
    ("[updated]", [["1"]]),
    ("[deleted]", [["3"]]),
    ("[added, updated, deleted]", [["1", "2", "3"]]),
])  # fmt: skip
def test_only_the_changes_that_are_wanted_count(
    flows: Flows, changes: str, expected: list[list[str]]
) -> None:
    put(flows, 1, 3)
    flows.write(PUSH.replace("batch: 3", f"changes: {changes}"))
    look(flows)
    put(flows, 1, name="new")
    put(flows, 2)
    delete(flows, 3)
    assert all_of(flows) == expected
    assert flows.store.triggers.all()[KEY].reached == 5


def test_only_the_records_that_fit_count_and_the_rest_is_passed_by(flows: Flows) -> None:
    flows.write(PUSH.replace("batch: 3", "where: record.total > 5 and change == 'added', batch: 2"))
    look(flows)
    for id in range(10):
        put(flows, id, total=id)
    assert all_of(flows) == [["6", "7"], ["8", "9"]]
    put(flows, 1, total=1)
    assert (look(flows), len(started(flows))) == ([], 2)
    assert flows.store.triggers.all()[KEY].reached == 10


def test_the_input_is_made_of_changes(flows: Flows) -> None:
    flows.write("""
        input: {gone: {type: array}, who: {type: string}}
        on:
          records:
            model: Order
            changes: [added, deleted]
            input: {gone: "changes | selectattr('change', 'eq', 'deleted') | map(attribute='id') | list", who: connection.id}
        steps: [{set: {x: 1}}]
    """)
    look(flows)
    put(flows, 1, 2, 3)
    delete(flows, 2)
    look(flows)
    assert inputs(flows) == [{"gone": ["2"], "who": "demo"}]


def test_a_failed_batch_is_kept_can_be_run_again_and_lets_others_go_on(flows: Flows) -> None:
    flows.write(PUSH.replace("{set: {x: 1}}", "{when: \"'1' in (input.records | pluck('id'))\", fail: bad}"))
    look(flows)
    put(flows, *range(6))
    assert all_of(flows) == [["0", "1", "2"], ["3", "4", "5"]]
    failed, done = started(flows)
    assert (failed.status, done.status) == ("failed", "success")
    assert flows.resume(failed.id).status == "failed"


def test_a_condition_that_cannot_be_told_parks_what_was_looked_at(flows: Flows) -> None:
    flows.write(PUSH.replace("batch: 3", "where: record.total > 5"))
    look(flows)
    put(flows, 1, total=9)
    put(flows, 2, total="many")
    put(flows, 3, total=9)
    assert all_of(flows) == [["1", "2"], ["3"]]
    first, second = started(flows)
    assert (first.status, second.status) == ("failed", "success")
    assert (first.error or {})["where"] == "workflows/try.yaml:6:37"


def test_records_of_another_integration_run_on_the_connection_of_the_same_id(flows: Flows) -> None:
    providers = flows.folder / "providers.yaml"
    providers.write_text(f"{providers.read_text()}\nledger: {{alias: shop}}\n")
    flows.write(PUSH.replace("batch: 3", "integration: ledger"))
    look(flows)
    put(flows, 1)
    put(flows, 2, integration="ledger")
    assert all_of(flows) == [["2"]]
    assert started(flows)[0].integration == "shop"


def test_what_changes_while_it_is_paused_waits(flows: Flows) -> None:
    flows.write(PUSH)
    look(flows)
    flows.store.triggers.pause(KEY)
    put(flows, 1)
    assert look(flows) == []
    flows.store.triggers.resume(KEY)
    assert all_of(flows) == [["1"]]


def test_a_workflow_that_takes_no_records_is_started_without(flows: Flows) -> None:
    flows.write("on: {records: {model: Order}}\nsteps: [{set: {x: 1}}]")
    look(flows)
    put(flows, 1)
    look(flows)
    assert inputs(flows) == [{}]


def test_many_that_do_not_count_are_passed_by_in_parts(flows: Flows) -> None:
    """Whoever looks through a hundred thousand of them lets others have their turn."""
    flows.write(PUSH.replace("batch: 3", "where: record.id == '24999', existing: true"))
    put(flows, *range(25_000))
    reached = []
    while not started(flows):
        look(flows)
        reached.append(flows.store.triggers.all()[KEY].reached)
    assert reached == [10_000, 20_000, 25_000]
