"""Turns: how many runs of a workflow may be under way at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import orjson

from runner.definitions.model import TakeTurns, Workflow
from runner.definitions.values import is_absent
from runner.errors import RunningAlready
from runner.store import Run, Store, Underway
from runner.workflow.halt import Clock, Halt

CANCELLED = {"kind": "cancelled", "message": "it was cancelled", "where": None, "hint": None}
_REPLACED = {**CANCELLED, "message": "a later run has taken its place"}
#: seconds between two looks at whether it is a run's turn
_LOOK = 0.2

#: whether a run has its turn, was cancelled before it, or has to come again
Turn = Literal["now", "never", "later"]


def turns_of(workflow: Workflow, scope: Mapping[str, object]) -> str | None:
    """What a run takes turns with: the same text for all that do."""
    rules = workflow.concurrency
    if rules is None:
        return None
    if rules.per is None:
        return workflow.name
    value = rules.per.evaluate(scope)
    return f"{workflow.name}:{orjson.dumps(None if is_absent(value) else value).decode()}"


class Patience:
    """How a process waits for a run's turn.

    Args:
        seconds: how long.
        rest: called where the process is about to end.
    """

    def __init__(self, clock: Clock, seconds: float, rest: Halt | None) -> None:
        self._clock = clock
        self._until = clock.now() + seconds
        self._rest = rest

    async def wait(self) -> bool:
        """Waits a moment; False where it has waited long enough."""
        if self._rest or self._clock.now() >= self._until:
            return False
        await self._clock.sleep(_LOOK)
        return True


async def take_turn(store: Store, underway: Underway, rules: TakeTurns, patience: Patience) -> Turn:
    """Waits until it is a run's turn, or until somebody cancels it.

    Raises:
        RunningAlready: others are under way, and the workflow refuses to wait for them.
    """
    run = underway.run
    if rules.busy == "replace":
        _replace(store, run)
    waits = False
    # Where nobody takes up what rests, nobody would ever be behind it.
    while not store.runs.start_turn(run, fair=rules.busy == "queue" and store.is_worked()):
        if rules.busy == "refuse":
            raise refused(run.name, store.runs.having(str(run.turns)))
        if not waits:
            underway.log("info", "waits for its turn")
        waits = True
        if not await patience.wait():
            return "later"
        if store.runs.came_for(run.id)[0] is not None:
            return "never"
    return "now"


def _replace(store: Store, run: Run) -> None:
    """Cancels those that began before a run: at once where they rest, else after the step under way."""
    for other in _earlier(store, run):
        store.runs.wake(other.id, asked="cancel")
        # One that a step has called ends with that step.
        underway = store.runs.take(other) if other.parent is None and other.status != "running" else None
        if underway is not None:
            with underway:
                underway.finish("cancelled", _REPLACED)


def _earlier(store: Store, run: Run) -> list[Run]:
    """Those that take turns with a run and began before it."""
    began = (run.started_at, run.id)
    return [one for one in store.runs.taking_turns(run) if (one.started_at, one.id) < began]


def refused(name: str, others: list[Run]) -> RunningAlready:
    """Why a run does not begin beside others."""
    named = ", ".join(one.id[:8] for one in others)
    return RunningAlready(
        f"`{name}` is under way already: run {named}",
        hint="wait for it to end, or end it: terapi runs cancel ID",
    )
