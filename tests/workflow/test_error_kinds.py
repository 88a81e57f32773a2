"""Every kind of error in every kind of step that calls: told with its place, retried, caught, rolled back."""

from __future__ import annotations

import json

import pytest

from tests.api import Api, Reply, Seen
from tests.workflow.conftest import Flows

#: what the API does → the kind of the error
FAULTS: dict[str, Reply] = {
    "bad_request": Reply({"message": "no"}, 400),
    "token_expired": Reply({"message": "no"}, 401),
    "forbidden": Reply({"message": "no"}, 403),
    "not_found": Reply({"message": "no"}, 404),
    "conflict": Reply({"message": "no"}, 409),
    "too_large": Reply({"message": "no"}, 413),
    "duplicate": Reply({"code": "DUP", "message": "no"}, 422),
    "rate_limited": Reply({"message": "no"}, 429),
    "server_error": Reply({"message": "no"}, 500),
    "unavailable": Reply({"message": "no"}, 503),
    "timeout": Reply({"message": "no"}, 504),
    "redirect": Reply({"message": "no"}, 300),
    "forbidden_host": Reply(None, 307, {"Location": "http://elsewhere.test/"}),
    "disconnected": Reply(broken="reset"),
    "bad_answer": Reply(b"nonsense\r\n\r\n", broken="raw"),
    "truncated": Reply({"orders": [], "id": "long enough to be cut"}, cut=10),
    "not_json": Reply(b"<html><title>Busy</title></html>", headers={"Content-Type": "text/html"}),
}
#: a step that asks `/orders`, by its key; `CATCH` and the like stand where they are said of it
STEPS = {
    "use": "{id: asked, use: list_orders, MORE}",
    "use, writing": "{id: asked, use: create_order, with: {name: b}, MORE}",
    "request": "{id: asked, request: {path: /orders}, MORE}",
    "sync": "{id: asked, sync: orders, MORE}",
    "workflow": "{id: asked, workflow: child, MORE}",
    "steps": "{id: asked, steps: [{use: list_orders}], MORE}",
    "parallel": "{id: asked, parallel: [{use: list_orders}, {set: {x: 1}}], MORE}",
    "switch": "{id: asked, switch: [{steps: [{use: list_orders}]}], MORE}",
    "foreach": "{id: asked, foreach: '[1]', use: list_orders, MORE}",
    "repeat": "{id: asked, repeat: 1, use: list_orders, MORE}",
}
CHILD = "steps: [{use: list_orders}]"
FLOW = """
on_failure: ON_FAILURE
steps:
  - {id: before, use: create_note, undo: {use: delete_note, with: {id: "{{ result.id }}"}}}
  - STEP
output: "[steps.before.id, steps.asked | default('nothing')]"
"""


@pytest.fixture(autouse=True)
def notes(flows: Flows, api: Api) -> None:
    """Operations beside those that fail; a wait between tries is not waited."""
    path = flows.folder / "providers.yaml"
    path.write_text(
        path.read_text()
        + "    create_note: {request: {method: POST, path: /notes}}\n"
        + "    delete_note: {params: {id: {type: string}}, request: {method: DELETE, path: /notes}}\n"
    )
    flows.write(CHILD, "child")
    api.on("/notes", lambda seen: Reply({"id": "n1"}))
    api.on("/token", Reply({"access_token": "access-token-2", "token_type": "Bearer"}))


def flow(step: str, more: str = "", on_failure: str = "keep") -> str:
    text = STEPS[step].replace(", MORE", f", {more}" if more else "")
    return FLOW.replace("ON_FAILURE", on_failure).replace("STEP", text)


CASES = [(kind, step) for kind in FAULTS for step in STEPS]


def effects(api: Api) -> list[str]:
    return [path for path in api.paths() if path.endswith("/notes")]


@pytest.mark.parametrize(("kind", "step"), CASES)
def test_an_error_fails_the_run_with_its_place_and_what_to_do(
    flows: Flows, api: Api, kind: str, step: str
) -> None:
    api.on("/orders", FAULTS[kind])
    result = flows.run(flow(step))
    assert (result.status, result.error and result.error["kind"]) == ("failed", kind)
    error = result.error or {}
    assert str(error["where"]).split(":")[0] in ("providers.yaml", "workflows/try.yaml"), error
    assert str(error["where"]).count(":") == 2
    assert error["step"]
    assert error["hint"], error
    assert effects(api) == ["POST /notes"]


@pytest.mark.parametrize(("kind", "step"), CASES)
def test_an_error_is_caught(flows: Flows, api: Api, kind: str, step: str) -> None:
    api.on("/orders", FAULTS[kind])
    result = flows.run(flow(step, f"catch: [{{when: error.kind == '{kind}', output: error.kind}}]"))
    expected = [kind] if step == "foreach" else kind
    assert (result.status, result.output) == ("success", ["n1", expected])


@pytest.mark.parametrize(("kind", "step"), CASES)
def test_an_error_that_nothing_catches_rolls_back(flows: Flows, api: Api, kind: str, step: str) -> None:
    api.on("/orders", FAULTS[kind])
    result = flows.run(flow(step, "catch: [{when: error.kind == 'another'}]", "rollback"))
    assert (result.status, result.undone, result.not_undone) == ("failed", ["before"], [])
    assert effects(api) == ["POST /notes", "DELETE /notes"]


@pytest.mark.parametrize(("kind", "step"), CASES)
def test_an_error_is_tried_again_as_the_step_says(flows: Flows, api: Api, kind: str, step: str) -> None:
    def fails_until_the_step_waited(seen: Seen) -> Reply:
        if max(flows.clock.slept, default=0) > 700:
            return Reply(json.loads(seen.body) if seen.body else {"orders": []})
        return FAULTS[kind]

    api.on("/orders", fails_until_the_step_waited)
    more = f"retry: {{attempts: 2, initial: 1500s, max: 1500s, when: error.kind == '{kind}'}}"
    result = flows.run(flow(step, more))
    assert result.status == "success", result.error
    assert effects(api) == ["POST /notes"]
