"""Schedules: each time that is due starts one run for each connection, however often and late somebody looks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.schedules import read_schedule
from runner.store import Connection, Store, TriggerKey
from tests.workflow.conftest import Flows
from tests.workflow.due import go_on, inputs, look, started

TICK = """
    input: {due: {type: string}}
    on: {schedule: {at: every 5 minutes, input: {due: due}}}
    steps: [{set: {x: 1}}]
"""
#: a Friday, 08:00 UTC
NOON = datetime(2027, 1, 15, 8, 0, tzinfo=UTC).timestamp()


def another(store: Store, connection: Connection, id: str) -> None:
    values = {
        name: getattr(connection, name)
        for name in ("integration", "provider", "auth", "sealed", "key_id", "config")
    }
    store.connections.save(Connection(id=id, **values))


def test_the_first_look_begins_and_each_time_behind_it_starts_a_run(flows: Flows) -> None:
    flows.write(TICK)
    assert look(flows) == []
    flows.clock.time += 299
    assert look(flows) == []
    flows.clock.time += 1
    [told] = look(flows)
    [run] = started(flows)
    assert told == f"try for demo: due at 2027-01-15T08:05:00.000Z: run {run.id[:8]}"
    assert (run.status, run.started_by) == ("queued", {"by": "schedule", "due": "2027-01-15T08:05:00.000Z"})
    assert look(flows) == []
    flows.clock.time += 300
    assert len(look(flows)) == 1
    assert go_on(flows) == ["success", "success"]


def test_a_machine_that_slept_for_a_day_runs_once(flows: Flows) -> None:
    flows.write(TICK)
    look(flows)
    flows.clock.time += 86_400 + 17
    assert len(look(flows)) == 1
    assert inputs(flows) == [{"due": "2027-01-16T08:00:00.000Z"}]
    flows.clock.time += 300
    look(flows)
    assert inputs(flows)[1] == {"due": "2027-01-16T08:05:00.000Z"}


def test_it_runs_for_every_connection_of_its_integrations(flows: Flows) -> None:
    flows.write(TICK)
    another(flows.store, flows.connection, "acme")
    look(flows)
    flows.clock.time += 300
    look(flows)
    # One that comes later begins when it comes.
    another(flows.store, flows.connection, "late")
    look(flows)
    assert sorted(run.connection for run in started(flows)) == ["acme", "demo"]
    flows.clock.time += 300
    look(flows)
    assert sorted(run.connection for run in started(flows)) == ["acme", "acme", "demo", "demo", "late"]


def test_a_deleted_connection_takes_its_triggers_with_it(flows: Flows) -> None:
    flows.write(TICK)
    look(flows)
    assert list(flows.store.triggers.all()) == [TriggerKey("try", "schedule", "shop", "demo")]
    flows.store.connections.delete(flows.connection)
    assert flows.store.triggers.all() == {}
    flows.clock.time += 300
    assert look(flows) == []


def test_a_scheduled_sync_is_asked_for_with_the_variants_that_somebody_made(flows: Flows) -> None:
    path = flows.folder / "syncs/orders.yaml"
    path.write_text(path.read_text() + "schedule: every 5 minutes\n")
    flows.store.variants.make("shop", "demo", "orders", "eu")
    look(flows)
    assert [request.sync for request in flows.store.sync_requests.all()] == ["orders", "orders::eu"]


def test_a_sync_is_asked_for_at_once_and_then_when_it_is_due(flows: Flows) -> None:
    file = flows.folder / "syncs" / "orders.yaml"
    file.write_text(f"{file.read_text()}schedule: '0 6 * * 1-5'\n")
    assert look(flows) == ["orders of demo: due for the first time"]
    [request] = flows.store.sync_requests.all()
    assert (request.sync, request.connection, request.mode) == ("orders", "demo", "changed")
    flows.store.sync_requests.begin()
    flows.store.sync_requests.finish(request)
    assert (look(flows), flows.store.sync_requests.all()) == ([], [])
    flows.clock.time += 70 * 3600  # over the weekend, to Monday at six
    assert look(flows) == ["orders of demo: due at 2027-01-18T06:00:00.000Z"]
    assert len(flows.store.sync_requests.all()) == 1


def test_an_input_that_cannot_be_computed_is_kept_as_a_failed_run(flows: Flows) -> None:
    flows.write(TICK.replace("input: {due: due}", "input: {due: connection.metadata.a.b + 1}"))
    look(flows)
    flows.clock.time += 300
    [told] = look(flows)
    [run] = started(flows)
    assert told.startswith(f"try for demo: due at 2027-01-15T08:05:00.000Z: run {run.id[:8]} failed: ")
    assert run.error is not None
    assert (run.status, run.error["kind"], run.error["where"]) == (
        "failed",
        "expression",
        "workflows/try.yaml:6:51",
    )
    assert (look(flows), go_on(flows)) == ([], [])


def test_an_input_that_does_not_fit_is_kept_as_a_failed_run(flows: Flows) -> None:
    flows.write(TICK.replace("{due: due}", "{due: '7'}"))
    look(flows)
    flows.clock.time += 300
    look(flows)
    [run] = started(flows)
    assert (run.error or {})["message"] == "`input.due` of `try`: expected string, found 7"


def test_where_others_are_under_way_and_it_refuses_no_run_begins(flows: Flows) -> None:
    flows.write("concurrency: {busy: refuse}\n" + TICK.replace("\n    ", "\n"))
    look(flows)
    flows.clock.time += 300
    look(flows)
    [run] = started(flows)
    underway = flows.store.runs.take(run)
    assert underway is not None
    with underway:
        assert flows.store.runs.start_turn(run)
        flows.clock.time += 300
        [told] = look(flows)
        assert told.endswith(f"not started: `try` is under way already: run {run.id[:8]}")
    flows.clock.time += 300
    look(flows)
    assert len(started(flows)) == 2


def test_a_paused_one_starts_nothing_and_makes_up_for_nothing(flows: Flows) -> None:
    flows.write(TICK)
    look(flows)
    key = TriggerKey("try", "schedule", "shop", "demo")
    assert flows.store.triggers.pause(key)
    assert not flows.store.triggers.pause(key)
    flows.clock.time += 900
    assert look(flows) == []
    assert flows.store.triggers.resume(key, flows.clock.time)
    assert look(flows) == []
    flows.clock.time += 300
    assert len(look(flows)) == 1


@pytest.mark.parametrize(("text", "last", "after"), [
    ("every 5 minutes", "2027-01-15T08:00", "2027-01-15T08:05"),
    ("every hour", "2027-01-15T08:00", "2027-01-15T09:00"),
    ("every day", "2027-01-15T00:00", "2027-01-16T00:00"),
    ("every 2 weeks", "2027-01-14T00:00", "2027-01-28T00:00"),
    ("*/7 * * * *", "2027-01-15T08:00", "2027-01-15T08:07"),
    ("30 6 * * 1-5", "2027-01-15T06:30", "2027-01-18T06:30"),
    ("0 12 1 * *", "2027-01-01T12:00", "2027-02-01T12:00"),
    ("0 0 29 2 *", "2024-02-29T00:00", "2028-02-29T00:00"),
])  # fmt: skip
def test_times_are_read_as_utc(text: str, last: str, after: str) -> None:
    schedule = read_schedule(text)
    for moment in (NOON, NOON + 29.9):
        assert datetime.fromtimestamp(schedule.last(moment), UTC).strftime("%Y-%m-%dT%H:%M") == last
        assert datetime.fromtimestamp(schedule.after(moment), UTC).strftime("%Y-%m-%dT%H:%M") == after


@given(
    st.sampled_from(
        ["every second", "every 7 minutes", "every 3 days", "*/5 * * * *", "13 4 * * 0", "0 0 1 */2 *"]
    ),
    st.floats(0, 4e9),
)
def test_the_last_time_is_the_one_before_the_next(text: str, moment: float) -> None:
    schedule = read_schedule(text)
    last, after = schedule.last(moment), schedule.after(moment)
    assert last <= moment < after
    assert schedule.after(last) == after
    assert schedule.last(after) == after
