"""A run whose process dies: it goes on after the last step that ended, whatever it was about to write."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from runner.store import Line, RunSteps, StepRow, Store
from tests.api import Api, Reply, Seen
from tests.workflow.conftest import Flows

CHAIN = """
    on_failure: {on_failure}
    steps:
      - {{id: first, use: create_order, with: {{name: first}}, undo: {{request: {{method: DELETE, path: /gone, query: {{id: "{{{{ result.id }}}}"}}}}}}}}
      - id: each
        foreach: "['a', 'b', 'c', 'd']"
        concurrency: {concurrency}
        use: create_order
        with: {{name: "{{{{ item }}}}"}}
        undo: {{request: {{method: DELETE, path: /gone, query: {{id: "{{{{ result.id }}}}"}}}}}}
      - id: both
        retry: {{attempts: 2}}
        steps:
          - {{id: x, set: {{now: "{{{{ now() }}}}", one: "{{{{ uuid() }}}}"}}}}
          - {{use: create_order, with: {{name: "{{{{ steps.x.one }}}}"}}}}
      - switch: [{{when: steps.each | length == 4, steps: [{{id: chosen, use: create_order, with: {{name: chosen}}}}]}}]
      - id: caught
        catch: [{{steps: [{{id: instead, use: create_order, with: {{name: instead}}}}], output: steps.instead.id}}]
        fail: oh
      - {{when: steps.caught == 'instead', id: polled, repeat: {{every: 1m}}, until: turn == 3, use: create_order, with: {{name: "turn-{{{{ turn }}}}"}}}}
      - {{id: last, use: create_order, with: {{name: last}}, {end}}}
    output: "[steps.first.id, steps.each | pluck('id'), steps.both.x.one, steps.chosen.id, steps.caught, steps.polled.id]"
"""


class Killed(SystemExit):
    """Stands for the end of the process; no loop holds it up."""


class Dying(RunSteps):
    """A journal whose process dies at its n-th write, before or after it."""

    def __init__(self, kept: RunSteps, at: int, *, after: bool) -> None:
        self.__dict__.update(kept.__dict__)
        self._at = at
        self._after = after

    def write(self, rows: Sequence[StepRow], lines: Sequence[Line] = (), *, durable: bool = False) -> None:
        self._at -= 1
        if self._at == 0 and not self._after:
            raise Killed
        super().write(rows, lines, durable=durable)
        if self._at == 0:
            raise Killed


def die(store: Store, at: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    of = store.steps.of
    monkeypatch.setattr(store.steps, "of", lambda run: Dying(of(run), at, after=after))


def begun(seen: Seen) -> Reply:
    return Reply({"id": json.loads(seen.body)["name"] if seen.body else seen.query["id"]})


SHAPES = [(1, False), (3, False), (1, True)]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("concurrency", "rollback"), SHAPES)
def test_a_run_that_died_at_any_write_goes_on(
    flows: Flows, api: Api, monkeypatch: pytest.MonkeyPatch, after: bool, concurrency: int, rollback: bool
) -> None:
    each_write(flows, api, monkeypatch, 1, after=after, concurrency=concurrency, rollback=rollback)


@pytest.mark.parametrize(("concurrency", "rollback"), SHAPES)
def test_a_run_that_died_at_some_writes_goes_on(
    flows: Flows, api: Api, monkeypatch: pytest.MonkeyPatch, concurrency: int, rollback: bool
) -> None:
    each_write(flows, api, monkeypatch, 7, after=True, concurrency=concurrency, rollback=rollback)


def each_write(
    flows: Flows,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    *,
    after: bool,
    concurrency: int,
    rollback: bool,
) -> None:
    api.on("/orders", begun)
    api.on("/gone", begun)
    text = CHAIN.format(
        concurrency=concurrency,
        on_failure="rollback" if rollback else "keep",
        end="output: result.nothing.at_all + 1" if rollback else "output: result.id",
    )
    died, at = True, 0
    while died:
        at += step
        api.seen.clear()
        died = _one_run(flows, api, monkeypatch, text, at, after=after, rollback=rollback)
    assert at > 20


def _one_run(
    flows: Flows,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    at: int,
    *,
    after: bool,
    rollback: bool,
) -> bool:
    with monkeypatch.context() as patched:
        die(flows.store, at, after=after, monkeypatch=patched)
        died = False
        try:
            result = flows.run(text)
        except Killed:
            died = True
    if died:
        # A process that is killed writes nothing of its end.
        run = flows.store.runs.newest(limit=1)[0]
        flows.store.database.run("UPDATE runs SET status = 'running', error = NULL WHERE id = ?", (run.id,))
        assert flows.kept(run.id).status == "lost"
        result = flows.resume(run.id)
    check(flows, api, result.run, rollback=rollback, repeated=len(result.repeated))
    return died


def check(flows: Flows, api: Api, run: str, *, rollback: bool, repeated: int) -> None:
    """Every effect once, or again only for steps that were under way; and the run says so."""
    done = Counter(json.loads(seen.body)["name"] for seen in api.seen if seen.method == "POST")
    names = {name for name in done if len(name) < 30}
    wanted = {"first", "a", "b", "c", "d", "chosen", "instead", "turn-1", "turn-2", "turn-3", "last"}
    assert names == wanted
    assert len(done) == len(wanted) + 1  # and the one with a random name, which stayed the same
    twice = sum(done.values()) - len(done)
    assert twice <= repeated
    kept = flows.kept(run)
    if rollback:
        assert kept.status == "failed"
        undone = [seen.query["id"] for seen in api.seen if seen.method == "DELETE"]
        assert list(dict.fromkeys(undone)) == ["d", "c", "b", "a", "first"]
        return
    assert (kept.status, kept.error) == ("success", None)
    output = kept.output
    assert isinstance(output, list)
    assert (output[0], output[1], *output[3:]) == (
        "first",
        ["a", "b", "c", "d"],
        "chosen",
        "instead",
        "turn-3",
    )
    assert done[str(output[2])] >= 1
