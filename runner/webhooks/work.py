"""A stored delivery worked through: each part that it starts once, with more tries where they help."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

import msgspec

from runner.errors import TerapiError
from runner.store import Delivery, NewSignal, Run, Store
from runner.store.deliveries import BEGUN
from runner.webhooks.incoming import Incoming
from runner.webhooks.route import Event, Router, Task

#: how often a delivery is worked through before it is parked as failed
TRIES = 10
#: seconds before the second try; each further one waits three times as long, up to an hour
_FIRST = 5.0
_LONGEST = 3600.0
#: the note that its events were given to runs that may wait for them
_OFFERED: Final = "offered"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known of a part before it is done."""

    #: when the webhook came, in seconds since 1970
    received_at: float
    #: the run that was begun for it before, and of which nobody noted that it was done
    earlier: str | None
    #: takes the run as it begins; noted when this returns
    begun: Callable[[str], None]


class Performer(Protocol):
    """Does what webhooks ask for."""

    def perform(self, task: Task, attempt: Attempt) -> Awaitable[None]:
        """What an event starts; raises TerapiError where it fails, transient where another try can help."""
        ...

    def offer(self, run: Run, signal: NewSignal) -> None:
        """Gives a run an event that it may wait for; the same event once."""
        ...


async def work_through(
    delivery: Delivery,
    router: Router,
    store: Store,
    performer: Performer,
    clock: Callable[[], float] = time.time,
) -> str:
    """Does what is not done of a delivery yet; gives how it stands: done, failed, unmatched or received.

    It stays received where another try can help. A part that fails keeps no other part from being done.
    """
    try:
        events = router.events(delivery.integration, Incoming.of(delivery))
        tasks = [task for event in events for task in router.tasks(delivery, event)]
    except TerapiError as exc:
        return _finished(store, delivery, "failed", told(exc))
    offered = _offer(delivery, events, store, performer)
    if not tasks and not offered:
        return _finished(store, delivery, "unmatched", _unwanted(events))
    failures: list[tuple[Task, TerapiError]] = []
    for task in tasks:
        if task.key in delivery.progress:
            continue
        try:
            await performer.perform(task, _attempt(delivery, store, task))
        except TerapiError as exc:
            failures.append((task, exc))
        else:
            store.deliveries.note(delivery, task.key)
    if not failures:
        return _finished(store, delivery, "done", None)
    error = "\n".join(f"{task.kind} {task.bound.name}: {told(exc)}" for task, exc in failures)
    if delivery.attempts + 1 >= TRIES or not any(exc.transient for _, exc in failures):
        return _finished(store, delivery, "failed", error)
    store.deliveries.postpone(delivery, clock() + wait(delivery.attempts + 1), error)
    return "received"


def _offer(delivery: Delivery, events: Iterable[Event], store: Store, performer: Performer) -> bool:
    """Gives the events to the runs that may wait for them; whether there are any.

    It comes before what the events start, and no more once that has begun: a run does not wait for what
    started it. What is given to a run once more does not count twice.
    """
    if delivery.progress or delivery.attempts:
        return _OFFERED in delivery.progress
    given = [
        (run, _signal(delivery, event, connection.id))
        for event in events
        if event.name
        for connection in event.connections
        for run in store.runs.awaiting(delivery.integration, event.name, connection.id)
    ]
    for run, signal in given:
        performer.offer(run, signal)
    if given:
        store.deliveries.note(delivery, _OFFERED)
    return bool(given)


def _signal(delivery: Delivery, event: Event, connection: str) -> NewSignal:
    scope = {key: event.scope[key] for key in ("event", "body")}
    return NewSignal(
        key=f"{delivery.id}:{event.index}:{connection}",
        integration=delivery.integration,
        connection=connection,
        event=event.name,
        scope={**scope, "headers": dict(delivery.headers)},
    )


def _attempt(delivery: Delivery, store: Store, task: Task) -> Attempt:
    begun = f"{BEGUN}{task.key} "
    runs = [note.removeprefix(begun) for note in delivery.progress if note.startswith(begun)]
    return Attempt(
        received_at=delivery.received_at,
        earlier=runs[-1] if runs else None,
        begun=lambda run: store.deliveries.note(delivery, f"{begun}{run}"),
    )


def wait(tries: int) -> float:
    """Seconds until the next try, after so many."""
    return min(_LONGEST, _FIRST * 3.0 ** (tries - 1))


def told(error: TerapiError) -> str:
    """An error in one line, with what to do next."""
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _finished(store: Store, delivery: Delivery, status: str, error: str | None) -> str:
    store.deliveries.finish(delivery, status, error)
    return status


def _unwanted(events: list[Event]) -> str:
    """Why nothing came of it, once for each reason."""
    reasons = [
        event.reason or (f"nothing is started by `{event.name}`" if event.name else "it names no event")
        for event in events
    ]
    return "\n".join(dict.fromkeys(reasons)) or "it holds no events"
