"""`sync`: a sync is run, as `terapi sync` does."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import RunSync, Step, Sync
from runner.definitions.model.matrix import definition_of
from runner.sync.matrix import all_of, at_once, expanded_to_run
from runner.sync.run import Options, run_sync
from runner.workflow.context import Context
from runner.workflow.dry import Shown


async def sync(step: Step, context: Context) -> object:
    wanted, running = cast(RunSync, step.do), context.running
    place, store = context.client.connection, running.access.store
    found = running.access.project.sync(definition_of(wanted.name), place.integration)
    if running.dry:
        return Shown()
    # One that was cut short goes on at the page where it was.
    await context.begin({"sync": wanted.name, "full": wanted.full}, writes=True)
    many = found.matrix is not None
    syncs, _ = await expanded_to_run(found, context.client, store, wanted.name)

    async def run(one: Sync) -> dict[str, object]:
        client = running.access.client(place) if many else context.client
        return (await run_sync(one, client, store, Options(full=wanted.full))).as_data()

    results = await all_of(syncs, run, at_once(found))
    return results if many else results[0]
