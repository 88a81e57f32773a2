"""Runs of workflows: begun, taken up where they were left, cancelled."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from runner.definitions.model import Workflow
from runner.errors import NotConnected, RunningAlready, UsageError
from runner.store import Connection, NewRun, Run, Store, Underway
from runner.workflow.children import Called, awaited
from runner.workflow.context import Running
from runner.workflow.engine import perform
from runner.workflow.given import checked_input
from runner.workflow.halt import Clock, Halt, WallClock
from runner.workflow.journal import Journal
from runner.workflow.life import Result, live
from runner.workflow.reopen import reopen
from runner.workflow.turns import CANCELLED, Patience, take_turn, turns_of

if TYPE_CHECKING:
    from runner.calls.access import Access

__all__ = ["Options", "Result", "cancel_run", "new_run", "resume_run", "run_workflow"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is wanted."""

    #: send nothing that writes; show the requests instead
    dry: bool = False
    #: seconds that a wait may take in this process; for a longer one the run rests until it is taken up
    hold: float = float("inf")
    #: seconds that it may wait for its turn in this process; after them it rests until it is taken up
    patience: float = float("inf")
    #: called where the process is about to end: then the run rests before its next step
    rest: Halt | None = None
    #: told of the run in the transaction that keeps it
    kept: Callable[[Run], None] = lambda run: None
    #: told of the run once it is kept, before its first step
    started: Callable[[Run], None] = lambda run: None
    #: whether a run that is interrupted is left for others to take up, instead of being cancelled
    handed_on: bool = False
    #: who or what started it
    started_by: Mapping[str, object] | None = None
    #: its id; one of its own by default
    id: str | None = None
    #: step → what it gives instead of being done
    mock: Mapping[str, object] = {}
    clock: Clock = WallClock()


async def run_workflow(
    access: Access, workflow: Workflow, connection: Connection, given: Mapping[str, object],
    options: Options = Options(),  # noqa: B008 - frozen
) -> Result:  # fmt: skip
    """Runs a workflow; its run is kept in the store, unless it is a dry one.

    Args:
        given: the input.

    Raises:
        UsageError: the input does not fit.
        RunningAlready: others are under way, and the workflow refuses to wait for them.
        StoreError: what it does cannot be kept.
    """
    full = checked_input(workflow, given)
    if options.dry or not workflow.durable:
        return await _passing(access, workflow, connection, full, options)
    new = new_run(access, workflow, connection, full, options.started_by)
    new = msgspec.structs.replace(new, id=options.id)
    with _begun(access.store, new, options) as underway:
        return await _kept(access, workflow, connection, underway, options)


def _begun(store: Store, new: NewRun, options: Options) -> Underway:
    with store.atomic(durable=new.durable):
        underway = store.runs.begin(new, "running" if new.turns is None else "queued")
        options.kept(underway.run)
    options.started(underway.run)
    return underway


def new_run(
    access: Access, workflow: Workflow, connection: Connection, given: Mapping[str, object],
    started_by: Mapping[str, object] | None = None,
) -> NewRun:  # fmt: skip
    """A durable run that is about to begin, of an input that fits."""
    scope = {**access.client(connection).scope(), "input": given}
    return NewRun(
        kind="workflow",
        name=workflow.name,
        integration=connection.integration,
        connection=connection.id,
        input=given,
        definition=workflow.text,
        durable=True,
        started_by=started_by,
        turns=turns_of(workflow, scope),
        turn_limit=1 if workflow.concurrency is None else workflow.concurrency.limit,
        events=awaited(workflow, connection),
    )


async def resume_run(access: Access, run: Run, options: Options = Options()) -> Result:  # noqa: B008 - frozen
    """Takes a run up where it was left: after the last step that ended, with the text that it began with.

    Of one that failed, what failed is done again.

    Raises:
        UsageError: it has ended.
        RunningAlready: it is under way elsewhere.
        NotConnected: its connection is gone.
        DefinitionsInvalid: what its definition calls is no longer there.
    """
    if run.kind != "workflow" or not run.durable:
        kinds = {"sync": "a sync", "audit": "an audit"}
        what = kinds.get(run.kind, "a workflow that is not durable")
        raise UsageError(f"{run.id[:8]} is a run of {what}", hint="run it again")
    if run.status == "success":
        raise UsageError(f"{run.id[:8]} has ended: {run.status}", hint=f"run it anew: terapi run {run.name}")
    if run.asked is not None and run.status in ("failed", "cancelled"):
        access.store.runs.unask(run)
    return await _taken_up(access, run, options)


