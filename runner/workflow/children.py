"""Workflows that a workflow calls: each a run of its own, found again by the step that called it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from runner.definitions.model import Wait, Workflow, every_step
from runner.errors import RunFailed
from runner.store import Connection, NewRun, Run, Underway
from runner.workflow.context import Context, Running, Undone
from runner.workflow.failures import Parked, StepFailed, Stopped
from runner.workflow.given import checked_input
from runner.workflow.halt import Halt
from runner.workflow.journal import Journal
from runner.workflow.life import Result, live, look_through
from runner.workflow.rollback import roll_back
from runner.workflow.turns import Patience, take_turn, turns_of

#: workflows that may call one another, each the next
_DEPTH = 20
#: seconds until a run whose step waits for its turn, and rests meanwhile, looks again
_AGAIN = 2.0


class Called:
    """Runs what the steps of a run call; see `context.Children`."""

    async def call(self, context: Context, name: str, given: Mapping[str, object]) -> object:
        """Runs another workflow as a step, in the step's context; gives its output.

        Raises:
            StepFailed: it failed.
            Parked, Stopped: it waits, or was halted with the step.
        """
        running = context.running
        if running.depth >= _DEPTH:
            message = f"more than {_DEPTH} workflows call one another, `{name}` the last of them"
            raise RunFailed(message, where=context.step.place, hint="does one of them call itself?")
        workflow = running.access.project.workflow(name, context.client.connection.integration)
        full = checked_input(workflow, given)
        if running.steps is None or not workflow.durable:
            await context.begin(full)
            return _output(await self._within(context, workflow, full), context)
        return _output(await self._own(context, workflow, full), context)

    async def _within(self, context: Context, workflow: Workflow, given: Mapping[str, object]) -> Result:
        """Without a journal: a part of the step."""
        inner = _inner(context, workflow, given, f"{context.running.id}/{context.path}")
        inner.dry = context.running.dry
        # It cannot leave the process and come again.
        inner.hold, inner.patience, inner.rest = float("inf"), float("inf"), None
        result = await live(inner, context.client, None)
        context.running.journal.summary(context.path).steps = inner.journal.tops
        _pass_on(inner, context.running)
        return result

    async def _own(self, context: Context, workflow: Workflow, given: Mapping[str, object]) -> Result:
        """With a run of its own, which is taken up where it was left."""
        runs = context.running.access.store.runs
        id = _id(context)
        run = runs.get(id)
        if run is None:
            context.check_halt()
            await context.begin(given)
            underway: Underway | None = runs.begin(_new(context, workflow, given, id), "queued")
        elif run.status in ("success", "failed"):
            return Result(
                run=id, workflow=workflow.name, status=run.status, output=run.output, error=run.error
            )
        else:
            text = run.definition
            workflow = context.running.access.project.workflow_of(text, run.name, run.integration)
            underway = runs.take(run)
        if underway is None:
            raise RunFailed(
                f"the run {id[:8]} of `{workflow.name}` is under way elsewhere", where=context.step.place
            )
        with underway:
            return await self._lived(context, workflow, underway)

    async def _lived(self, context: Context, workflow: Workflow, underway: Underway) -> Result:
        store, run = context.running.access.store, underway.run
        inner = _inner(context, workflow, run.input, run.id)
        inner.steps = store.steps.of(run.id)
        ended = inner.steps.ended()
        inner.journal, inner.resumed = Journal(inner.steps, ended), ended > 0
        await _take_turn(workflow, inner, underway)
        result = await live(inner, context.client, underway)
        context.running.repeated += [f"{context.path}/{path}" for path in result.repeated]
        _pass_on(inner, context.running)
        context.running.journal.summary(context.path).steps = inner.journal.tops
        if result.status != "waiting":
            underway.output, underway.steps = result.output, result.steps
            underway.finish(result.status, result.error)
        return result

    async def undo(self, context: Context, error: StepFailed) -> Undone:
        """Undoes what the workflow that a step called has done, in all tries and turns, the newest first."""
        running, done = context.running, Undone()
        store = running.access.store
        for run in reversed(store.runs.children(running.id)):
            if not _of_step(run, context.path) or run.status not in ("success", "failed", "cancelled"):
                continue
            undone = await self._undone(context, run, error)
            done.undone.extend(undone.undone)
            done.not_undone.extend(undone.not_undone)
        return done

    async def _undone(self, context: Context, run: Run, error: StepFailed) -> Undone:
        access = context.running.access
        workflow = access.project.workflow_of(run.definition, run.name, run.integration)
        inner = _inner(context, workflow, run.input, run.id)
        inner.steps = access.store.steps.of(run.id)
        inner.journal, inner.resumed = Journal(inner.steps, inner.steps.ended()), True
        inner.halt.call()
        await look_through(inner, context.client)
        return await inner.journal.settled(roll_back(inner, error))


def awaited(workflow: Workflow, connection: Connection) -> list[str]:
    """The events that a workflow may wait for; see `NewRun.events`."""
    steps = list(every_step(workflow.steps))
    elsewhere = any(step.integration is not None or step.connection is not None for step in steps)
    behind = "" if elsewhere else f" {connection.id}"
    return sorted(
        {
            f"{step.integration or connection.integration} {step.do.webhook}{behind}"
            for step in steps
            if isinstance(step.do, Wait) and step.do.webhook is not None
        }
    )


async def _take_turn(workflow: Workflow, inner: Running, underway: Underway) -> None:
    """Waits for the turn of a called run.

    Raises:
        Parked: it has to rest until then, and its caller with it.
    """
    store, rules = inner.access.store, workflow.concurrency
    if rules is None:
        store.runs.start_turn(underway.run)
        return
    turn = await take_turn(store, underway, rules, Patience(inner.clock, inner.patience, inner.rest))
    if turn == "later":
        underway.leave()
        raise Parked(inner.clock.now() + _AGAIN)
    if turn == "never":
        inner.halt.call()


def _id(context: Context) -> str:
    """The id of the run that a step calls: the same whenever the step is done again."""
    return hashlib.sha256(f"{context.running.id}/{context.path}".encode()).hexdigest()[:32]


def _pass_on(inner: Running, outer: Running) -> None:
    """What a called workflow may have done, its caller may have done."""
    outer.touched = outer.touched or inner.touched
    outer.uncertain = outer.uncertain or inner.uncertain
    outer.rejected += inner.rejected


def _of_step(run: Run, path: str) -> bool:
    """Whether a run was called by a step, in one of its tries or turns."""
    called = str((run.started_by or {}).get("step"))
    return called == path or called.startswith((f"{path}^", f"{path}("))


def _inner(context: Context, workflow: Workflow, given: object, id: str) -> Running:
    outer = context.running
    return Running(
        id=id,
        workflow=workflow,
        access=outer.access,
        input=dict(given) if isinstance(given, Mapping) else {},
        journal=Journal(),
        steps=None,
        clock=outer.clock,
        halt=Halt(context.halt),
        perform=outer.perform,
        children=outer.children,
        mock=_mocks_below(outer.mock, context.step.id),
        hold=outer.hold,
        patience=outer.patience,
        rest=outer.rest,
        depth=outer.depth + 1,
        started_afar=outer.started_afar,
    )


def _mocks_below(mocks: Mapping[str, object], step: str | None) -> dict[str, object]:
    """What steps give that are not done, of the workflow that a step calls: `call.gate`."""
    head = f"{step}."
    return {name[len(head) :]: given for name, given in mocks.items() if name.startswith(head)}


def _new(context: Context, workflow: Workflow, given: Mapping[str, object], id: str) -> NewRun:
    place = context.client.connection
    return NewRun(
        kind="workflow",
        name=workflow.name,
        integration=place.integration,
        connection=place.id,
        input=given,
        definition=workflow.text,
        id=id,
        durable=True,
        parent=context.running.id,
        started_by={"by": "workflow", "run": context.running.id, "step": context.path},
        turns=turns_of(workflow, {**context.client.scope(), "input": given}),
        turn_limit=1 if workflow.concurrency is None else workflow.concurrency.limit,
        events=awaited(workflow, place),
    )


def _output(result: Result, context: Context) -> object:
    """What a called workflow gave."""
    if result.status == "success":
        return result.output
    if result.status == "waiting":
        raise Parked(result.due_at)
    if result.status == "cancelled" and context.halt:
        raise Stopped
    error = dict(result.error or {})
    error["message"] = f"`{result.workflow}` {result.status}: {error.get('message')} (run {result.run[:8]})"
    transient = result.cause is not None and result.cause.transient
    raise StepFailed({**error, "step": context.label}, transient=transient)
