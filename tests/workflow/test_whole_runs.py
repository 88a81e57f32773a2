"""Runs as a whole: taken up, cancelled, one at a time; and what is refused in a sentence."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Sequence

import pytest

from runner.errors import NotConnected, RunningAlready, StoreError, UsageError
from runner.store import Line, RunSteps, StepRow
from runner.workflow import journal
from runner.workflow.life import Result
from runner.workflow.run import run_workflow
from tests.api import Api, Reply, Seen
from tests.workflow.conftest import Flows

UNDOABLE = """
    steps:
      - {id: a, use: create_order, with: {name: a}, undo: {request: {method: DELETE, path: /orders, query: {id: a}}}}
      - {approve: {message: Go on?}}
      - {id: b, use: create_order, with: {name: b}}
"""


@pytest.fixture(autouse=True)
def orders(api: Api) -> None:
    api.on("/orders", lambda seen: Reply({"id": json.loads(seen.body)["name"]} if seen.body else None))


def sent(api: Api) -> list[str]:
    return [
        f"{seen.method} {json.loads(seen.body)['name'] if seen.body else seen.query['id']}"
        for seen in api.seen
    ]


def test_what_failed_is_done_again_and_nothing_else(flows: Flows, api: Api) -> None:
    api.on("/parts", [Reply({"error": "bad"}, 400), Reply({"id": 1})])
    result = flows.run("""
        steps:
          - {id: a, use: create_order, with: {name: a}}
          - {id: caught, fail: no, catch: [{output: error.message}]}
          - {id: b, request: {method: POST, path: /parts, json: {name: part}}}
        output: steps.caught
    """)
    assert result.status == "failed"
    done = flows.resume(result.run)
    assert (done.status, done.output, sent(api)) == ("success", "no", ["POST a", "POST part", "POST part"])


def test_what_has_ended_is_not_taken_up(flows: Flows) -> None:
    result = flows.run("steps: [{set: {a: 1}}]")
    with pytest.raises(UsageError, match="has ended: success"):
        flows.resume(result.run)
    with pytest.raises(UsageError, match="has ended already: success"):
        flows.cancel(result.run)


def test_what_was_rolled_back_is_not_taken_up(flows: Flows) -> None:
    text = UNDOABLE.replace("approve: {message: Go on?}", "fail: enough").replace(
        "    steps", "    on_failure: rollback\n    steps", 1
    )
    result = flows.run(text)
    assert result.undone == ["a"]
    with pytest.raises(UsageError, match="is undone"):
        flows.resume(result.run)


def test_a_run_that_waits_is_cancelled_and_goes_on_after_all(flows: Flows, api: Api) -> None:
    result = flows.run(UNDOABLE)
    cancelled = flows.cancel(result.run)
    assert cancelled is not None
    assert (cancelled.status, sent(api)) == ("cancelled", ["POST a"])
    assert flows.resume(result.run).status == "waiting"


def test_a_cancelled_run_is_undone_where_that_is_asked(flows: Flows, api: Api) -> None:
    result = flows.run(UNDOABLE)
    cancelled = flows.cancel(result.run, undo=True)
    assert cancelled is not None
    assert (cancelled.status, cancelled.undone, sent(api)) == ("cancelled", ["a"], ["POST a", "DELETE a"])
    with pytest.raises(UsageError, match="is undone"):
        flows.resume(result.run)


def test_a_failed_run_is_undone_where_that_is_asked(flows: Flows, api: Api) -> None:
    result = flows.run(UNDOABLE.replace("approve: {message: Go on?}", "fail: enough"))
    assert (result.status, sent(api)) == ("failed", ["POST a"])
    undone = flows.cancel(result.run, undo=True)
    assert undone is not None
    assert sent(api) == ["POST a", "DELETE a"]


def test_a_run_under_way_ends_after_the_step_that_it_is_at(flows: Flows, api: Api) -> None:
    """Somebody else asks for it, while the first call is under way."""

    def cancel(seen: Seen) -> Reply:
        flows.store.runs.wake(flows.store.runs.newest()[0].id, asked="cancel")
        return Reply({"id": "a"})

    api.on("/orders", cancel)
    result = flows.run(
        "steps: [{use: create_order, with: {name: a}}, {wait: {webhook: never}}, {use: create_order, with: {name: b}}]"
    )
    assert (result.status, sent(api)) == ("cancelled", ["POST a"])
    assert flows.kept(result.run).status == "cancelled"


def test_a_connection_that_is_gone_is_told(flows: Flows) -> None:
    result = flows.run(UNDOABLE)
    flows.store.connections.delete(flows.connection)
    with pytest.raises(NotConnected, match="the connection `demo` of the run is gone"):
        flows.resume(result.run)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "`input` of `try`: `name` is missing"),
        ({"name": 5}, "`input.name` of `try`: expected string, found 5"),
        ({"name": "a", "nmae": 1}, "`input` of `try`: there is no `nmae`"),
        (
            {"name": "a", "rows": [{"n": "x"}]},
            "`input.rows.0.n` of `try`: expected integer, found the text 'x'",
        ),
    ],
)
def test_an_input_that_does_not_fit_is_told_before_anything_is_kept(
    flows: Flows, given: dict[str, object], sentence: str
) -> None:
    text = "input: {name: {type: string}, rows: {type: array, default: [], items: {type: object, properties: {n: {type: integer, default: 1}}}}}\nsteps: [{set: {a: 1}}]"
    with pytest.raises(UsageError) as caught:
        flows.run(text, given)
    assert (caught.value.message, caught.value.hint) == (sentence, "it takes: name, rows")
    assert flows.store.runs.newest() == []


def test_defaults_stand_deep_in_an_input_too(flows: Flows) -> None:
    text = "input: {rows: {type: array, items: {type: object, properties: {n: {type: integer, default: 1}}}}}\nsteps: [{set: {a: 1}}]\noutput: input.rows"
    assert flows.run(text, {"rows": [{}, {"n": 2}]}).output == [{"n": 1}, {"n": 2}]


def test_an_output_too_large_to_be_kept_is_told(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_OUTPUT", 1024 * 1024)
    result = flows.run("steps: [{id: big, set: {x: \"{{ 'a' * 900000 }}\", y: \"{{ 'b' * 900000 }}\"}}]")
    assert result.error is not None
    assert (result.error["kind"], result.error["message"]) == (
        "too_large",
        "`big` gave 2 MB, more than the 1 MB that are kept of one step",
    )
    assert result.error["hint"] == "choose with `output` what later steps need, or read it in parts"


def test_a_repeat_that_does_not_end_is_told(flows: Flows) -> None:
    result = flows.run(
        'steps: [{id: poll, repeat: {every: 1m, times: 5}, until: result.x == 9, set: {x: "{{ turn }}"}}]'
    )
    assert result.error is not None
    assert (result.error["kind"], result.error["message"]) == (
        "repeated",
        "`poll` was done 5 times, and `until` never held",
    )
    assert result.error["where"] == "workflows/try.yaml:4:58"


def test_a_list_that_is_another_when_the_run_goes_on_is_told(flows: Flows) -> None:
    result = flows.run(
        "steps: [{id: each, foreach: connection.metadata.list, steps: [{id: a, set: {x: 1}}, {approve: {message: Go?}}]}]\noutput: \"'x'\""
    )
    assert result.status == "success"  # there is no list yet
    flows.store.connections.set_metadata(flows.connection, {"list": [1, 2]})
    result = flows.run()
    flows.store.connections.set_metadata(flows.connection, {"list": [1, 2, 3]})
    done = flows.resume(result.run)
    assert done.error is not None
    assert (
        done.error["message"]
        == "the list of `foreach` is another than before the run was interrupted: 2 items then, 3 now"
    )


@pytest.mark.parametrize(("foreach", "sentence"), [
    ("input.n", "`foreach` gave 5, expected a list"), ("\"'abc'\"", "`foreach` gave the text 'abc', expected a list"),
])  # fmt: skip
def test_what_is_no_list_has_no_items(flows: Flows, foreach: str, sentence: str) -> None:
    result = flows.run(
        f"input: {{n: {{type: integer, default: 5}}}}\nsteps: [{{id: a, foreach: {foreach}, set: {{x: 1}}}}]"
    )
    assert result.error is not None
    assert result.error["message"] == sentence


def test_a_state_that_cannot_be_written_ends_the_run_whatever_steps_say_of_errors(
    flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(StoreError):
        pass

    def full(*args: object, **named: object) -> None:
        raise Full("no space is left")

    monkeypatch.setattr("runner.store.steps.RunSteps.write", full)
    with pytest.raises(Full):
        flows.run("steps: [{id: a, set: {x: 1}, catch: [{output: \"'fine'\"}], finally: [{set: {y: 1}}]}]")


ONE_BY_ONE = """
steps:
  - {id: a, use: create_order, with: {name: a}}
  - {id: b, use: create_order, with: {name: b}}
  - {id: c, use: create_order, with: {name: c}}
