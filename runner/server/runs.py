"""Runs of syncs and workflows as the server does them: waited for, told, and let go when it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from runner.calls.access import Access
from runner.definitions.model import Sync, Workflow
from runner.errors import (
    ExpressionError,
    RunFailed,
    RunningAlready,
    StoreError,
    TerapiError,
    UsageError,
)
from runner.store import Connection, NewSignal, Run
from runner.sync.ledger import forget
from runner.sync.matrix import all_of, at_once, expanded_to_run
from runner.sync.run import Options, Result, run_sync
from runner.webhooks.route import Task
from runner.webhooks.work import TRIES, Attempt, told, wait
from runner.workflow import run as workflows
from runner.workflow.answers import offer
from runner.workflow.halt import Clock, Halt, WallClock
from runner.workflow.reopen import reopen
from runner.workflow.repeat import may_write, repeatable
from runner.workflow.run import resume_run, run_workflow

#: seconds that a workflow may wait here; for a longer wait it rests until it is due
HOLD = 10.0
#: who starts runs that are tried again after they have failed; a schedule has its next time
_TRIED_AGAIN = ("records", "webhook")
#: seconds between two looks at a sync that another process runs
_LOOK = 1.0
_KINDS: Final = ("added", "updated", "deleted")


class Wanted(msgspec.Struct, frozen=True):
    """How a sync is wanted."""

    options: Options
    #: which of the syncs that a definition stands for; all of them by default
    name: str | None = None
    #: where a run that began after that time has succeeded, there is nothing to do; in seconds since 1970
    since: float | None = None


class Runs:
    """Runs what webhooks, triggers and people ask for.

    Args:
        log: takes a line for whoever runs the server.
    """

    def __init__(self, access: Access, log: Callable[[str], None], clock: Clock | None = None) -> None:
        self._access = access
        self._log = log
        self._clock = clock or WallClock()
        self._rest = Halt()
        self._syncs: set[asyncio.Task[Result]] = set()
        self._stopping = False

    def stop(self) -> None:
        """Lets go of the syncs: what they stored stays, and their next run goes on there. Workflows rest
        before their next step."""
        self._stopping = True
        self._rest.call()
        for task in self._syncs:
            task.cancel()

    async def perform(self, task: Task, attempt: Attempt) -> None:
        """What a webhook starts.

        Raises:
            TerapiError: it failed; transient where it may be done again and that can help.
        """
        if isinstance(task.bound, Sync):
            name, wanted = task.bound.name, Wanted(Options(), since=attempt.received_at)
            counts = await self.sync(task.bound, task.connection, wanted)
            if counts is not None:
                self._log(f"{name} of {task.connection.id}: {counts}")
        else:
            await self._workflow(task, task.bound, attempt)

    def offer(self, run: Run, signal: NewSignal) -> None:
        """Gives a run an event that it may wait for."""
        offer(self._access.store, run, signal)

    async def go_on(self, run: Run) -> bool:
        """Takes up a run that rests; False where another process has it."""
        if self._status(run) not in ("queued", "waiting", "lost"):
            return False
        name = f"{run.name} for {run.connection}"
        try:
            result = await resume_run(self._access, run, self._options())
        except StoreError:
            raise
        except TerapiError as exc:
            if isinstance(exc, RunningAlready) and self._status(run) != "failed":
                return False
            self._give_up(run, exc)
            self._log(f"{name}: failed: {told(exc)} (run {run.id})")
            return True
        reason = f": {told(result.cause)}" if result.cause is not None else ""
        status = "waits for another try" if self._postponed(run, result) else result.status
        self._log(f"{name}: {status}{reason} (run {run.id})")
        return True

    def _status(self, run: Run) -> str | None:
        """How it stands now."""
        found = self._access.store.runs.get(run.id)
        return None if found is None else found.status

    def _give_up(self, run: Run, error: TerapiError) -> None:
        """Parks a run that cannot go on as failed, unless it has ended already."""
        underway = self._access.store.runs.take(run)
        if underway is not None:
            with underway:
                underway.finish("failed", error.as_data())

    def _postponed(self, run: Run, result: workflows.Result) -> bool:
        """Lets a run that failed wait for another try, where one can help and does nothing twice."""
        store, cause = self._access.store, result.cause
        if result.status != "failed" or cause is None or not cause.transient or result.uncertain:
            return False
        if (run.started_by or {}).get("by") not in _TRIED_AGAIN or run.retries + 1 >= TRIES:
            return False
        try:
            with store.atomic():
                reopen(store, run)
                return store.runs.postpone(run, self._clock.now() + wait(run.retries + 1))
        except UsageError:
            return False  # all that it did is undone

    async def sync(self, sync: Sync, connection: Connection, wanted: Wanted) -> str | None:
        """All that a definition stands for; gives the counts together, None where there was nothing to do.

        Raises:
            TerapiError: one of them failed, or it cannot be told what there is.
        """
        client, store = self._access.client(connection), self._access.store
        syncs, gone = await expanded_to_run(sync, client, store, wanted.name)
        for name in gone:
            self._log(f"{name} of {connection.id}: it is there no more; what it stored stays")
        if wanted.options.empty and len(syncs) > 1:
            # Some may store the same model: none may forget what another has read already.
            for one in syncs:
                with suppress(ExpressionError):  # its run tells what is wrong with its model
                    forget(one, client, store)
            wanted = msgspec.structs.replace(wanted, options=Options(full=True))
        counts = await all_of(syncs, lambda one: self._sync_in_turn(one, connection, wanted), at_once(sync))
        done = sum(counts, Counter[str]())
        return ", ".join(f"{done[kind]:,} {kind}" for kind in _KINDS) if done["runs"] else None

    async def _sync_in_turn(self, sync: Sync, connection: Connection, wanted: Wanted) -> Counter[str]:
        """A sync, after the one that is under way; gives its counts, none where there was nothing to do."""
        while wanted.since is None or not self._has_run(sync, connection, wanted.since):
            try:
                result = await self._sync_once(sync, connection, wanted.options)
            except RunningAlready:
                await asyncio.sleep(_LOOK)  # another process has it
                continue
            return Counter(runs=1, added=result.added, updated=result.updated, deleted=result.deleted)
        return Counter()

    async def _sync_once(self, sync: Sync, connection: Connection, options: Options) -> Result:
        if self._stopping:
            raise asyncio.CancelledError
        client, store = self._access.client(connection), self._access.store
        task = asyncio.create_task(run_sync(sync, client, store, options))
        self._syncs.add(task)
        try:
            return await task
        finally:
            self._syncs.discard(task)

    def _has_run(self, sync: Sync, connection: Connection, since: float) -> bool:
        newest = self._access.store.runs.newest(
            kind="sync", name=sync.name, status="success", connection=connection.id, limit=5
        )
        return any(run.started_at >= since and run.integration == connection.integration for run in newest)

    async def _workflow(self, task: Task, workflow: Workflow, attempt: Attempt) -> None:
        earlier = self._earlier(attempt)
        if earlier.durable if earlier is not None else workflow.durable:
            result = await self._durable(task, workflow, attempt, earlier)
        else:
            result = await self._passing(task, workflow, attempt, earlier)
        if result is None:
            return
        self._log(f"{workflow.name} for {task.connection.id}: {result.status} (run {result.run})")
        if result.cause is not None:
            raise _failure(workflow, result)

    def _earlier(self, attempt: Attempt) -> Run | None:
        return self._access.store.runs.get(attempt.earlier) if attempt.earlier is not None else None

    async def _durable(
        self, task: Task, workflow: Workflow, attempt: Attempt, earlier: Run | None
    ) -> workflows.Result | None:
        """What is left to do; None where an earlier run has done it, or goes on by itself."""
        options = self._options(attempt)
        if earlier is None:
            return await self._begun(task, workflow, options)
        if earlier.status not in ("failed", "lost"):
            return None
        try:
            return await resume_run(self._access, earlier, options)
        except RunningAlready:
            return None

    async def _begun(
        self, task: Task, workflow: Workflow, options: workflows.Options
    ) -> workflows.Result | None:
        """A new run; None where others are under way, and the workflow refuses to wait for them."""
        try:
            return await run_workflow(self._access, workflow, task.connection, task.input(), options)
        except RunningAlready as exc:
            self._log(f"{workflow.name} for {task.connection.id}: not started: {exc.message}")
            return None

    async def _passing(
        self, task: Task, workflow: Workflow, attempt: Attempt, earlier: Run | None
    ) -> workflows.Result | None:
        """From its beginning, where no earlier run has done it.

        Raises:
            RunFailed: an earlier run was cut short, and may have done a part that must not be done twice.
        """
        if earlier is not None and earlier.status == "success":
            return None
        if earlier is not None and earlier.status != "failed" and may_write(workflow):
            raise RunFailed(
                f"the server ended while its run {earlier.id} was under way, which may have done a part",
                hint="see what was done, then let it run from its beginning: terapi webhooks replay ID",
            )
        options = self._options(attempt)
        return await run_workflow(self._access, workflow, task.connection, task.input(), options)

    def _options(self, attempt: Attempt | None = None) -> workflows.Options:
        return workflows.Options(
            hold=HOLD,
            patience=0.0,
            rest=self._rest,
            handed_on=True,
            kept=(lambda run: None) if attempt is None else (lambda run: attempt.begun(run.id)),
            started_by={"by": "webhook"},
            clock=self._clock,
        )


def _failure(workflow: Workflow, result: workflows.Result) -> RunFailed:
    """The failure of a run; transient where it may be tried again and that can help."""
    cause = result.cause or RunFailed()
    again = not result.uncertain if workflow.durable else repeatable(result)
    hint = cause.hint
    if cause.transient and not again:
        hint = "a part of it may be done, so that it is not tried again by itself: terapi webhooks replay ID"
    failure = RunFailed(f"{cause.message} (run {result.run})", where=cause.where, hint=hint)
    failure.transient = cause.transient and again
    return failure
