"""`terapi worker` as a process: what it takes up, how it ends, and what a killed one leaves to the next."""

from __future__ import annotations

import json
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from runner.store import Connection, Store
from tests.api import Api, Reply, Seen
from tests.cli.terapi import Terapi

TWO = """
version: 1
workflow: two
integrations: [shop]
steps:
  - {id: first, use: create_order, with: {name: first}}
  - {id: second, use: create_order, with: {name: second}}
"""
TICK = """
version: 1
workflow: tick
integrations: [shop]
input: {due: {type: string}}
on: {schedule: {at: every second, input: {due: due}}}
steps:
  - {id: a, use: create_order, with: {name: "{{ input.due }}", note: a}}
  - {id: b, use: create_order, with: {name: "{{ input.due }}", note: b}}
"""


class Worker:
    """A running `terapi worker`."""

    def __init__(self, terapi: Terapi) -> None:
        self._process = terapi.start("worker")

    def line(self, text: str = "") -> str:
        """The next line on stderr that has this in it."""
        assert self._process.stderr is not None
        return next(line for line in self._process.stderr if text in line)

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.tell(number)
        return self.join()

    def join(self) -> int:
        self.said = self._process.communicate(timeout=60)[1]
        assert "Traceback" not in self.said
        return self._process.returncode


@pytest.fixture
def terapi(store: Store, connection: Connection, access: object) -> Terapi:
    found = Terapi(store.folder.parent)
    (found.folder / "workflows" / "two.yaml").write_text(TWO)
    return found


@pytest.fixture
def workers(terapi: Terapi) -> Iterator[list[Worker]]:
    """Those that are ended with the test."""
    found: list[Worker] = []
    yield found
    for worker in found:
        worker.end(signal.SIGKILL)


class Held:
    """An API that holds the answer to the first order until it is told."""

    def __init__(self, api: Api) -> None:
        self.came, self.release = threading.Event(), threading.Event()
        api.on("/orders", self._answer)

    def _answer(self, seen: Seen) -> Reply:
        if not self.came.is_set():
            self.came.set()
            self.release.wait(30)
        return Reply({"id": json.loads(seen.body)["name"]})


