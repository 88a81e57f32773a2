"""Workflows that call workflows: each a run of its own, taken up and undone with its caller."""

from __future__ import annotations

import json

import pytest

from runner.errors import DefinitionsInvalid, UsageError
from runner.workflow.answers import Answer, answer
from tests.api import Api, Reply
from tests.workflow.conftest import Flows

CHILD = """
    input: {name: {type: string}, note: {type: string, default: none}}
    steps:
      - id: order
        use: create_order
        with: {name: "{{ input.name }}", note: "{{ input.note }}"}
        undo: {request: {method: DELETE, path: /orders, query: {id: "{{ result.id }}"}}}
    output: {id: steps.order.id}
"""
CALL = "steps: [{id: made, workflow: child, with: {name: tea}}]\noutput: steps.made.id"


@pytest.fixture(autouse=True)
def orders(api: Api) -> None:
    api.on("/orders", lambda seen: Reply({"id": json.loads(seen.body)["name"]} if seen.body else None))


def sent(api: Api) -> list[str]:
    return [
        f"{seen.method} {json.loads(seen.body)['name'] if seen.body else seen.query['id']}"
        for seen in api.seen
    ]


def test_a_workflow_is_called_with_its_defaults_and_gives_its_output(flows: Flows, api: Api) -> None:
    flows.write(CHILD, "child")
    result = flows.run(CALL)
    assert result.output == "tea"
    [child] = flows.store.runs.children(result.run)
    assert (child.name, child.status, child.input) == ("child", "success", {"name": "tea", "note": "none"})
    assert child.started_by == {"by": "workflow", "run": result.run, "step": "made"}


def test_its_failure_is_the_steps_with_its_kind(flows: Flows) -> None:
    flows.write("steps: [{fail: {message: no tea, kind: gone}}]", "child")
    result = flows.run(
        "steps: [{id: made, workflow: child, catch: [{when: error.kind == 'gone', output: error.message}]}]\noutput: steps.made"
    )
    [child] = flows.store.runs.children(result.run)
    assert result.output == f"`child` failed: no tea (run {child.id[:8]})"


def test_what_it_did_is_undone_with_its_caller(flows: Flows, api: Api) -> None:
    flows.write(CHILD, "child")
    result = flows.run("""
        on_failure: rollback
        steps:
          - {id: each, foreach: "['a', 'b']", workflow: child, with: {name: "{{ item }}"}}
          - {fail: enough}
    """)
    assert sent(api) == ["POST a", "POST b", "DELETE b", "DELETE a"]
    assert result.undone == ["each[1]/order", "each[0]/order"]


def test_an_undo_of_ones_own_takes_its_place(flows: Flows, api: Api) -> None:
    flows.write(CHILD, "child")
    api.on("/undo", Reply(None))
    result = flows.run("""
        on_failure: rollback
        steps:
          - {id: made, workflow: child, with: {name: a}, undo: {request: {method: PUT, path: /undo, query: {id: "{{ result.id }}"}}}}
          - {fail: enough}
    """)
    assert (sent(api), result.undone) == (["POST a", "PUT a"], ["made"])


def test_what_a_failed_one_kept_is_undone_too(flows: Flows, api: Api) -> None:
    flows.write(CHILD.replace("    output", "      - {fail: half way}\n    output"), "child")
    result = flows.run(f"on_failure: rollback\n{CALL}")
    assert (result.status, sent(api)) == ("failed", ["POST tea", "DELETE tea"])


def test_it_waits_and_its_caller_with_it(flows: Flows, api: Api) -> None:
    flows.write(CHILD.replace("    steps:\n", "    steps:\n      - approve: {message: Really?}\n"), "child")
    result = flows.run(CALL)
    assert (result.status, sent(api)) == ("waiting", [])
    [child] = flows.store.runs.children(result.run)
    outer = answer(flows.store, flows.kept(result.run), Answer(approved=True, at=1.0))
    assert (outer.id, outer.status, child.status) == (result.run, "queued", "waiting")
    done = flows.resume(result.run)
    assert (done.output, sent(api)) == ("tea", ["POST tea"])


def test_what_failed_in_it_is_done_again_when_its_caller_goes_on(flows: Flows, api: Api) -> None:
    flows.write(CHILD, "child")
    api.on("/orders", [Reply({"error": "bad"}, 400), Reply({"id": "tea"})])
    result = flows.run(CALL)
    assert result.status == "failed"
    done = flows.resume(result.run)
    assert (done.output, len(api.seen)) == ("tea", 2)
    assert len(flows.store.runs.children(result.run)) == 1


