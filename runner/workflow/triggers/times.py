"""Schedules: what is due at a time is started once, however often it was due since somebody looked."""

from __future__ import annotations

from runner.calls.access import Access
from runner.definitions.conversions import format_instant, instant
from runner.definitions.model import Sync, Workflow
from runner.store import Store, SyncRequest, TriggerKey
from runner.sync.matrix import names_of
from runner.workflow.triggers.armed import schedule_of
from runner.workflow.triggers.start import Start, start


def start_due(
    access: Access, key: TriggerKey, bound: Sync | Workflow, reached: float, now: float
) -> str | None:
    """Starts what has become due since ``reached``; gives what to tell of it, None where nothing is started.

    Times are in seconds since 1970.
    """
    due = schedule_of(bound).last(now)
    if due <= reached:
        return None
    moment = format_instant(instant(due))
    if isinstance(bound, Sync):
        asked = _ask(access.store, key, bound, reached, due)
        why = f"due at {moment}" if reached else "due for the first time"
        return f"{key.name} of {key.connection}: {why}" if asked else None
    wanted = Start(
        key=key,
        workflow=bound,
        before=reached,
        reached=due,
        by={"by": "schedule", "due": moment},
        names={"due": moment},
        input={} if bound.on.schedule is None else bound.on.schedule.input,
    )
    told = start(access, wanted)
    return f"{key.name} for {key.connection}: due at {moment}: {told}" if told is not None else None


def _ask(store: Store, key: TriggerKey, sync: Sync, reached: float, due: float) -> bool:
    """Asks for all that a definition stands for; the requests are kept until they have run."""
    integration, connection = key.integration, key.connection
    names = names_of(sync, store.variants.of(integration, connection, sync.name))
    requests = [SyncRequest(integration=integration, connection=connection, sync=name) for name in names]
    with store.atomic(durable=True):
        moved = store.triggers.move(key, reached, due)
        if moved:
            store.sync_requests.ask(requests)
    return moved
