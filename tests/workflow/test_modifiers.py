"""How a step is done: tries, errors that are caught, what is done afterwards, what is undone."""

from __future__ import annotations

import json
import threading

import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from tests.api import Api, Reply, Seen
from tests.workflow.conftest import Flows

BUSY = Reply({"error": "busy"}, 503)
BROKEN = Reply({"error": "broken"}, 500)
BAD = Reply({"error": "bad"}, 400)
OK = Reply({"id": "1"})
SEND = "request: {method: POST, path: /orders, json: {name: tea}}"


def posts(api: Api) -> list[str]:
    return [seen.path for seen in api.seen if seen.method == "POST"]


@pytest.mark.parametrize(
    ("retry", "answers", "sent", "status"),
    [
        ("{attempts: 3}", [BROKEN, BROKEN, OK], 3, "success"),
        ("{attempts: 2}", [BROKEN, BROKEN, OK], 2, "failed"),
        ("{attempts: 3}", [BAD, OK], 1, "failed"),
        ("{attempts: 3, when: error.status == 400}", [BAD, BAD, OK], 3, "success"),
        ("{attempts: 3, when: error.kind == 'duplicate'}", [BAD, OK], 1, "failed"),
    ],
)
def test_what_failed_is_tried_again(
    flows: Flows, api: Api, retry: str, answers: list[Reply], sent: int, status: str
) -> None:
    api.on("/orders", answers)
    result = flows.run(f"steps: [{{id: a, {SEND}, retry: {retry}}}]")
    assert (result.status, len(posts(api))) == (status, sent)


def test_the_wait_between_tries_doubles_up_to_the_longest(flows: Flows, api: Api) -> None:
    api.on("/orders", BROKEN)
    flows.run(f"steps: [{{id: a, {SEND}, retry: {{attempts: 5, initial: 10s, max: 30s}}}}]")
    assert [5 <= flows.clock.slept[0] <= 10, 10 <= flows.clock.slept[1] <= 20] == [True, True]
    assert all(15 <= slept <= 30 for slept in flows.clock.slept[2:])
    assert len(flows.clock.slept) == 4


def test_a_block_is_tried_again_as_a_whole(flows: Flows, api: Api) -> None:
    api.on("/orders", OK)
    api.on("/parts", [BROKEN, OK])
    result = flows.run(f"""
        steps:
          - id: both
            retry: {{attempts: 2}}
            steps: [{{id: a, {SEND}}}, {{id: b, request: {{method: POST, path: /parts}}}}]
        output: steps.both
    """)
    assert result.output == {"a": {"id": "1"}, "b": {"id": "1"}}
    assert posts(api) == ["/orders", "/parts", "/orders", "/parts"]
    assert "both^2/a" in flows.journal(result.run)


@pytest.mark.parametrize(
    ("catch", "output", "error"),
    [
        ("[{when: error.kind == 'duplicate', output: error.body.old}]", "7", None),
        ("[{when: error.kind == 'not_found', output: \"'no'\"}, {output: \"'other'\"}]", "other", None),
        ("[{when: error.kind == 'not_found', output: \"'no'\"}]", None, "duplicate"),
        ('[{steps: [{id: b, set: {x: "{{ error.status }}"}}]}]', {"b": {"x": 409}}, None),
        ("[{steps: [{id: b, set: {x: 1}}], output: steps.b.x + 1}]", 2, None),
        ('[{steps: [{fail: "sorry: {{ error.message }}"}]}]', None, "failed"),
    ],
)
def test_an_error_is_caught(flows: Flows, api: Api, catch: str, output: object, error: str | None) -> None:
    api.on("/orders", Reply({"code": "DUP", "old": "7"}, 409))
    result = flows.run(f"steps: [{{id: a, {SEND}, catch: {catch}}}]\noutput: steps.a")
    assert result.output == output
    assert (result.error or {}).get("kind") == error


def test_finally_is_done_however_the_step_ended(flows: Flows, api: Api) -> None:
    api.on("/orders", [OK, BAD])
    api.on("/close", OK)
    text = f"steps: [{{id: a, {SEND}, finally: [{{request: {{method: POST, path: /close}}}}]}}]"
    assert flows.run(text).status == "success"
    assert flows.run().status == "failed"
    assert posts(api) == ["/orders", "/close", "/orders", "/close"]


def test_the_first_error_is_told_where_finally_fails_too(flows: Flows, api: Api) -> None:
    api.on("/orders", BAD)
    result = flows.run(f"steps: [{{id: a, {SEND}, finally: [{{fail: also}}]}}]")
    assert result.error is not None
    assert result.error["status"] == 400
    assert "a (request): `finally` failed as well: also" in [
        event["message"] for event in flows.store.runs.events(result.run)
    ]


def test_a_step_that_takes_too_long_fails(flows: Flows, api: Api) -> None:
    release = threading.Event()

    def slow(seen: Seen) -> Reply:
        release.wait(30)
        return OK

    api.on("/orders", slow)
    result = flows.run(
        f"steps: [{{id: a, {SEND}, timeout: 50ms, catch: [{{when: error.kind == 'timeout', output: \"'late'\"}}]}}]\noutput: steps.a"
    )
    release.set()
    assert result.output == "late"


