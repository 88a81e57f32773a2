"""Turns: how many runs of a workflow may be under way at once."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from runner.definitions.model import TakeTurns, Workflow
from runner.definitions.values import is_absent
from runner.errors import RunningAlready
from runner.store import Run, Store, Underway
from runner.workflow.halt import Clock

#: seconds between two looks at whether it is a run's turn
_LOOK = 0.2


def turns_of(workflow: Workflow, scope: Mapping[str, object]) -> str | None:
    """What a run takes turns with: the same text for all that do."""
    rules = workflow.concurrency
    if rules is None:
        return None
    if rules.per is None:
        return workflow.name
    value = rules.per.evaluate(scope)
    return f"{workflow.name}:{orjson.dumps(None if is_absent(value) else value).decode()}"


async def take_turn(store: Store, underway: Underway, rules: TakeTurns, clock: Clock) -> bool:
    """Waits until it is a run's turn; False where it was cancelled meanwhile.

    Raises:
        RunningAlready: others are under way, and the workflow refuses to wait for them.
    """
    run = underway.run
    if rules.busy == "replace":
        for other in earlier(store, run):
            store.runs.wake(other.id, asked="cancel")
    while not store.runs.start_turn(run, rules.limit):
        if rules.busy == "refuse":
            raise refused(store, run)
        await clock.sleep(_LOOK)
        found = store.runs.get(run.id)
        if found is None or found.asked is not None:
            return False
    return True


def earlier(store: Store, run: Run) -> list[Run]:
    """Those that take turns with a run and began before it."""
    began = (run.started_at, run.id)
    return [one for one in store.runs.taking_turns(run) if (one.started_at, one.id) < began]


def refused(store: Store, run: Run) -> RunningAlready:
    others = ", ".join(one.id[:8] for one in store.runs.taking_turns(run) if one.status != "queued")
    return RunningAlready(
        f"`{run.name}` is under way already: run {others}",
        hint="wait for it to end, or end it: terapi runs cancel ID",
    )