def names(api: Api) -> list[str]:
    return [json.loads(seen.body)["name"] for seen in api.seen if seen.method == "POST"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_runs_what_is_due_and_ends_when_told(
    terapi: Terapi, api: Api, number: signal.Signals, code: int
) -> None:
    file = terapi.folder / "syncs" / "orders.yaml"
    file.write_text(f"{file.read_text()}schedule: every day\n")
    api.on("/orders", Reply({"orders": [{"id": "1", "at": "2026-01-01T00:00:00Z", "name": "tea"}]}))
    worker = Worker(terapi)
    assert worker.line() == "works; ctrl-C ends it\n"
    assert worker.line() == "orders of demo: due for the first time\n"
    assert worker.line() == "orders of demo: 1 added, 0 updated, 0 deleted\n"
    assert worker.end(number) == code
    assert worker.said == "ends; once more ends it at once\n"


def test_of_two_one_works_and_the_other_takes_over_from_a_killed_one(
    terapi: Terapi, workers: list[Worker], store: Store
) -> None:
    first = Worker(terapi)
    first.line("works; ctrl-C")
    second = Worker(terapi)
    workers.append(second)
    assert second.line() == "another process works here; this one takes over when it ends\n"
    first.end(signal.SIGKILL)
    assert second.line() == "works; ctrl-C ends it\n"


def test_a_run_whose_process_was_killed_goes_on(
    terapi: Terapi, workers: list[Worker], store: Store, api: Api
) -> None:
    held = Held(api)
    process = terapi.start("run", "two")
    assert held.came.wait(20)
    process.kill()
    process.communicate()
    held.release.set()
    workers.append(Worker(terapi))
    assert workers[0].line("two for demo: success (run ")
    assert names(api) == ["first", "first", "second"]
    [run] = store.runs.newest()
    assert run.deaths == 1


def test_a_run_that_another_process_has_is_left_to_it(
    terapi: Terapi, workers: list[Worker], store: Store, api: Api
) -> None:
    held = Held(api)
    process = terapi.start("run", "two")
    assert held.came.wait(20)
    worker = Worker(terapi)
    worker.line("works; ctrl-C")
    # Another one comes while the worker looks at what there is, again and again.
    other = terapi("run", "two", "--detach").strip()
    held.release.set()
    process.communicate()
    terapi("runs", "logs", other, "--follow")
    worker.end()
    assert names(api).count("first") == 2
    assert "two" not in worker.said


def test_a_run_that_somebody_has_answered_goes_on(
    terapi: Terapi, workers: list[Worker], store: Store, api: Api
) -> None:
    api.on("/orders", Reply({"id": 1}))
    ask = TWO.replace("steps:\n", "steps:\n  - {id: gate, approve: {message: Go on?}}\n")
    (terapi.folder / "workflows" / "two.yaml").write_text(ask)
    workers.append(Worker(terapi))
    workers[0].line("works; ctrl-C")
    run = terapi.json("run", "two")
    assert run["status"] == "waiting"
    terapi("runs", "approve", str(run["run"]))
    assert terapi.err == f"approved; run {str(run['run'])[:8]} goes on where it is worked for\n"
    assert workers[0].line() == f"two for demo: success (run {run['run']})\n"
    assert names(api) == ["first", "second"]


def test_ended_in_order_it_leaves_a_run_behind_the_step_that_it_is_at(
    terapi: Terapi, workers: list[Worker], store: Store, api: Api
) -> None:
    held, worker, id = begun(terapi, store, api)
    worker.tell(signal.SIGTERM)
    worker.line("ends; once more")
    held.release.set()
    assert worker.join() == 0
    assert names(api) == ["first"]
    run = store.runs.get(id)
    assert run is not None
    assert (run.status, {row.path: row.status for row in store.steps.of(id).all()}["first"]) == (
        "waiting",
        "done",
    )
    workers.append(Worker(terapi))
    workers[0].line("two for demo: success")
    assert names(api) == ["first", "second"]


def test_told_twice_it_ends_at_once_and_the_next_does_that_step_again(
    terapi: Terapi, workers: list[Worker], store: Store, api: Api
) -> None:
    held, worker, id = begun(terapi, store, api)
    worker.tell(signal.SIGINT)
    worker.line("ends; once more")
    assert worker.end(signal.SIGINT) == 130
    run = store.runs.get(id)
    assert run is not None
    assert (run.status, names(api)) == ("queued", ["first"])
    held.release.set()
    workers.append(Worker(terapi))
    workers[0].line("two for demo: success")
    assert names(api) == ["first", "first", "second"]


def begun(terapi: Terapi, store: Store, api: Api) -> tuple[Held, Worker, str]:
    """A worker in the first step of a run that was killed before."""
    held = Held(api)
    process = terapi.start("run", "two")
    assert held.came.wait(20)
    process.kill()
    process.communicate()
    held.release.set()
    api.seen.clear()
    again = Held(api)
    worker = Worker(terapi)
    assert again.came.wait(20)
    return again, worker, store.runs.newest()[0].id


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_again_and_again_each_time_starts_one_run(
    terapi: Terapi, workers: list[Worker], store: Store, api: Api, seed: int
) -> None:
    """Two workers by the real clock; the one that works is killed at some line, or within a call."""
    api.on("/orders", Reply({"id": 1}))
    (terapi.folder / "workflows" / "tick.yaml").write_text(TICK)
    chance, kills = random.Random(seed), 5
    first = Worker(terapi)
    first.line("works; ctrl-C")
    second = Worker(terapi)
    for _ in range(kills):
        for _ in range(chance.randint(1, 4)):
            first.line("tick for demo")
        if chance.random() < 0.5:
            held = Held(api)
            assert held.came.wait(20)
            first.end(signal.SIGKILL)
            held.release.set()
        else:
            first.end(signal.SIGKILL)
        second.line("works; ctrl-C")
        first, second = second, Worker(terapi)
    terapi("schedule", "pause", "tick")
    workers.extend([first, second])
    while any(run.status != "success" for run in store.runs.newest(kind="workflow", limit=1000)):
        first.line("tick for demo")
    check(store, api)


def check(store: Store, api: Api) -> None:
    runs = store.runs.newest(kind="workflow", limit=1000)
    dues = Counter(str((run.started_by or {})["due"]) for run in runs)
    assert len(runs) > 4
    assert set(dues.values()) == {1}
    sent = Counter((body["name"], body["note"]) for seen in api.seen for body in [json.loads(seen.body)])
    assert set(sent) == {(due, note) for due in dues for note in "ab"}
    # Twice only where the run says that a step was under way when its process ended.
    twice = sum(count - 1 for count in sent.values())
    told = [event["message"] for run in runs for event in store.runs.events(run.id)]
    assert twice <= sum("is done again" in str(message) for message in told)
