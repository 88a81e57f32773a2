"""A kept delivery worked through: routed, done part by part, tried again, parked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from runner.definitions.project import Project
from runner.errors import CallError, NotConnected, TerapiError
from runner.store import Connection, Delivery, NewRun, NewSignal, Run, Store
from runner.webhooks.route import Router, Task
from runner.webhooks.work import TRIES, Attempt, wait, work_through
from tests.webhooks.conftest import GREET, WEBHOOK, Clock, Load, receiver, webhook

Connect = Callable[..., Connection]


class Performer:
    """Does nothing but note what it was asked to do, and fail where it is told to."""

    def __init__(self, **failures: TerapiError) -> None:
        self.failures = failures
        self.did: list[tuple[str, str, str, dict[str, object]]] = []
        self.offered: list[tuple[str, str, str, object]] = []

    async def perform(self, task: Task, attempt: Attempt) -> None:
        self.did.append((task.kind, task.bound.name, task.connection.id, task.input()))
        if task.bound.name in self.failures:
            raise self.failures[task.bound.name]

    def offer(self, run: Run, signal: NewSignal) -> None:
        self.offered.append((run.name, signal.event, signal.connection, signal.scope["event"]))


def kept(project: Project, store: Store, clock: Clock, body: object) -> Delivery:
    return receiver(project, store, clock).receive("shop", webhook(body)).delivery


def work(project: Project, store: Store, delivery: Delivery, performer: Performer, clock: Clock) -> Delivery:
    asyncio.run(work_through(delivery, Router(project, store), store, performer, clock))
    found = store.deliveries.get(delivery.id)
    assert found is not None
    return found


EVENTS = {
    "events": [
        {"type": "order.changed", "shop": "acme"},
        {"type": "customer.created", "shop": "globex", "name": "Ada"},
        {"type": "customer.created", "shop": "globex", "name": "Test", "test": True},
        {"type": "order.changed", "shop": "nobody"},
        {"type": "other", "shop": "acme"},
    ]
}


def test_each_event_starts_what_names_it(load: Load, store: Store, clock: Clock, connect: Connect) -> None:
    connect("acme"), connect("globex")
    project, performer = load(), Performer()
    found = work(project, store, kept(project, store, clock, EVENTS), performer, clock)
    assert performer.did == [
        ("sync", "orders", "acme", {}),
        ("workflow", "greet", "globex", {"name": "Ada", "shop": "globex"}),
    ]
    assert (found.status, found.error, found.attempts) == ("done", None, 1)
    assert len(found.progress) == 2


def test_runs_that_may_wait_for_an_event_get_it_before_anything_starts(
    load: Load, store: Store, clock: Clock, connect: Connect
) -> None:
    connect("acme"), connect("globex")
    for connection, events in (
        ("acme", ["shop other acme"]),
        ("globex", ["shop other globex"]),
        ("x", ["shop other"]),
    ):
        new = NewRun(
            kind="workflow", name=connection, integration="shop", connection=connection, events=events
        )
        store.runs.add(new)
    project, performer = load(), Performer(greet=CallError("busy", kind="busy", transient=True))
    delivery = kept(project, store, clock, EVENTS)
    again = work(project, store, delivery, performer, clock)
    event = EVENTS["events"][4]
    assert performer.offered == [("acme", "other", "acme", event), ("x", "other", "acme", event)]
    # At the next try nothing is offered once more: what was started meanwhile may wait for the same event.
    assert (again.status, again.progress[0]) == ("received", "offered")
    assert work(project, store, again, performer, clock).status == "received"
    assert len(performer.offered) == 2


def test_an_event_that_a_run_alone_waits_for_is_done(
    load: Load, store: Store, clock: Clock, connect: Connect
) -> None:
    connect("acme")
    store.runs.add(
        NewRun(kind="workflow", name="w", integration="shop", connection="acme", events=["shop other"])
    )
    project, performer = load(), Performer()
    delivery = kept(project, store, clock, {"type": "other", "shop": "acme"})
    assert work(project, store, delivery, performer, clock).status == "done"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "other", "shop": "acme"}, "nothing is started by `other`"),
        ({"type": "order.changed", "shop": "nobody"}, "there is no connection `nobody` of shop"),
        ({"type": "order.changed"}, "it does not say which connection it belongs to"),
        ({"shop": "acme"}, "it names no event"),
        ({"type": "customer.created", "shop": "acme", "test": True}, "nothing is started by `customer.created`"),
        ({"events": []}, "it holds no events"),
        ([1], "it does not say which connection it belongs to"),
        (b"", "it does not say which connection it belongs to"),
    ],
)  # fmt: skip
def test_what_nobody_wants_is_told_why(
    load: Load, store: Store, clock: Clock, connect: Connect, body: object, expected: str
) -> None:
    connect("acme")
    project = load()
    found = work(project, store, kept(project, store, clock, body), Performer(), clock)
    assert (found.status, found.error) == ("unmatched", expected)


def test_a_failure_that_passes_is_tried_again_and_only_what_failed(
    load: Load, store: Store, clock: Clock, connect: Connect
) -> None:
    connect("acme"), connect("globex")
    project = load()
    down = CallError("the API is down", kind="unavailable", transient=True)
    first = work(project, store, kept(project, store, clock, EVENTS), Performer(orders=down), clock)
    assert (first.status, first.error, first.due_at) == (
        "received",
        "sync orders: the API is down; the API has trouble: try again later",
        clock.now + 5,
    )
    again = Performer()
    found = work(project, store, first, again, clock)
    assert again.did == [("sync", "orders", "acme", {})]
    assert (found.status, found.attempts, found.error) == ("done", 2, None)


def test_a_failure_that_stays_is_parked_with_its_error(
    load: Load, store: Store, clock: Clock, connect: Connect
) -> None:
    connect("acme"), connect("globex")
    project = load()
    lost = NotConnected("the connection needs reconnecting", hint="terapi connect shop")
    found = work(project, store, kept(project, store, clock, EVENTS), Performer(orders=lost), clock)
    assert (found.status, found.error) == (
        "failed",
        "sync orders: the connection needs reconnecting; terapi connect shop",
    )
    store.deliveries.replay(found)
    again = Performer()
    replayed = store.deliveries.due()
    assert replayed is not None
    assert work(project, store, replayed, again, clock).status == "done"
    assert again.did == [("sync", "orders", "acme", {})]


def test_after_a_bounded_number_of_tries_it_is_parked(
    load: Load, store: Store, clock: Clock, connect: Connect
) -> None:
    connect("acme")
    project = load()
    down = CallError("the API is down", kind="unavailable", transient=True)
    found = kept(project, store, clock, {"type": "order.changed", "shop": "acme"})
    for tried in range(1, TRIES):
        found = work(project, store, found, Performer(orders=down), clock)
        assert (found.status, found.attempts) == ("received", tried)
    found = work(project, store, found, Performer(orders=down), clock)
    assert (found.status, found.attempts) == ("failed", TRIES)


def test_the_tries_last_for_hours_but_not_for_ever() -> None:
    waits = [wait(tried) for tried in range(1, TRIES)]
    assert waits[:4] == [5, 15, 45, 135]
    assert max(waits) == 3600
    assert 3 * 3600 < sum(waits) < 6 * 3600


def test_an_input_that_does_not_fit_fails_that_part_alone(
    load: Load, store: Store, clock: Clock, connect: Connect
) -> None:
    connect("acme")
    project = load(greet=GREET.replace("note: event.note", "size: event.name + 1").replace(
        "shop: {type: string}}", "shop: {type: string}, size: {type: integer}}"
    ))  # fmt: skip
    body = {"events": [{"type": "customer.created", "shop": "acme", "name": "x"}, EVENTS["events"][0]]}
    performer = Performer()
    found = work(project, store, kept(project, store, clock, body), performer, clock)
    assert found.status == "failed"
    assert "workflow greet: " in (found.error or "")
    assert [did[1] for did in performer.did] == ["orders"]


def test_an_integration_that_is_gone_is_told(load: Load, store: Store, clock: Clock) -> None:
    project = load()
    delivery = kept(project, store, clock, {"type": "other"})
    found = work(load(webhook=""), store, delivery, Performer(), clock)
    assert (found.status, (found.error or "")[:25]) == ("failed", "`shop` takes no webhooks;")


WHERE = WEBHOOK.replace(
    "connection: event.shop", "where: {config.organization: event.org, metadata.region: body.region}"
)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"org": "o1", "region": "eu"}, "done", ["first", "second"]),
        ({"org": 7, "region": "us"}, "done", ["third"]),
        ({"org": "o1"}, "unmatched", []),
        ({"org": "o2", "region": "eu"}, "unmatched", []),
    ],
)
def test_connections_are_found_by_their_config_and_metadata(
    load: Load,
    store: Store,
    clock: Clock,
    connect: Connect,
    body: dict[str, object],
    status: str,
    expected: list[str],
) -> None:
    connect("first", config={"organization": "o1"}, metadata={"region": "eu"})
    connect("second", config={"organization": "o1"}, metadata={"region": "eu"})
    connect("third", config={"organization": "7"}, metadata={"region": "us"})
    connect("fourth")
    project, performer = load(webhook=WHERE), Performer()
    found = work(
        project, store, kept(project, store, clock, {"type": "order.changed", **body}), performer, clock
    )
    assert (found.status, [did[2] for did in performer.did]) == (status, expected)


def test_without_a_rule_the_only_connection_is_meant(
    load: Load, store: Store, clock: Clock, connect: Connect
) -> None:
    project, performer = load(webhook=WEBHOOK.replace("    connection: event.shop\n", "")), Performer()
    body = {"type": "order.changed"}
    assert work(project, store, kept(project, store, clock, body), performer, clock).status == "unmatched"
    connect("acme")
    assert work(project, store, kept(project, store, clock, body), performer, clock).status == "done"
    connect("globex")
    found = work(project, store, kept(project, store, clock, body), performer, clock)
    assert found.error == (
        "there are 2 connections of shop, and the provider's `webhook` does not say which of them is meant"
    )
