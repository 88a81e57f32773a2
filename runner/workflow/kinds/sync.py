"""`sync`: a sync is run, as `terapi sync` does."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import RunSync, Step
from runner.sync.run import Options, run_sync
from runner.workflow.context import Context
from runner.workflow.dry import Shown


async def sync(step: Step, context: Context) -> object:
    wanted, running = cast(RunSync, step.do), context.running
    found = running.access.project.sync(wanted.name, context.client.connection.integration)
    if running.dry:
        return Shown()
    # One that was cut short goes on at the page where it was.
    await context.begin({"sync": wanted.name, "full": wanted.full}, writes=True)
    result = await run_sync(found, context.client, running.access.store, Options(full=wanted.full))
    return result.as_data()
