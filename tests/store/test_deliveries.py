"""Deliveries and asked-for syncs: kept once, handed out in order, and again after a failure or a kill."""

from __future__ import annotations

import pytest

from runner.store import Arrival, Delivery, Store, SyncRequest
from runner.store.deliveries import Deliveries
from runner.store.sync_requests import SyncRequests


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deliveries(store: Store, clock: Clock) -> Deliveries:
    return Deliveries(store.database, clock)


@pytest.fixture
def requests(store: Store, clock: Clock) -> SyncRequests:
    return SyncRequests(store.database, clock)


def arrival(connection: str | None = "demo", **changed: object) -> Arrival:
    given = {"integration": "shop", "headers": {"a": "b"}, "query": {"q": "1"}, "body": b"{}", **changed}
    return Arrival(connection=connection, **given)  # type: ignore[arg-type]


def due(deliveries: Deliveries, *busy: str) -> Delivery:
    found = deliveries.due(busy)
    assert found is not None
    return found


def test_a_delivery_is_kept_once(deliveries: Deliveries) -> None:
    first, fresh = deliveries.add(arrival(external_id="e1", event="paid"))
    again, twice = deliveries.add(arrival(external_id="e1", body=b"other"))
    assert (fresh, twice) == (True, False)
    assert again == first == deliveries.due()
    assert (first.query, first.headers, first.event, first.status) == (
        {"q": "1"},
        {"a": "b"},
        "paid",
        "received",
    )
    deliveries.finish(first, "done")
    found = deliveries.get(first.id)
    assert found is not None
    assert (found.status, found.attempts, found.finished_at) == ("done", 1, 1000.0)
    assert deliveries.due() is None


def test_the_same_id_of_two_integrations_is_two_deliveries(deliveries: Deliveries) -> None:
    assert deliveries.add(arrival(external_id="e1"))[1]
    assert deliveries.add(arrival(external_id="e1", integration="bank"))[1]


def test_deliveries_without_an_id_of_their_own_are_all_kept(deliveries: Deliveries) -> None:
    for _ in range(2):
        assert deliveries.add(arrival())[1]


def test_the_oldest_comes_first_and_a_busy_connection_waits(deliveries: Deliveries, clock: Clock) -> None:
    for connection in ("slow", "slow", "quick", None):
        clock.now += 1
        deliveries.add(arrival(connection))
    assert due(deliveries).connection == "slow"
    assert due(deliveries, "shop/slow").connection == "quick"
    assert due(deliveries, "shop/slow", "shop/quick").connection is None
    assert deliveries.due(["shop/slow", "shop/quick", "shop/"]) is None


def test_a_delivery_that_failed_comes_again_when_its_time_has_come(
    deliveries: Deliveries, clock: Clock
) -> None:
    kept, _ = deliveries.add(arrival())
    deliveries.note(kept, "0:sync:orders:demo")
    deliveries.postpone(kept, 1060.0, "the API was down")
    assert deliveries.due() is None
    assert deliveries.next_due() == 1060.0
    clock.now = 1060.0
    again = due(deliveries)
    assert (again.attempts, again.error, again.progress) == (1, "the API was down", ("0:sync:orders:demo",))


@pytest.mark.parametrize(("status", "kept"), [("failed", ("a",)), ("done", ()), ("unmatched", ())])
def test_a_replay_does_what_is_not_done(deliveries: Deliveries, status: str, kept: tuple[str, ...]) -> None:
    first, _ = deliveries.add(arrival())
    deliveries.note(first, "begun a run-1")
    deliveries.note(first, "a")
    assert not deliveries.replay(first)
    deliveries.finish(first, status, "no such record")
    assert deliveries.replay(first)
    again = due(deliveries)
    assert (again.progress, again.attempts, again.error, again.finished_at) == (kept, 0, None, None)


def test_deliveries_are_listed_and_found_by_the_beginning_of_their_id(deliveries: Deliveries) -> None:
    first, _ = deliveries.add(arrival())
    second, _ = deliveries.add(arrival())
    deliveries.finish(second, "failed", "x")
    assert {one.id for one in deliveries.newest()} == {first.id, second.id}
    assert [one.id for one in deliveries.newest(status="failed")] == [second.id]
    assert deliveries.newest(limit=1, offset=2) == []
    assert [one.id for one in deliveries.beginning_with(first.id[:8])] == [first.id]
    assert len(deliveries.beginning_with("")) == 2


def asked(sync: str = "orders", connection: str = "demo", mode: str = "changed") -> SyncRequest:
    return SyncRequest(integration="shop", connection=connection, sync=sync, mode=mode)


def begun(requests: SyncRequests, *busy: str) -> tuple[str, str, str]:
    found = requests.begin(busy)
    assert found is not None
    return found.sync, found.connection, found.mode


def test_a_sync_that_waits_is_asked_for_once_and_reads_the_most(requests: SyncRequests) -> None:
    requests.ask([asked(), asked(mode="empty"), asked(mode="full")])
    assert begun(requests) == ("orders", "demo", "empty")
    requests.finish(asked())
    assert requests.begin() is None


def test_asked_for_while_it_runs_it_runs_once_more(requests: SyncRequests, clock: Clock) -> None:
    requests.ask([asked(mode="full")])
    assert begun(requests) == ("orders", "demo", "full")
    clock.now += 1
    requests.ask([asked()])
    requests.ask([asked()])
    assert requests.begin(["shop/demo"]) is None
    requests.finish(asked())
    assert begun(requests) == ("orders", "demo", "changed")
    requests.finish(asked())
    assert requests.all() == []


def test_a_sync_whose_process_was_killed_comes_again(requests: SyncRequests, clock: Clock) -> None:
    requests.ask([asked()])
    assert begun(requests) == ("orders", "demo", "changed")
    clock.now += 1
    requests.ask([asked("accounts")])
    assert begun(requests) == ("orders", "demo", "changed")


def test_a_busy_connection_keeps_no_other_waiting(requests: SyncRequests) -> None:
    requests.ask([asked(), asked(connection="other")])
    assert begun(requests, "shop/demo") == ("orders", "other", "changed")