async def _taken_up(access: Access, run: Run, options: Options) -> Result:
    workflow = access.project.workflow_of(run.definition, run.name, run.integration)
    connection = access.store.connections.get(run.integration, run.connection)
    if connection is None:
        hint = f"terapi connect {run.integration} --connection {run.connection}"
        raise NotConnected(f"the connection `{run.connection}` of the run is gone", hint=hint)
    underway = access.store.runs.take(run)
    if underway is None:
        raise RunningAlready(
            f"{run.id[:8]} is under way", hint="wait for it, or end it: terapi runs cancel ID"
        )
    with underway:
        if run.status in ("failed", "cancelled"):
            reopen(access.store, run)
        return await _kept(access, workflow, connection, underway, options)


async def _kept(
    access: Access, workflow: Workflow, connection: Connection, underway: Underway, options: Options
) -> Result:
    """A run whose steps are kept."""
    run, store = underway.run, access.store
    steps = store.steps.of(run.id)
    ended = steps.ended()
    running = Running(
        id=run.id,
        workflow=workflow,
        access=access,
        input=dict(run.input) if isinstance(run.input, Mapping) else {},
        journal=Journal(steps, ended),
        steps=steps,
        clock=options.clock,
        halt=Halt(),
        perform=perform,
        children=Called(),
        resumed=ended > 0,
        mock=options.mock,
        hold=options.hold,
        patience=options.patience,
        rest=options.rest,
        started_afar=run.started_by is not None,
    )
    try:
        if not await _turn(workflow, running, underway):
            return Result(run=run.id, workflow=workflow.name, status="queued")
        result = await live(running, access.client(connection), underway)
    except asyncio.CancelledError:
        underway.steps = [step.as_data() for step in running.journal.cut()]
        if options.handed_on:
            underway.leave()
        raise
    return finish(underway, result)


async def _turn(workflow: Workflow, running: Running, underway: Underway) -> bool:
    """Waits for a run's turn; False where it has to rest until then."""
    rules = workflow.concurrency
    if rules is None:
        return True
    patience = Patience(running.clock, running.patience, running.rest)
    turn = await take_turn(running.access.store, underway, rules, patience)
    if turn == "later":
        underway.leave()
    elif turn == "never":
        running.halt.call()
    return turn != "later"


def finish(underway: Underway, result: Result) -> Result:
    """Keeps how a run ended."""
    if result.status != "waiting":
        underway.output, underway.steps = result.output, result.steps
        underway.finish(result.status, _told(result))
    return result


def _told(result: Result) -> dict[str, object] | None:
    if result.error is None:
        return None
    data = result.as_data()
    return {**result.error, **{key: data[key] for key in ("undone", "not_undone") if key in data}}


async def _passing(
    access: Access, workflow: Workflow, connection: Connection, given: Mapping[str, object], options: Options
) -> Result:
    """A run that ends with its process; kept once it has ended, unless it is a dry one."""
    running = Running(
        id="dry-run" if options.dry else options.id or uuid.uuid4().hex,
        workflow=workflow,
        access=access,
        input=given,
        journal=Journal(),
        steps=None,
        clock=options.clock,
        halt=Halt(),
        perform=perform,
        children=Called(),
        dry=options.dry,
        mock=options.mock,
        started_afar=options.started_by is not None,
    )
    client = access.client(connection)
    if options.dry:
        return await live(running, client, None)
    new = NewRun(
        kind="workflow", name=workflow.name, integration=connection.integration, connection=connection.id,
        input=given, definition=workflow.text, id=running.id, started_by=options.started_by,
    )  # fmt: skip
    with _begun(access.store, new, options) as underway:
        result = finish(underway, await live(running, client, None))
        access.store.steps.of(running.id).write([], running.journal.lines)
        return result


async def cancel_run(
    access: Access, run: Run, *, undo: bool, options: Options = Options()  # noqa: B008 - frozen
) -> Result | None:  # fmt: skip
    """Ends a run; gives what became of it.

    None where another process has it, which ends it after the step that is under way.

    Args:
        undo: whether what its finished steps did is undone.

    Raises:
        UsageError: it has ended already.
    """
    if run.status == "success" or (run.status in ("failed", "cancelled") and not undo):
        raise UsageError(f"{run.id[:8]} has ended already: {run.status}", hint="terapi runs list")
    if run.kind != "workflow" or not run.durable:
        raise UsageError(f"{run.id[:8]} cannot be cancelled from here", hint="end its process")
    access.store.runs.wake(run.id, asked="undo" if undo else "cancel")
    found = access.store.runs.get(run.id) or run
    if found.status == "running":
        return None
    if undo:
        return await _taken_up(access, found, options)
    underway = access.store.runs.take(found)
    if underway is None:
        return None
    with underway:
        underway.finish("cancelled", CANCELLED)
    return Result(run=run.id, workflow=run.name, status="cancelled", error=CANCELLED)
