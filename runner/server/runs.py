"""Runs of syncs and workflows as the server does them: waited for, told, and let go when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runner.calls.access import Access
from runner.definitions.model import Sync, Workflow
from runner.errors import RunFailed, RunningAlready
from runner.store import Connection
from runner.sync.run import Options, Result, run_sync
from runner.webhooks.route import Task
from runner.webhooks.work import Attempt
from runner.workflow import run as workflows
from runner.workflow.repeat import repeatable, writes
from runner.workflow.run import run_workflow

#: seconds between two looks at a sync that another process runs
_LOOK = 1.0


class Runs:
    """Runs what webhooks and people ask for.

    Args:
        log: takes a line for whoever runs the server.
    """

    def __init__(self, access: Access, log: Callable[[str], None]) -> None:
        self._access = access
        self._log = log
        self._syncs: set[asyncio.Task[Result]] = set()
        self._stopping = False

    def stop(self) -> None:
        """Lets go of the syncs: what they stored stays, and their next run goes on there."""
        self._stopping = True
        for task in self._syncs:
            task.cancel()

    async def perform(self, task: Task, attempt: Attempt) -> None:
        """What a webhook starts.

        Raises:
            TerapiError: it failed; transient where it may be done again and that can help.
        """
        if isinstance(task.bound, Sync):
            await self.sync(task.bound, task.connection, Options(), since=attempt.received_at)
        else:
            await self._workflow(task, task.bound, attempt)

    async def sync(
        self, sync: Sync, connection: Connection, options: Options, *, since: float | None = None
    ) -> None:
        """A sync, after the one that is under way.

        Args:
            since: where a run that began after that time has succeeded, there is nothing to do; in seconds
                since 1970.

        Raises:
            TerapiError: it failed.
        """
        while since is None or not self._has_run(sync, connection, since):
            try:
                result = await self._sync_once(sync, connection, options)
            except RunningAlready:
                await asyncio.sleep(_LOOK)  # another process has it
                continue
            counts = f"{result.added:,} added, {result.updated:,} updated, {result.deleted:,} deleted"
            self._log(f"{sync.name} of {connection.id}: {counts}")
            return

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
        if self._done_before(workflow, attempt):
            return
        client, store = self._access.client(task.connection), self._access.store
        result = await run_workflow(
            workflow, client, store, task.input(), started=lambda run: attempt.begun(run.id)
        )
        self._log(f"{workflow.name} for {task.connection.id}: {result.status} (run {result.run})")
        if result.cause is not None:
            raise _failure(workflow, result)

    def _done_before(self, workflow: Workflow, attempt: Attempt) -> bool:
        """Whether an earlier run has done it.

        Raises:
            RunFailed: an earlier run was cut short, and may have done a part that must not be done twice.
        """
        earlier = self._access.store.runs.get(attempt.earlier) if attempt.earlier is not None else None
        if earlier is None or earlier.status == "failed":
            return False
        if earlier.status == "success":
            return True
        if writes(workflow):
            raise RunFailed(
                f"the server ended while its run {earlier.id} was under way, which may have done a part",
                hint="see what was done, then let it run from its beginning: terapi webhooks replay ID",
            )
        return False


def _failure(workflow: Workflow, result: workflows.Result) -> RunFailed:
    """The failure of a run; transient where the run may be begun anew and that can help."""
    cause = result.cause or RunFailed()
    again = repeatable(workflow, result)
    hint = cause.hint
    if cause.transient and not again:
        hint = "a part of it is done, so that it is not tried again by itself: terapi webhooks replay ID"
    failure = RunFailed(f"{cause.message} (run {result.run})", where=cause.where, hint=hint)
    failure.transient = cause.transient and again
    return failure