def test_it_keeps_the_text_that_its_run_began_with(flows: Flows, api: Api) -> None:
    flows.write(CHILD.replace("    steps:\n", "    steps:\n      - approve: {message: Really?}\n"), "child")
    result = flows.run(CALL)
    flows.write("input: {name: {type: string}}\nsteps: [{fail: changed}]", "child")
    (flows.folder / "workflows" / "try.yaml").unlink()
    answer(flows.store, flows.kept(result.run), Answer(approved=True, at=1.0))
    assert flows.resume(result.run).output == "tea"


def test_a_dry_run_goes_through_it(flows: Flows, api: Api) -> None:
    flows.write(CHILD, "child")
    result = flows.run(CALL, dry=True)
    assert (result.status, api.seen) == ("success", [])
    inner = result.steps[0]["steps"]
    assert isinstance(inner, list)
    assert inner[0]["requests"][0]["body"] == '{"name": "tea", "note": "none"}'


def test_one_that_is_not_durable_is_a_part_of_its_step(flows: Flows, api: Api) -> None:
    flows.write("durable: false\n" + CHILD.replace("\n    ", "\n"), "child")
    result = flows.run(CALL)
    assert (result.output, flows.store.runs.children(result.run)) == ("tea", [])
    assert flows.journal(result.run) == {"made": "done"}


def test_a_circle_is_told_when_the_files_are_read(flows: Flows) -> None:
    flows.write("steps: [{workflow: b}]", "a")
    flows.write("steps: [{foreach: '[1]', steps: [{workflow: c}]}]", "b")
    flows.write("steps: [{switch: [{steps: [{workflow: a}]}]}]", "c")
    assert flows.problems() == [
        "workflows/a.yaml:4:20: `a` calls itself: a → b → c → a — a step that is done again is written with `repeat` or `foreach`"
    ]


def test_a_circle_that_came_about_meanwhile_ends(flows: Flows) -> None:
    """Each run calls what the other's file says by then."""
    flows.write("steps: [{approve: {message: Go?}}, {workflow: other}]")
    flows.write("steps: [{set: {a: 1}}]", "other")
    result = flows.run()
    flows.write("steps: [{set: {a: 1}}]")
    flows.write("steps: [{workflow: try}]", "other")
    answer(flows.store, flows.kept(result.run), Answer(approved=True, at=1.0))
    assert flows.resume(result.run).status == "success"


def test_a_definition_that_is_gone_is_told(flows: Flows) -> None:
    flows.write(CHILD, "child")
    flows.write("steps: [{approve: {message: Go?}}, {workflow: child, with: {name: tea}}]")
    result = flows.run()
    (flows.folder / "workflows" / "child.yaml").unlink()
    (flows.folder / "workflows" / "try.yaml").unlink()
    answer(flows.store, flows.kept(result.run), Answer(approved=True, at=1.0))
    with pytest.raises(DefinitionsInvalid) as caught:
        flows.resume(result.run)
    [problem] = caught.value.problems
    assert problem.message == "there is no workflow `child`"
    # It waits until the definition is there again, or it is cancelled.
    assert flows.kept(result.run).status == "queued"
    cancelled = flows.cancel(result.run)
    assert cancelled is not None
    assert (cancelled.status, flows.kept(result.run).status) == ("cancelled", "cancelled")


@pytest.mark.parametrize(("with_", "message"), [
    ("{}", "`child` needs `name`"),
    ("{name: tea, nmae: x}", "`child` takes no `nmae` — did you mean `name`?"),
])  # fmt: skip
def test_an_input_that_does_not_fit_is_told_when_the_files_are_read(
    flows: Flows, with_: str, message: str
) -> None:
    flows.write(CHILD, "child")
    flows.write(f"steps: [{{workflow: child, with: {with_}}}]")
    assert [problem for problem in flows.problems() if message in problem] != []


def test_a_value_that_does_not_fit_fails_the_step(flows: Flows) -> None:
    flows.write(CHILD, "child")
    result = flows.run('steps: [{id: made, workflow: child, with: {name: "{{ [1] }}"}}]')
    assert result.error is not None
    assert result.error["message"] == "`input.name` of `child`: expected string, found a list"


def test_a_step_of_a_run_does_not_go_on_alone(flows: Flows) -> None:
    with pytest.raises(UsageError, match="has ended: success"):
        flows.resume(flows.run("steps: [{set: {a: 1}}]").run)