"""


def test_what_a_step_gave_is_kept_at_once_and_on_the_disk_with_the_begin_of_the_next(
    flows: Flows, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, writes, known = RunSteps.write, [], []

    def noted(
        self: RunSteps, rows: Sequence[StepRow], lines: Sequence[Line] = (), *, durable: bool = False
    ) -> None:
        writes.append((" ".join(f"{row.path} {row.status}" for row in rows), durable))
        write(self, rows, lines, durable=durable)

    def called(seen: Seen) -> Reply:
        known.append(flows.journal(flows.store.runs.newest(limit=1)[0].id))
        return Reply({"id": 1})

    monkeypatch.setattr("runner.store.steps.RunSteps.write", noted)
    api.on("/orders", called)
    assert flows.run(ONE_BY_ONE).status == "success"
    assert writes == [
        ("a running", True),
        ("a done", False),
        ("a done b running", True),
        ("b done", False),
        ("b done c running", True),
        ("c done", False),
        ("c done", True),
    ]
    assert known == [
        {"a": "running"},
        {"a": "done", "b": "running"},
        {"a": "done", "b": "done", "c": "running"},
    ]


@pytest.mark.parametrize(
    ("broken", "done", "known"),
    [
        (1, "", ""),
        (2, "a", ""),
        (3, "a", "a"),
        (4, "ab", "a"),
        (5, "ab", "ab"),
        (6, "abc", "ab"),
        (7, "abc", "abc"),
    ],
)
def test_behind_a_write_that_failed_nothing_is_begun_and_nothing_is_kept(
    flows: Flows, api: Api, monkeypatch: pytest.MonkeyPatch, broken: int, done: str, known: str
) -> None:
    write, count = RunSteps.write, itertools.count(1)

    def failing(
        self: RunSteps, rows: Sequence[StepRow], lines: Sequence[Line] = (), *, durable: bool = False
    ) -> None:
        if next(count) == broken:
            raise StoreError("no space is left")
        write(self, rows, lines, durable=durable)

    monkeypatch.setattr("runner.store.steps.RunSteps.write", failing)
    api.on("/orders", Reply({"id": 1}))
    with pytest.raises(StoreError):
        flows.run(ONE_BY_ONE)
    assert "".join(json.loads(seen.body)["name"] for seen in api.seen) == done
    journal = flows.journal(flows.store.runs.newest(limit=1)[0].id)
    assert "".join(path for path, status in journal.items() if status == "done") == known


TURNS = 'concurrency: {per: input.account, busy: BUSY}\ninput: {account: {type: string}}\nsteps: [{id: a, use: create_order, with: {name: "{{ input.account }}"}}, {set: {x: 1}}]'


def two(flows: Flows, api: Api, first: str, second: str) -> list[Result | RunningAlready]:
    """Two runs, the second begun while the first is at its call."""
    came, release = threading.Event(), threading.Event()

    def held(seen: Seen) -> Reply:
        if not came.is_set():
            came.set()
            release.wait(20)
        return Reply({"id": 1})

    api.on("/orders", held)

    async def begin(account: str) -> Result | RunningAlready:
        async with flows.access() as access:
            workflow = access.project.workflow("try")
            try:
                return await run_workflow(access, workflow, flows.connection, {"account": account})
            except RunningAlready as exc:
                release.set()
                return exc

    async def inside() -> list[Result | RunningAlready]:
        one = asyncio.create_task(begin(first))
        await asyncio.to_thread(came.wait, 20)
        other = asyncio.create_task(begin(second))
        while len(flows.store.runs.newest()) < 2 and not other.done():
            await asyncio.sleep(0.01)
        release.set()
        return [await one, await other]

    return asyncio.run(inside())


@pytest.mark.parametrize(
    ("busy", "second", "statuses"),
    [
        ("queue", "acme", ["success", "success"]),
        ("refuse", "acme", ["success", "refused"]),
        ("refuse", "globex", ["success", "success"]),
        ("replace", "acme", ["cancelled", "success"]),
    ],
)
def test_one_at_a_time(flows: Flows, api: Api, busy: str, second: str, statuses: list[str]) -> None:
    flows.write(TURNS.replace("BUSY", busy))
    found = two(flows, api, "acme", second)
    assert ["refused" if isinstance(one, RunningAlready) else one.status for one in found] == statuses
    if statuses[1] == "refused":
        assert isinstance(found[1], RunningAlready)
        assert found[1].message.startswith("`try` is under way already: run ")


def test_the_journal_tells_of_each_step(flows: Flows) -> None:
    result = flows.run("""
        steps:
          - {id: a, use: create_order, with: {name: tea}}
          - {id: skipped, when: 'false', set: {x: 1}}
    """)
    rows: dict[str, StepRow] = {row.path: row for row in flows.store.steps.of(result.run).all()}
    assert (rows["a"].kind, rows["a"].line, rows["a"].shown, rows["a"].output) == (
        "use create_order",
        6,
        '{"name": "tea"}',
        b'{"id":"tea"}',
    )
    assert (rows["a"].tries, rows["skipped"].status) == (1, "skipped")


def test_a_run_that_is_not_durable_leaves_its_end_and_its_log(flows: Flows) -> None:
    result = flows.run("durable: false\nsteps: [{id: a, set: {x: 1}}]\noutput: steps.a.x")
    kept = flows.kept(result.run)
    assert (kept.status, kept.output, kept.durable, flows.journal(result.run)) == ("success", 1, False, {})
    assert [event["message"] for event in flows.store.runs.events(result.run)] == [
        "a (set) begins",
        "a (set): success",
    ]
    with pytest.raises(UsageError, match="is a run of a workflow that is not durable"):
        flows.resume(result.run)
