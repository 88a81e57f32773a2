"""Pruning and housekeeping: what is old is emptied or forgotten, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.store import Ages, Arrival, Changes, Keep, NewRun, Pruned, Store, Stream, keep_of, open_store
from runner.store.deliveries import Deliveries
from runner.store.housekeeping import DAY, Housekeeping
from runner.store.runs import Runs
from tests.store.test_deliveries import Clock


@pytest.fixture
def stream(store: Store) -> Stream:
    """Added a, c, d and e, updated b; deleted d at 5."""
    found = store.records.stream("shop", "demo", "Order")
    found.write([(id, f'{{"id":"{id}"}}'.encode()) for id in "abcde"], 1.0)
    found.write([("b", b'{"id":"b","n":1}')], 3.0)
    found.delete(["d"], 5.0)
    return found


def pruned(stream: Stream) -> str:
    rows = stream.read()
    assert all((row.pruned_at is None) == bool(row.payload) for row in rows)
    return "".join(row.id for row in rows if row.pruned_at is not None)


def test_what_last_changed_long_ago_is_emptied_in_batches(store: Store, stream: Stream) -> None:
    pruning = store.pruning(stream)
    before = [row._replace(payload=b"", pruned_at=None) for row in stream.read()]
    assert pruning.by_age(Ages(changed=10), 12.0, limit=2) == Pruned(2, more=True)
    assert pruned(stream) == "ac"
    assert pruning.by_age(Ages(changed=10), 12.0, limit=2) == Pruned(1, more=False)
    assert (pruned(stream), stream.read()[0].pruned_at) == ("ace", 12.0)
    assert pruning.by_age(Ages(changed=10), 12.0) == Pruned(0, more=False)
    assert pruning.by_age(Ages(changed=10), 16.0) == Pruned(2, more=False)
    assert [row._replace(payload=b"", pruned_at=None) for row in stream.read()] == before


def test_deleted_records_may_be_emptied_sooner(store: Store, stream: Stream) -> None:
    pruning = store.pruning(stream)
    stream.write([("f", b"{}")], 6.0)
    stream.delete(["a"], 7.0)
    assert pruning.by_age(Ages(deleted=1), 7.0) == Pruned(1, more=False)
    assert pruned(stream) == "d"
    assert pruning.by_age(Ages(changed=5, deleted=1), 10.0) == Pruned(4, more=False)
    assert pruned(stream) == "cebda"


def test_read_again_as_it_was_a_record_stays_pruned(store: Store, stream: Stream) -> None:
    store.pruning(stream).by_age(Ages(changed=0), 9.0)
    assert pruned(stream) == "acebd"
    assert stream.write([("a", b'{"id":"a"}'), ("b", b'{"id":"b","n":2}')], 10.0) == Changes(0, 1, 1)
    assert stream.preview([("c", b'{"id":"c"}')]) == {"c": "unchanged"}
    assert pruned(stream) == "aced"
    assert stream.write([("d", b'{"id":"d"}')], 11.0) == Changes(added=1)
    assert stream.delete(["a"], 12.0) == 1
    assert [(row.id, row.payload) for row in stream.read(after=7)] == [
        ("b", b'{"id":"b","n":2}'), ("d", b'{"id":"d"}'), ("a", b""),
    ]  # fmt: skip


def test_what_a_reader_has_can_be_emptied_up_to_its_cursor(store: Store, stream: Stream) -> None:
    pruning = store.pruning(stream)
    cursors = [row.cursor for row in stream.read()]
    assert pruning.until(cursors[2], 9.0, limit=2) == Pruned(2, more=True)
    assert pruning.until(cursors[2], 9.0, limit=2) == Pruned(1, more=False)
    assert pruned(stream) == "ace"
    assert pruning.until(10**15, 9.0) == Pruned(2, more=False)


def test_nothing_is_pruned_of_what_was_never_stored(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Nothing")
    assert store.pruning(stream).by_age(Ages(changed=0), 9.0) == Pruned()
    assert store.records.streams() == []


def test_queries_see_a_pruned_record_by_its_key_alone(store: Store, stream: Stream) -> None:
    store.pruning(stream).until(3, 9.0)
    found = store.sql('SELECT id, n, cursor FROM "Order" ORDER BY cursor').rows
    assert found == [("a", None, 1), ("c", None, 3), ("e", None, 5), ("b", 1, 6), ("d", None, 7)]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sets(st.sampled_from("abcdef"), min_size=1), st.integers(0, 2)),
        st.tuples(st.just("delete"), st.sets(st.sampled_from("abcdef"), min_size=1), st.just(0)),
        st.tuples(st.just("pass"), st.just(set()), st.integers(1, 6)),
        st.tuples(st.just("prune"), st.just(set()), st.integers(1, 3)),
    ),
    max_size=25,
)


@settings(max_examples=80)
@given(steps=STEPS, changed=st.none() | st.integers(0, 8), deleted=st.none() | st.integers(0, 8))
def test_it_prunes_what_is_old_and_nothing_else(
    steps: list[tuple[str, set[str], int]], changed: int | None, deleted: int | None
) -> None:
    now = 0.0
    #: key → value, when it last changed, whether it is deleted, whether it is pruned
    model: dict[str, tuple[int, float, bool, bool]] = {}
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/terapi.db") as store:
        stream = store.records.stream("shop", "demo", "Order")
        for what, ids, number in steps:
            if what == "write":
                stream.write([(id, str(number).encode()) for id in sorted(ids)], now)
                for id in ids:
                    if id not in model or model[id][2] or model[id][0] != number:
                        model[id] = (number, now, False, False)
            elif what == "delete":
                stream.delete(sorted(ids), now)
                for id in ids & model.keys():
                    value, _, gone, was = model[id]
                    model[id] = model[id] if gone else (value, now, True, was)
            elif what == "pass":
                now += number
            else:
                while store.pruning(stream).by_age(Ages(changed, deleted), now, limit=number).more:
                    pass
                for id, (value, at, gone, was) in model.items():
                    ages = [age for age in (changed, deleted if gone else None) if age is not None]
                    model[id] = (value, at, gone, was or any(at < now - age for age in ages))
        found = {row.id: row for row in stream.read()}
        assert {id for id, row in found.items() if not row.payload} == {id for id in model if model[id][3]}
        assert {id for id, row in found.items() if row.state == "deleted"} == {
            id for id in model if model[id][2]
        }


def keeping(store: Store, clock: Clock, keep: Keep | None = None) -> Housekeeping:
    return Housekeeping(store.database, keep or Keep(deliveries=10 * DAY, runs=20 * DAY), clock)


def test_deliveries_that_are_worked_through_are_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        deliveries = Deliveries(store.database, clock)
        made = [deliveries.add(Arrival(integration="shop", headers={}, body=b"x"))[0] for _ in range(1_004)]
        for one in made[4:]:
            deliveries.finish(one, "done")
        for one, status in zip(made, ("done", "unmatched", "failed"), strict=False):
            deliveries.finish(one, status)
        clock.now += 10 * DAY
        keeping(store, clock).run()
        assert len(deliveries.newest(limit=2_000)) == 1_004
        clock.now += 3_601
        assert deliveries.replay(made[0])
        deliveries.finish(made[0], "done")
        keeping(store, clock).run()
        left = {one.id: one.status for one in deliveries.newest(limit=2_000)}
        assert left == {made[0].id: "done", made[2].id: "failed", made[3].id: "received"}


def test_runs_that_ended_long_ago_are_forgotten_but_for_the_newest(tmp_path: Path) -> None:
    clock = Clock()
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        runs = Runs(store.database, store.lock, clock)

        def run(name: str, **given: object) -> str:
            clock.now += 1
            new = NewRun(kind="sync", name=name, integration="shop", connection="demo", **given)  # type: ignore[arg-type]
            with runs.begin(new) as underway:
                underway.log("info", "a line")
            return underway.run.id

        first, second, other = run("orders"), run("orders"), run("notes")
        child = run("step", parent=first)
        kept = run("step", parent=second)
        waits = runs.add(
            NewRun(kind="workflow", name="w", integration="shop", connection="demo"), "waiting"
        ).id
        clock.now += 21 * DAY
        keeping(store, clock).run()
        assert [one for one in (first, child) if runs.get(one)] == []
        assert runs.events(first) == []
        assert all(runs.get(one) for one in (second, kept, other, waits))
        assert [event["message"] for event in runs.events(second)] == ["a line"]


def test_one_process_an_hour_looks_for_what_is_old(tmp_path: Path) -> None:
    clock = Clock()
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        one, other = keeping(store, clock), keeping(store, clock)
        assert [one.take_turn(), other.take_turn(), one.take_turn()] == [True, False, False]
        clock.now += 3_599
        assert [one.take_turn(), other.take_turn()] == [False, False]
        clock.now += 3_602
        assert [other.take_turn(), one.take_turn()] == [True, False]


@pytest.mark.parametrize(
    ("environ", "keep"),
    [
        ({}, Keep()),
        ({"TERAPI_KEEP_RUNS": "7d", "TERAPI_KEEP_DELIVERIES": ""}, Keep(runs=7 * DAY)),
        (
            {"TERAPI_KEEP_RUNS": "Forever", "TERAPI_KEEP_DELIVERIES": "12h"},
            Keep(runs=None, deliveries=DAY / 2),
        ),
    ],
)
def test_how_long_they_are_kept_is_said_in_the_environment(environ: dict[str, str], keep: Keep) -> None:
    assert keep_of(environ) == keep


def test_what_is_no_duration_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        keep_of({"TERAPI_KEEP_RUNS": "a while"})
    assert caught.value.message.startswith("TERAPI_KEEP_RUNS: the text 'a while' is no duration")
    assert caught.value.hint == "write a duration such as 30d, or forever"


def test_forever_is_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        deliveries = Deliveries(store.database, clock)
        made, _ = deliveries.add(Arrival(integration="shop", headers={}, body=b"x"))
        deliveries.finish(made, "done")
        clock.now += 10_000 * DAY
        keeping(store, clock, Keep(deliveries=None, runs=None)).run()
        assert deliveries.get(made.id) is not None