def test_what_is_done_is_undone_the_newest_first(flows: Flows, api: Api) -> None:
    api.on(
        "/orders", lambda seen: Reply({"id": json.loads(seen.body)["name"]}) if seen.method == "POST" else OK
    )
    api.on("/gone", OK)
    result = flows.run("""
        on_failure: rollback
        steps:
          - id: first
            use: create_order
            with: {name: a}
            undo: {request: {method: DELETE, path: /gone, query: {id: "{{ result.id }}"}}}
          - id: each
            foreach: "['b', 'c']"
            use: create_order
            with: {name: "{{ item }}"}
            undo: {request: {method: DELETE, path: /gone, query: {id: "{{ result.id }}", why: "{{ error.message }}"}}}
          - {fail: enough}
    """)
    assert (result.status, result.undone) == ("failed", ["each[1]", "each[0]", "first"])
    gone = [seen.query for seen in api.seen if seen.method == "DELETE"]
    assert gone == [{"id": "c", "why": "enough"}, {"id": "b", "why": "enough"}, {"id": "a"}]


def test_what_cannot_be_undone_is_listed_with_its_ids(flows: Flows, api: Api) -> None:
    api.on("/orders", Reply({"id": "7"}))
    api.on("/gone", Reply({"error": "locked"}, 423))
    text = """
        on_failure: rollback
        steps:
          - {id: a, use: create_order, with: {name: a}, undo: {request: {method: DELETE, path: /gone}}}
          - {id: b, use: create_order, with: {name: b}, undo: {request: {method: DELETE, path: /gone}}}
          - {fail: enough}
    """
    result = flows.run(text)
    assert [(one.step, one.result) for one in result.not_undone] == [("b", {"id": "7"}), ("a", {"id": "7"})]
    kept = flows.kept(result.run).error
    assert kept is not None
    assert [one["result"] for one in kept["not_undone"]] == [{"id": "7"}, {"id": "7"}]  # type: ignore[attr-defined]
    # Once the API lets it, the run can be taken up, and undoes the rest.
    api.on("/gone", OK)
    again = flows.resume(result.run)
    assert (again.undone, again.not_undone) == (["b", "a"], [])
    assert len(posts(api)) == 2


def test_a_run_that_keeps_what_it_did_undoes_nothing(flows: Flows, api: Api) -> None:
    api.on("/orders", OK)
    result = flows.run(
        f"steps: [{{id: a, {SEND}, undo: {{request: {{method: DELETE, path: /orders}}}}}}, {{fail: no}}]"
    )
    assert (result.status, result.undone, posts(api)) == ("failed", [], ["/orders"])


def test_the_key_of_a_step_is_the_same_in_each_try_and_another_in_each_run(flows: Flows, api: Api) -> None:
    api.on("/orders", [BROKEN, OK])
    text = """
        steps:
          - id: a
            retry: {attempts: 2}
            request: {method: POST, path: /orders, headers: {Idempotency-Key: "{{ idempotency_key }}"}}
    """
    flows.run(text)
    flows.run()
    keys = [seen.headers["idempotency-key"] for seen in api.seen if seen.method == "POST"]
    assert (keys[0] == keys[1], keys[1] == keys[2], len(keys)) == (True, False, 3)


def test_a_key_of_ones_own(flows: Flows, api: Api) -> None:
    api.on("/orders", OK)
    flows.run("""
        steps:
          - id: a
            idempotency_key: "order-{{ 3 + 4 }}"
            request: {method: POST, path: /orders, headers: {Idempotency-Key: "{{ idempotency_key }}"}}
    """)
    assert api.seen[-1].headers["idempotency-key"] == "order-7"


def test_what_sends_a_key_is_sent_again_when_its_answer_was_lost(flows: Flows, api: Api) -> None:
    api.on("/orders", [BROKEN, OK])
    result = flows.run("""
        steps:
          - request: {method: POST, path: /orders, json: {token: "{{ idempotency_key }}"}}
    """)
    assert (result.status, len(posts(api))) == ("success", 2)


def test_a_step_may_call_over_another_connection(flows: Flows, api: Api) -> None:
    other = Api()
    try:
        other.on("/orders", OK)
        access = flows.access()
        credentials = Credentials(type="OAUTH2", access_token="other-token", refresh_token="r")
        place = NewConnection(id="second", config={"url": other.url}, allow_local=True)
        access.connect.keep(access.project.provider("shop"), place, credentials)
        result = flows.run(
            f'input: {{to: {{type: string}}}}\nsteps: [{{{SEND}, connection: "{{{{ input.to }}}}"}}]',
            {"to": "second"},
        )
        assert result.error is None
        assert [seen.headers["authorization"] for seen in other.seen] == ["Bearer other-token"]
    finally:
        other.close()


def test_a_dry_run_shows_what_it_would_send_and_takes_mocks_for_answers(flows: Flows, api: Api) -> None:
    result = flows.run("""
        steps:
          - {id: a, use: create_order, with: {name: tea}, mock: {id: mocked}}
          - {id: b, use: create_order, with: {name: "{{ steps.a.id }}"}}
          - {id: c, foreach: "[1, 2]", concurrency: 2, use: create_order, with: {name: "x{{ item }}", note: "{{ steps.b.id }}"}}
          - {wait: {for: 3d}}
          - {approve: {message: Really?}}
        output: steps.b.id
    """, dry=True)  # fmt: skip
    assert (result.run, result.status, result.output, api.seen) == (
        "dry-run",
        "success",
        "(id of a dry run)",
        [],
    )
    bodies = [[request["body"] for request in step.get("requests", [])] for step in result.steps]  # type: ignore[attr-defined, index]
    assert bodies == [
        ['{"name": "tea"}'],
        ['{"name": "mocked"}'],
        ['{"name": "x1", "note": "(id of a dry run)"}', '{"name": "x2", "note": "(id of a dry run)"}'],
        [],
        [],
    ]
    assert flows.store.runs.newest() == []
